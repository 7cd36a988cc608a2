/** A RaftSnapshot that is not whole, though it was once durable. */
export class RaftSnapshotDamaged extends Error {
  /** Says where. @param path the file; @param offset the byte in it where reading failed; @param detail one line */
  constructor(readonly path: string, readonly offset: number, detail: string) {
    super(`${path}: damaged at byte ${offset}: ${detail}`);
    this.name = "RaftSnapshotDamaged";
  }
}
