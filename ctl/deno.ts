import { BrokenPipe } from "./failure.ts";
import type { Machine, Output } from "./machine.ts";

/** Where the width of a terminal is not known. */
const COLUMNS = 80;

/** The machine that this process runs on. */
export const denoMachine: Machine = {
  get stdin() {
    return Deno.stdin.readable;
  },
  stdout: outputTo(Deno.stdout),
  stderr: outputTo(Deno.stderr),
  env: (name) => Deno.env.get(name),
  readTextFile: (path) => Deno.readTextFile(path),
  async shell(command) {
    const { code } = await new Deno.Command("sh", {
      args: ["-c", 'exec sh -c "$1" >&2', "sh", command],
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
      // Ctrl-C at the terminal is for this program, which ends in good order.
      detached: true,
    }).spawn().status;
    return code;
  },
  onInterrupt(listener) {
    Deno.addSignalListener("SIGINT", listener);
    Deno.addSignalListener("SIGTERM", listener);
    return () => {
      Deno.removeSignalListener("SIGINT", listener);
      Deno.removeSignalListener("SIGTERM", listener);
    };
  },
  exit: (code) => Deno.exit(code),
};

function outputTo(file: typeof Deno.stdout): Output {
  return {
    get isTerminal() {
      return file.isTerminal();
    },
    get columns() {
      try {
        return Deno.consoleSize().columns;
      } catch {
        return COLUMNS;
      }
    },
    async write(bytes) {
      try {
        for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) throw new BrokenPipe();
        throw error;
      }
    },
  };
}
