import assert from "node:assert/strict";
import { availableMemoryBytes, handleUse, threadCoreTime } from "./machine.ts";

const GiB = 2 ** 30;

/** What the process may use on a machine of 8 GiB that has these files. */
function bytesWith(files: Record<string, string>): number {
  return availableMemoryBytes((path) => files[path], 8 * GiB);
}

Deno.test("availableMemoryBytes() is the machine's when no cgroup has a bound", () => {
  assert.equal(bytesWith({}), 8 * GiB);
  assert.equal(
    bytesWith({ "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max\n" }),
    8 * GiB,
  );
  // What v1 writes where there is no bound.
  assert.equal(
    bytesWith({ "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n" }),
    8 * GiB,
  );
});

Deno.test("availableMemoryBytes() is the container's when it has a bound", () => {
  const max = `${GiB}\n`;
  assert.equal(
    bytesWith({ "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": max }),
    GiB,
  );
  assert.equal(bytesWith({ "/sys/fs/cgroup/memory/memory.limit_in_bytes": max }), GiB);
  // A container that is told its path on the machine, which it does not see.
  assert.equal(
    bytesWith({
      "/proc/self/cgroup": "4:cpu,memory:/docker/0a1b\n1:name=systemd:/docker/0a1b\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": max,
    }),
    GiB,
  );
});

Deno.test("availableMemoryBytes() is the service's, or its slice's, when one has a bound", () => {
  const files = {
    "/proc/self/cgroup": "0::/system.slice/ursula.service\n",
    "/sys/fs/cgroup/memory.max": "max\n",
    "/sys/fs/cgroup/system.slice/memory.max": `${4 * GiB}\n`,
    "/sys/fs/cgroup/system.slice/ursula.service/memory.max": `${2 * GiB}\n`,
  };
  assert.equal(bytesWith(files), 2 * GiB);
  assert.equal(
    bytesWith({ ...files, "/sys/fs/cgroup/system.slice/memory.max": `${GiB}\n` }),
    GiB,
  );
  assert.equal(
    bytesWith({
      "/proc/self/cgroup": "11:memory:/system.slice/ursula.service\n10:cpu:/\n",
      "/sys/fs/cgroup/memory/system.slice/ursula.service/memory.limit_in_bytes": `${GiB}\n`,
    }),
    GiB,
  );
});

Deno.test("threadCoreTime() is what Linux says of the thread, in milliseconds", () => {
  const files: Record<string, string> = {
    "/proc/thread-self/schedstat": "1002408994 999684665 251\n",
  };
  assert.deepEqual(threadCoreTime((path) => files[path]), {
    ranMs: 1002.408994,
    waitedMs: 999.684665,
  });
});

Deno.test("threadCoreTime() is undefined where nobody says, or in other words", () => {
  assert.equal(threadCoreTime(() => undefined), undefined);
  assert.equal(threadCoreTime(() => ""), undefined);
  assert.equal(threadCoreTime(() => "cpu: 12\n"), undefined);
});

/** By how much the handles in use grow while so many files are open. */
function growthWith(count: number): number {
  const before = handleUse();
  assert.ok(before !== undefined && before.open > 0 && before.open < before.max);
  const files = Array.from({ length: count }, () => Deno.openSync(import.meta.filename ?? ""));
  const after = handleUse();
  for (const file of files) file.close();
  assert.equal(after?.max, before.max);
  return (after?.open ?? 0) - before.open;
}

Deno.test({
  name: "handleUse() counts what is open, up to the bound of the process",
  ignore: Deno.build.os !== "linux",
  fn() {
    // Other tests of this process open and close some, too, but not each time it is looked.
    const differences: number[] = [];
    do {
      differences.push(growthWith(40));
    } while (differences.at(-1) !== 40 && differences.length < 200);
    assert.equal(differences.at(-1), 40, `always others: ${differences}`);
  },
});

Deno.test("handleUse() is undefined where nobody says, or there is no bound", () => {
  assert.equal(handleUse(() => undefined), undefined);
  assert.equal(
    handleUse(() => "Max open files            unlimited            unlimited            files\n"),
    undefined,
  );
});
