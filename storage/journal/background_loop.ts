/**
 * Work that goes on in the background, one round at a time.
 *
 * @module
 */

/** Runs rounds of work as long as somebody asked for another since the last one began. */
export class BackgroundLoop {
  #wanted = false;
  #running: Promise<void> | undefined = undefined;
  #stopped = false;

  /** @param round one round; @param failed hears of the error that ended the loop for good */
  constructor(readonly round: () => Promise<void>, readonly failed: (error: unknown) => void) {}

  /** Asks for a round. */
  kick(): void {
    this.#wanted = true;
    if (this.#running === undefined && !this.#stopped) this.#running = this.#run();
  }

  /** Has somebody asked to stop? A round looks at this between its steps. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Begins no further round; resolves when the one under way is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#wanted && !this.#stopped) {
        this.#wanted = false;
        await this.round();
      }
    } catch (error) {
      this.#stopped = true;
      this.failed(error);
    }
    this.#running = undefined;
  }
}
