/** Something that a verb can't do, in one line for a person: exit code 1. */
export class Failure extends Error {
  /** What the program ends with. */
  readonly exitCode: number = 1;
  /** How the line on standard error calls it. */
  readonly word: string = "failed";
}

/** A verb stopped half-way and left the cluster whole: exit code 2. The verb may be run again. */
export class Aborted extends Failure {
  override readonly exitCode = 2;
  override readonly word = "aborted";
}

/** The command line or the manifest can't be used. */
export class UsageError extends Failure {
  override readonly word = "usage";
}

/** Nobody reads what is written any more, as behind `| head`: no failure, there is no more to do. */
export class BrokenPipe extends Error {}

/** One line of whatever was thrown. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s*\n\s*/g, " ");
}
