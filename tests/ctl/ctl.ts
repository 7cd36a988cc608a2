/**
 * `ursulactl` in this process, with a machine of its own that keeps what it prints.
 *
 * @module
 */

import { BrokenPipe } from "../../ctl/failure.ts";
import { denoMachine } from "../../ctl/deno.ts";
import type { Machine, Output } from "../../ctl/machine.ts";
import { run } from "../../ctl/program.ts";

/** How a run differs from the usual. */
export interface CtlOptions {
  /** Standard input. @default empty */
  readonly stdin?: string | ReadableStream<Uint8Array>;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard output and error are terminals. */
  readonly terminal?: boolean;
  /** Standard output is gone after so many bytes. */
  readonly breaksAfterBytes?: number;
  /** Gets what interrupts the run. */
  readonly onStart?: (interrupt: () => void) => void;
  /** Told of each piece of standard output. */
  readonly onOutput?: (text: string) => void;
  /** Told of commands, in place of a shell; answers the exit code. */
  readonly shell?: (command: string) => Promise<number>;
}

/** What came of a run. */
export interface CtlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line. */
export async function ctl(args: readonly string[], options: CtlOptions = {}): Promise<CtlResult> {
  const { stdin = "", env = {}, terminal = false } = options;
  const written = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr"): Output => {
    const decoder = new TextDecoder();
    let bytes = 0;
    return {
      isTerminal: terminal,
      columns: 80,
      write(piece) {
        bytes += piece.length;
        const isBroken = name === "stdout" && bytes > (options.breaksAfterBytes ?? Infinity);
        if (isBroken) return Promise.reject(new BrokenPipe());
        const text = decoder.decode(piece, { stream: true });
        written[name] += text;
        if (name === "stdout") options.onOutput?.(text);
        return Promise.resolve();
      },
    };
  };
  const listeners = new Set<() => void>();
  const exits: number[] = [];
  const machine: Machine = {
    stdin: typeof stdin === "string" ? new Blob([stdin]).stream() : stdin,
    stdout: output("stdout"),
    stderr: output("stderr"),
    env: (name) => env[name],
    readTextFile: (path) => Deno.readTextFile(path),
    shell: options.shell ?? denoMachine.shell,
    onInterrupt(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exit: (code) => void exits.push(code),
  };
  options.onStart?.(() => listeners.forEach((listener) => listener()));
  const code = await run(args, machine);
  return { code: exits[0] ?? code, ...written };
}

/** Its one object of JSON. @throws when it did not end with 0 */
export async function ctlJson<T>(args: readonly string[], options: CtlOptions = {}): Promise<T> {
  const { code, stdout, stderr } = await ctl([...args, "--json"], options);
  if (code !== 0) throw new Error(`ursulactl ${args.join(" ")} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}
