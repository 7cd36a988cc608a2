/** Something that no correct server does; the message says what, in words that stand alone. */
export class Violation extends Error {
  /** @param checker who noticed; @param detail what was seen and what could have been */
  constructor(readonly checker: string, detail: string) {
    super(`${checker}: ${detail}`);
    this.name = "Violation";
  }
}
