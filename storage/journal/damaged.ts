/** A journal that does not say what it once said: the node must not start on guesses. */
export class JournalDamaged extends Error {
  /** Says where. @param path the file; @param offset the byte in it where reading failed; @param detail one line */
  constructor(readonly path: string, readonly offset: number, detail: string) {
    super(`${path}: damaged at byte ${offset}: ${detail}`);
    this.name = "JournalDamaged";
  }
}
