import type { ShardIo } from "../open.ts";
import type { ColdSetup } from "../setup.ts";
import {
  type ColdObject,
  ColdReader,
  type ColdStore,
  MemoryColdStore,
  openColdStore,
} from "../../storage/cold/mod.ts";
import type { ObjectName } from "../../stream/mod.ts";
import { Holdings, NotedStore } from "./holdings.ts";

/** What a shard has of the cold tier: its store, and the one reader with its cache. */
export class ColdTier {
  readonly setup: ColdSetup;
  readonly store: ColdStore;
  readonly reader: ColdReader;
  /** What the store holds, where it is this node's own. */
  readonly holdings: Holdings | undefined;
  /** Bytes of objects that lie in this process's memory. */
  readonly memoryBytes: () => number;

  private constructor(setup: ColdSetup, store: ColdStore) {
    this.setup = setup;
    this.memoryBytes = store instanceof MemoryColdStore ? () => store.bytes : () => 0;
    this.holdings = store.isShared ? undefined : new Holdings(setup.formation);
    this.store = this.holdings === undefined ? store : new NotedStore(store, this.holdings);
    this.reader = new ColdReader({ store: this.store, cacheBytesMax: setup.cacheBytesMax });
  }

  /** Opens the store; asks nothing of it yet. @throws RangeError when the setup is not valid */
  static async open(setup: ColdSetup, io: ShardIo): Promise<ColdTier> {
    const open = io.openCold ?? openColdStore;
    return new ColdTier(setup, await open(setup.backend, io));
  }

  /** An object of a group's state, as the store knows it. */
  object(group: number, { number, term, length }: ObjectName): ColdObject {
    return { formation: this.setup.formation, group, number, term, bytes: length };
  }

  /** Ends what is under way. */
  close(): void {
    this.reader.close();
    this.store.close();
  }
}
