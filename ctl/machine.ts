/** Standard output or standard error. */
export interface Output {
  /** A person looks at it. */
  readonly isTerminal: boolean;
  /** Characters in a line, where it is a terminal. */
  readonly columns: number;
  /** Writes all of it. @throws {BrokenPipe} when nobody reads it any more */
  write(bytes: Uint8Array): Promise<void>;
}

/** What ursulactl needs of the machine that it runs on. */
export interface Machine {
  readonly stdin: ReadableStream<Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** A variable of the environment. */
  env(name: string): string | undefined;
  readTextFile(path: string): Promise<string>;
  /**
   * Runs a command by `sh -c`, its output to standard error, and answers its exit code once it has
   * ended, even if something that it started goes on and holds the output.
   */
  shell(command: string): Promise<number>;
  /** Calls `listener` at each SIGINT and SIGTERM, which end nothing by themselves any more. */
  onInterrupt(listener: () => void): () => void;
  /** Ends the program at once. */
  exit(code: number): void;
}

/** Resolves after so long, or at once when `signal` is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
}
