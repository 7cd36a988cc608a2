/** Nodes that show each other certificates, and who is not let in. */

import assert from "node:assert/strict";
import { TlsNetwork } from "../../io/tls.ts";
import { encodeHello } from "../../peer/hello.ts";
import { selfOf } from "../../peer/testing/planes_test.ts";
import { COMMAND_VERSION } from "../../stream/mod.ts";
import {
  type CertificateOptions,
  certify,
  makeAuthority,
  writeCertified,
} from "../given/certificates.ts";
import { send } from "../http/client.ts";
import { eventually } from "../http/expect.ts";
import { withCluster } from "./cluster_case.ts";

const TYPE = { "content-type": "text/plain" };

Deno.test("a cluster forms and serves over TLS, and lets in nobody else", async () => {
  const folder = await Deno.makeTempDir({ prefix: "ursula-cluster-tls-" });
  const [authority, other] = [await makeAuthority(), await makeAuthority("another authority")];
  const files = await writeCertified(`${folder}/node`, await certify(authority));
  const ca = `${folder}/ca.crt`;
  await Deno.writeTextFile(ca, authority.pem);
  const args = ["--cluster-tls-cert", files.certificate, "--cluster-tls-key", files.key];
  args.push("--cluster-tls-ca", ca);
  try {
    await withCluster({ memory: true, cores: 2, groups: 4, args }, async (cluster) => {
      const path = "/v1/stream/tls/a";
      assert.equal(
        (await send(`${cluster.node(1).url}${path}`, "PUT", { headers: TYPE })).status,
        201,
      );
      // Larger than a frame, and what waits for a reader.
      const body = "x".repeat(1 << 20);
      for (const { url } of cluster.nodes) {
        const appended = await send(url + path, "POST", { headers: TYPE, body });
        assert.equal(appended.status, 204);
      }
      for (const { url } of cluster.nodes) {
        const read = await send(
          `${url}${path}?offset=${String(body.length).padStart(20, "0")}`,
          "GET",
        );
        assert.equal(read.text.slice(0, body.length), body);
      }
      const address = cluster.node(1).peer;
      await checkStrangers(address, authority.pem, [
        await certify(other),
        await certify(authority, { hours: [-2, -1] }),
      ]);
      await checkImpostor(
        address,
        authority,
        { hosts: ["elsewhere.example"] },
        () => cluster.node(1).log(),
      );
      // Certificates are read again: a node that comes back later shows the new one.
      await writeCertified(`${folder}/node`, await certify(authority, { name: "renewed" }));
      for (const node of cluster.nodes) Deno.kill(node.server.pid, "SIGHUP");
      await cluster.node(2).kill();
      await cluster.node(2).start();
      await cluster.ready();
      assert.match(await cluster.node(1).log(), /certificates were read again/);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Who speaks the frame format in the clear, and who shows the certificates that are no good. */
async function checkStrangers(
  address: { hostname: string; port: number },
  authorities: string,
  certificates: readonly { certificate: string; key: string }[],
): Promise<void> {
  const plain = await Deno.connect(address);
  const hello = { ...selfOf(2), challenge: new Uint8Array(32), secret: false, wallMs: 0 };
  await plain.write(encodeHello(hello));
  const into = new Uint8Array(1_000);
  let heard = 0;
  for (let count = 1; count > 0; heard += count) {
    count = await plain.read(into).catch(() => null) ?? 0;
  }
  // An alert of TLS, and not a word of the node.
  assert.ok(heard < 20, `${heard} bytes`);
  plain.close();
  for (const certified of certificates) {
    const connection = await new TlsNetwork({ ...certified, authorities }).connect(address);
    await connection.write(encodeHello(hello)).catch(() => {});
    assert.equal(await connection.read(into).catch(() => 0), 0);
    connection.close();
  }
}

/** A certificate of the authority does not make one node another. */
async function checkImpostor(
  address: { hostname: string; port: number },
  authority: Awaited<ReturnType<typeof makeAuthority>>,
  options: CertificateOptions,
  log: () => Promise<string>,
): Promise<void> {
  const certified = await certify(authority, options);
  const network = new TlsNetwork({ ...certified, authorities: authority.pem });
  const connection = await network.connect(address);
  const commandVersions = { min: COMMAND_VERSION, max: COMMAND_VERSION };
  const fits = { clusterId: "ursula", groupCount: 4, formationId: "", commandVersions };
  const self = selfOf(2, fits);
  await connection.write(
    encodeHello({ ...self, challenge: new Uint8Array(32), secret: false, wallMs: Date.now() }),
  );
  const into = new Uint8Array(1_000);
  while (await connection.read(into).catch(() => 0) > 0) { /* the node's hello, and its refusal */ }
  connection.close();
  await eventually(
    async () => /node 2, .* shows a certificate that is not for 127\.0\.0\.1/.test(await log()),
    "the node says whom it refuses",
  );
}
