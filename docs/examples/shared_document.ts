/**
 * A document that many people edit: its edits are a stream, and every so many of them a snapshot is
 * published, so that whoever opens it need not read all of them. Explained in `../snapshots.md`.
 *
 * @module
 */

/** Sets a field of the document. */
export interface Edit {
  readonly field: string;
  readonly value: string;
}

/** Edits after which a snapshot is published. */
const EDITS_PER_SNAPSHOT = 1_000;

/** One person's view of the document at `url`, `http://host/{bucket}/{stream}`. */
export class SharedDocument {
  #fields = new Map<string, string>();
  /** Where reading goes on: all edits before are in `#fields`. */
  #offset = "-1";
  #editsSinceSnapshot = 0;
  /** Bytes of messages and snapshots that were read. */
  bytesRead = 0;

  constructor(readonly url: string) {}

  /** Opens the document as it is now. */
  static async open(url: string): Promise<SharedDocument> {
    const document = new SharedDocument(url);
    await document.#readSnapshot();
    await document.catchUp();
    return document;
  }

  /** The fields, as far as edits were read. */
  get fields(): ReadonlyMap<string, string> {
    return this.#fields;
  }

  /** Adds an edit; `catchUp` brings it, in its place among everybody's. */
  async edit(...edits: Edit[]): Promise<void> {
    const response = await fetch(this.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(edits),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`the edit was answered ${response.status}`);
  }

  /** Reads what was added since, and publishes a snapshot when it is time for one. */
  async catchUp(): Promise<void> {
    for (;;) {
      const response = await fetch(`${this.url}?offset=${this.#offset}`);
      if (response.status === 410) {
        // So far behind that a snapshot stands for what was to be read.
        await response.body?.cancel();
        await this.#readSnapshot();
        continue;
      }
      const edits = await this.#json(response) as Edit[];
      for (const { field, value } of edits) this.#fields.set(field, value);
      this.#offset = response.headers.get("stream-next-offset") ?? this.#offset;
      this.#editsSinceSnapshot += edits.length;
      if (this.#editsSinceSnapshot >= EDITS_PER_SNAPSHOT) await this.#publish();
      if (response.headers.get("stream-up-to-date") === "true") return;
    }
  }

  /** Begins with the snapshot, or with nothing where there is none. */
  async #readSnapshot(): Promise<void> {
    const response = await fetch(`${this.url}/snapshot`); // follows the redirect to its offset
    if (response.status === 404) return void await response.body?.cancel();
    this.#fields = new Map(await this.#json(response) as [string, string][]);
    this.#offset = response.headers.get("stream-next-offset") ?? "-1";
    this.#editsSinceSnapshot = 0;
  }

  /** Publishes all that was folded so far. */
  async #publish(): Promise<void> {
    const response = await fetch(`${this.url}/snapshot/${this.#offset}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([...this.#fields]),
    });
    await response.body?.cancel();
    // 409: somebody else published at this very offset. 410: somebody published further on.
    if (response.ok || response.status === 409 || response.status === 410) {
      this.#editsSinceSnapshot = 0;
    }
  }

  async #json(response: Response): Promise<unknown> {
    const text = await response.text();
    if (!response.ok) throw new Error(`the document was answered ${response.status}`);
    this.bytesRead += text.length;
    return JSON.parse(text);
  }
}
