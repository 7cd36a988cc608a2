import assert from "node:assert/strict";
import { certify, makeAuthority } from "../tests/given/certificates.ts";
import type { Handler } from "./handler.ts";
import { canSharePort, listen } from "./serve.ts";

const yes: Handler = () => Promise.resolve(new Response("yes"));

const LOCAL = { hostname: "127.0.0.1", port: 0, shared: false, log: () => {} };

Deno.test("canSharePort() says whether two listeners may share a port", async () => {
  assert.equal(canSharePort(), true, "the project's configuration asks for it");
  const first = listen(yes, { ...LOCAL, shared: true });
  const second = listen(yes, { ...LOCAL, port: first.port, shared: true });
  assert.equal(second.port, first.port);
  assert.equal(await (await fetch(`http://127.0.0.1:${first.port}`)).text(), "yes");
  await first.stop();
  assert.equal(await (await fetch(`http://127.0.0.1:${first.port}`)).text(), "yes");
  await second.stop();
});

Deno.test("canSharePort() is false without --unstable-net", async () => {
  const program = `
    const { canSharePort } = await import(${
    JSON.stringify(new URL("./serve.ts", import.meta.url))
  });
    console.log(canSharePort());`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", "--no-lock", program],
  }).output();
  assert.equal(new TextDecoder().decode(stdout).trim(), "false");
});

Deno.test("listen() throws when the port is taken", async () => {
  const first = listen(yes, LOCAL);
  assert.throws(() => listen(yes, { ...LOCAL, port: first.port }));
  await first.stop();
});

Deno.test("stop() lets requests under way end, and takes no new ones", async () => {
  const answer = Promise.withResolvers<Response>();
  const begun = Promise.withResolvers<void>();
  const listener = listen(
    () => {
      begun.resolve();
      return answer.promise;
    },
    LOCAL,
  );
  const url = `http://127.0.0.1:${listener.port}`;
  const underWay = fetch(url);
  await begun.promise;
  const stopped = listener.stop();
  await assert.rejects(fetch(url));
  answer.resolve(new Response("done"));
  assert.equal(await (await underWay).text(), "done");
  await stopped;
});

Deno.test("renew() shows the new certificate, with or without a port that can be shared", async () => {
  const authorities = [await makeAuthority("before"), await makeAuthority("after")];
  const keys = await Promise.all(authorities.map((authority) => certify(authority)));
  const program = `
    const { canSharePort, listen } = await import(${
    JSON.stringify(new URL("./serve.ts", import.meta.url))
  });
    const keys = ${JSON.stringify(keys)};
    const authorities = ${JSON.stringify(authorities.map(({ pem }) => pem))};
    const begun = Promise.withResolvers();
    const answer = Promise.withResolvers();
    const answered = (request) => {
      if (!request.url.endsWith("/slow")) return Promise.resolve(new Response("yes"));
      begun.resolve();
      return answer.promise;
    };
    const LOCAL = { hostname: "127.0.0.1", port: 0, shared: false, tls: keys[0], log: () => {} };
    const listener = listen(answered, LOCAL);
    const url = "https://127.0.0.1:" + listener.port;
    const ask = async (authority, path) => {
      const client = Deno.createHttpClient({ caCerts: [authorities[authority]] });
      return await fetch(url + path, { client }).then((answer) => answer.text(), () => "refused");
    };
    const said = [canSharePort(), await ask(0, "/"), await ask(1, "/")];
    const slow = ask(0, "/slow");
    await begun.promise;
    await listener.renew(keys[1]);
    said.push(await ask(0, "/"), await ask(1, "/"));
    answer.resolve(new Response("at last"));
    said.push(await slow);
    await listener.stop();
    said.push(await ask(1, "/"));
    console.log(said.join(" "));
    Deno.exit(0);`;
  for (const flags of [["--unstable-net"], []]) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-config", "--no-lock", ...flags, program],
    }).output();
    assert.equal(
      new TextDecoder().decode(stdout).trim(),
      `${flags.length > 0} yes refused refused yes at last refused`,
    );
  }
});
