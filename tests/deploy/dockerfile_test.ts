import assert from "node:assert/strict";
import { validate } from "dockerfile-utils";
import { importsOf } from "../house/imports.ts";
import { isTestFile, readProjectFile, roomOf, sourceFiles } from "../house/source.ts";
import { configOf, deployFile, imageEnvironment } from "./files.ts";

/** Files that are no part of the server, though no tests either. */
const OTHER_ROOMS = new Set(["", "docs", "deploy"]);

const productFiles = async () =>
  (await sourceFiles()).filter(({ path }) => !isTestFile(path) && !OTHER_ROOMS.has(roomOf(path)));

Deno.test("deploy/Dockerfile is one, and does what an orchestrator expects", async () => {
  const dockerfile = await deployFile("Dockerfile");
  assert.deepEqual(validate(dockerfile).map(({ message }) => message), []);
  assert.match(dockerfile, /^USER [1-9]\d*:[1-9]\d*$/m, "no root, and by number");
  assert.match(dockerfile, /^STOPSIGNAL SIGTERM$/m);
  assert.match(dockerfile, /^HEALTHCHECK .*CMD \["\/opt\/ursula\/deploy\/healthy"\]$/m);
  assert.match(dockerfile, /^ENTRYPOINT \["\/tini", "--", "\/opt\/ursula\/deploy\/ursula"\]$/m);
  const { config, warnings } = await configOf(await imageEnvironment());
  assert.deepEqual(warnings, []);
  assert.match(dockerfile, new RegExp(`^VOLUME ${config.dataDir}$`, "m"));
  assert.match(dockerfile, new RegExp(`^EXPOSE ${config.listen.port} `, "m"));
});

Deno.test("deploy/Dockerfile has the Deno that everything is tested with", async () => {
  const tested = /deno@(\d+\.\d+\.\d+)/.exec(await readProjectFile(".ci/run"))?.[1];
  assert.ok(tested);
  assert.match(await deployFile("Dockerfile"), new RegExp(`^FROM denoland/deno:${tested}$`, "m"));
});

Deno.test("deploy/Dockerfile leaves out the packages that only tests import", async () => {
  const { imports } = JSON.parse(await readProjectFile("deno.json"));
  const used = new Set(
    (await productFiles()).flatMap(importsOf).map(({ specifier }) => specifier),
  );
  const unused = Object.keys(imports).filter((name) =>
    !Array.from(used).some((specifier) => specifier === name || specifier.startsWith(`${name}/`))
  );
  const removed = /deno remove --lockfile-only ((?:\\\n|[^&\n])*)/.exec(
    await deployFile("Dockerfile"),
  )?.[1]?.split(/[\s\\]+/).filter((name) => name !== "");
  assert.deepEqual(removed, unused.sort());
});

Deno.test("deploy/Dockerfile.dockerignore lets in every room, and nothing of tests", async () => {
  const lines = (await deployFile("Dockerfile.dockerignore")).trim().split("\n");
  assert.equal(lines[0], "*");
  const rooms = new Set((await productFiles()).map(({ path }) => roomOf(path)));
  for (const room of rooms) assert.ok(lines.includes(`!${room}`), room);
  for (const name of ["deno.json", "deno.lock", "mod.ts", "deploy/ursula", "deploy/healthy"]) {
    assert.ok(lines.includes(`!${name}`), name);
    await readProjectFile(name);
  }
  assert.ok(lines.includes("**/*_test.ts"));
});
