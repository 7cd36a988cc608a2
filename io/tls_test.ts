import assert from "node:assert/strict";
import { connect } from "node:tls";
import {
  type Authority,
  type CertificateOptions,
  certify,
  makeAuthority,
} from "../tests/given/certificates.ts";
import { type Connection, NetworkError, type NetworkListener } from "./mod.ts";
import { type NetworkKey, TlsNetwork } from "./tls.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 };

/** A certificate of one authority, and belief in another one, or the same. */
async function keyOf(
  authority: Authority,
  options: CertificateOptions = {},
  believed = authority,
): Promise<NetworkKey> {
  return { ...await certify(authority, options), authorities: believed.pem };
}

/** Listens while `work` goes on; `accepted` are those that were let in. */
async function listening(
  key: NetworkKey,
  work: (found: {
    network: TlsNetwork;
    listener: NetworkListener;
    accepted: Connection[];
  }) => Promise<void>,
): Promise<void> {
  const network = new TlsNetwork(key);
  const accepted: Connection[] = [];
  const listener = await network.listen(LOCAL, false, (found) => accepted.push(found));
  try {
    await work({ network, listener, accepted });
  } finally {
    for (const connection of accepted) connection.close();
    await listener.close();
  }
}

/** Connects; answers whether that is refused, and by whom. */
async function attempt(key: NetworkKey, listener: NetworkListener, accepted: Connection[]) {
  const before = accepted.length;
  let connection: Connection;
  try {
    connection = await new TlsNetwork(key).connect(listener);
  } catch (reason) {
    assert.ok(reason instanceof NetworkError && reason.code === "unreachable", String(reason));
    return `refused here: ${reason.message}`;
  }
  let isOver = false;
  const end = () => isOver = true;
  const over = connection.read(new Uint8Array(1)).then(end, end);
  try {
    await connection.write(Uint8Array.of(1));
  } catch {
    // The refusal may come first.
  }
  while (!isOver && accepted.length === before) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  connection.close();
  await over;
  return accepted.length > before ? "in" : "refused";
}

Deno.test("TlsNetwork lets in only who shows a good certificate of the authority", async () => {
  const [ours, theirs] = [await makeAuthority(), await makeAuthority("another authority")];
  await listening(await keyOf(ours), async ({ listener, accepted }) => {
    const rows: [string, NetworkKey, RegExp][] = [
      ["good", await keyOf(ours), /^in$/],
      ["of another authority", await keyOf(theirs, {}, ours), /^refused$/],
      ["expired", await keyOf(ours, { hours: [-2, -1] }), /^refused$/],
      ["not valid yet", await keyOf(ours, { hours: [1, 2] }), /^refused$/],
      ["of a server alone", await keyOf(ours, { uses: ["server"] }), /^refused$/],
      ["who believes others", await keyOf(ours, {}, theirs), /^refused here: .*certificate/],
    ];
    for (const [label, key, outcome] of rows) {
      assert.match(await attempt(key, listener, accepted), outcome, label);
    }
  });
});

Deno.test("TlsNetwork.connect() refuses a listener whose certificate is for another host", async () => {
  const authority = await makeAuthority();
  const key = await keyOf(authority);
  await listening(await keyOf(authority, { hosts: ["elsewhere"] }), async ({ listener }) => {
    await assert.rejects(new TlsNetwork(key).connect(listener), /does not match/);
  });
  await listening(await keyOf(authority, { uses: ["client"] }), async ({ listener }) => {
    await assert.rejects(new TlsNetwork(key).connect(listener), NetworkError);
  });
});

Deno.test("TlsNetwork refuses who shows no certificate, or speaks an old version", async () => {
  const authority = await makeAuthority();
  const key = await keyOf(authority);
  const { certificate: cert } = key;
  const rows = [{}, { cert, key: key.key, maxVersion: "TLSv1.2" as const }];
  await listening(key, async ({ listener, accepted }) => {
    for (const options of rows) {
      const socket = connect({
        host: "127.0.0.1",
        port: listener.port,
        ca: authority.pem,
        ...options,
      });
      const { promise, resolve } = Promise.withResolvers<Error>();
      socket.once("error", resolve);
      assert.match((await promise).message, /alert/);
      socket.destroy();
    }
    assert.equal(accepted.length, 0);
  });
});

Deno.test("vouchesFor() names the hosts of the other end's certificate", async () => {
  const authority = await makeAuthority();
  await listening(await keyOf(authority), async ({ listener, accepted }) => {
    const key = await keyOf(authority, { hosts: ["node-2.example", "10.0.0.2"] });
    assert.equal(await attempt(key, listener, accepted), "in");
    const vouches = ["node-2.example", "10.0.0.2", "node-1.example", "10.0.0.1", "127.0.0.1"]
      .map((host) => accepted[0]?.vouchesFor?.(host));
    assert.deepEqual(vouches, [true, true, false, false, false]);
  });
});

Deno.test("renew() is for new connections, and leaves those that stand", async () => {
  const [before, after] = [await makeAuthority(), await makeAuthority("the next authority")];
  await listening(await keyOf(before), async ({ network, listener, accepted }) => {
    const standing = await new TlsNetwork(await keyOf(before)).connect(listener);
    while (accepted.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    network.renew(await keyOf(after));
    assert.match(await attempt(await keyOf(before), listener, accepted), /^refused/);
    assert.equal(await attempt(await keyOf(after), listener, accepted), "in");
    await standing.write(Uint8Array.of(7));
    const into = new Uint8Array(1);
    assert.equal(await accepted[0]?.read(into), 1);
    assert.equal(into[0], 7);
    standing.close();
  });
});

Deno.test("strangers who say nothing, or rubbish, are few, and cut off after 2 s", async () => {
  const authority = await makeAuthority();
  await listening(await keyOf(authority), async ({ listener, accepted }) => {
    const address = { hostname: "127.0.0.1", port: listener.port };
    const rubbish = crypto.getRandomValues(new Uint8Array(4_096));
    for (let length = 1; length < rubbish.length; length *= 2) {
      const connection = await Deno.connect(address);
      await connection.write(rubbish.subarray(-length));
      while (await connection.read(new Uint8Array(64)).catch(() => null) !== null) {
        /* an alert */
      }
      connection.close();
    }
    const startMs = performance.now();
    const ends = Array.from({ length: 100 }, async () => {
      const connection = await Deno.connect(address);
      await connection.read(new Uint8Array(1)).catch(() => null);
      connection.close();
      return performance.now() - startMs;
    });
    const tookMs = (await Promise.all(ends)).sort((a, b) => a - b);
    const early = tookMs.filter((ms) => ms < 1_500);
    assert.equal(early.length, 36, `${early.length} of 100 were sent away at once`);
    assert.ok(tookMs.every((ms) => ms < 4_000), `${tookMs.at(-1)} ms`);
    assert.equal(await attempt(await keyOf(authority), listener, accepted), "in");
  });
});

Deno.test("connect() gives up on who does not go on with the handshake", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const network = new TlsNetwork(await keyOf(await makeAuthority()));
  const { port } = listener.addr as Deno.NetAddr;
  const startMs = performance.now();
  await assert.rejects(network.connect({ hostname: "127.0.0.1", port }), /no handshake in time/);
  assert.ok(performance.now() - startMs < 8_000);
  (await accepted).close();
  listener.close();
});
