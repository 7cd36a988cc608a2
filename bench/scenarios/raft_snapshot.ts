/** What taking a RaftSnapshot costs while bytes are hot, and once they lie in objects. @module */

import { type Command, GroupState, newSlab } from "../../stream/mod.ts";
import { type Figures, medians, type Sample } from "../samples.ts";
import type { Scenario, Settings } from "./scenario.ts";

const STREAMS = 100_000;
const MESSAGES = 8;
const MESSAGE_BYTES = 256;
const OBJECT_BYTES = 8 * 1024 * 1024;
const SLAB_BYTES = 1024 * 1024;
const MIB = 1024 * 1024;
const BUCKET = "bench";

/** A group's state, and the commands that brought it there. */
class Filling {
  readonly state = new GroupState({ group: 0, formation: "bench" });
  #index = 0;

  apply(command: Command): void {
    this.state.apply(command, ++this.#index, 1_000);
  }

  /** Streams with a few messages each. */
  fill(): void {
    this.apply({ type: "set_bucket", bucket: BUCKET, phase: "open", version: 1 });
    let slab = newSlab(SLAB_BYTES);
    let used = 0;
    for (let stream = 0; stream < STREAMS; stream++) {
      const key = `${BUCKET}/stream-${stream}`;
      this.apply({ type: "create", key, contentType: "text/plain", closed: false });
      for (let message = 0; message < MESSAGES; message++) {
        if (used + MESSAGE_BYTES > slab.bytes.length) {
          slab = newSlab(SLAB_BYTES);
          used = 0;
        }
        const data = { slab, start: used, end: used += MESSAGE_BYTES };
        this.apply({
          type: "append",
          key,
          contentType: "text/plain",
          closed: false,
          body: { data },
        });
      }
    }
  }

  /** Everything goes to objects. */
  flush(): void {
    const { cold } = this.state;
    for (;;) {
      const { ranges, length } = cold.planFlush({ maxBytes: OBJECT_BYTES });
      if (ranges.length === 0) return;
      const object = { number: cold.nextNumber, term: 1, length };
      this.apply({ type: "flush", object, ranges });
    }
  }

  /** Takes one, as the node does: piece by piece, here with nothing between. */
  measure(): Figures {
    const began = performance.now();
    let bytes = 0;
    for (const piece of this.state.export()) bytes += piece.length;
    const ms = performance.now() - began;
    return { "RaftSnapshot MiB": bytes / MIB, ms, "streams/ms": STREAMS / ms };
  }
}

function sample(subject: string, filling: Filling, { rounds, progress }: Settings): Sample {
  const measured = Array.from({ length: rounds + 1 }, () => filling.measure()).slice(1);
  progress(`${subject}: ${Math.round(medians(measured)["ms"] ?? 0)} ms`);
  return { subject, figures: medians(measured), rounds: measured, failures: [] };
}

/** No budget: the figures stand in the documentation. */
export const raftSnapshot: Scenario = {
  name: "raft-snapshot",
  about: "a RaftSnapshot of 100,000 streams of 2 KiB each, in memory and flushed to objects",
  run(settings) {
    const filling = new Filling();
    filling.fill();
    const hot = sample("bytes in memory", filling, settings);
    filling.flush();
    const cold = sample("bytes in objects", filling, settings);
    return Promise.resolve({ samples: [hot, cold], verdicts: [] });
  },
};
