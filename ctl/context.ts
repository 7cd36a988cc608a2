import { Cluster } from "./cluster.ts";
import { UsageError } from "./failure.ts";
import type { Machine } from "./machine.ts";
import { DEFAULT_URL, type Manifest, manifestOf, parseManifest } from "./manifest.ts";
import { Screen } from "./output.ts";
import { Streams } from "./streams.ts";

/** Options that every verb has. */
export interface CommonOptions {
  /** The manifest's file; `-` for standard input. */
  readonly config?: string;
  /** Client planes, in place of a manifest. */
  readonly url?: readonly string[];
  readonly token?: string;
  readonly json?: boolean;
}

/** What a verb works with. */
export class Context {
  readonly machine: Machine;
  readonly screen: Screen;
  readonly #options: CommonOptions;

  constructor(machine: Machine, options: CommonOptions) {
    this.machine = machine;
    this.screen = new Screen(machine, options.json === true);
    this.#options = options;
  }

  /** The nodes, through their admin planes. */
  async cluster(): Promise<Cluster> {
    return await Cluster.open(await this.#manifest(), this.#token);
  }

  /** The streams, through whichever node answers. */
  async streams(): Promise<Streams> {
    const { nodes } = await this.#manifest();
    return new Streams(nodes.map(({ httpUrl }) => httpUrl), this.#token);
  }

  /** For verbs that read something else from standard input. */
  refuseManifestFromStdin(): void {
    if (this.#options.config !== "-") return;
    throw new UsageError("what to append comes from standard input: give --config a file");
  }

  get #token(): string | undefined {
    const token = this.#options.token ?? this.machine.env("URSULA_TOKEN");
    return token === "" ? undefined : token;
  }

  async #manifest(): Promise<Manifest> {
    const { config, url } = this.#options;
    if (config !== undefined && url !== undefined) {
      throw new UsageError("--config and --url exclude each other");
    }
    if (config === undefined) return manifestOf(url ?? [DEFAULT_URL]);
    if (config === "-") {
      return parseManifest(await new Response(this.machine.stdin).text(), "standard input");
    }
    let text: string;
    try {
      text = await this.machine.readTextFile(config);
    } catch (error) {
      throw new UsageError(`--config: ${config} can't be read: ${(error as Error).message}`);
    }
    return parseManifest(text, config);
  }
}
