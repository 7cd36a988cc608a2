import { Patience } from "./patience.ts";
import { groupOfLostStore, obstacleOf, obstacleToLosing, unwellness } from "./safety.ts";
import {
  type ClusterView,
  figuresOf,
  groupIds,
  leaderless,
  leaderOf,
  leaderships,
  nodeOf,
  type NodeView,
} from "./view.ts";

/** How a {@linkcode RollingRestart} goes about it. */
export interface RollingOptions {
  /** Nodes to restart, in order. */
  readonly order: readonly number[];
  /** Entries that a voter may lack. */
  readonly lagMax: number;
  /** How long a node that was restarted may make no progress. */
  readonly backMs: number;
}

/** What is to be done next. */
export type Step =
  /** Look again after a while. */
  | { readonly act: "look"; readonly why: string }
  /** Ask the node to drain itself, or no longer to; then look again. */
  | { readonly act: "drain" | "undrain"; readonly node: number; readonly why: string }
  /** Run the command for the node, say {@linkcode RollingRestart.ran}, then look again. */
  | { readonly act: "run"; readonly node: number; readonly why: string }
  /** It is over; `aborted` says why not all was done. */
  | { readonly act: "end"; readonly aborted: string | undefined };

/** Another node may be unwell for so long before all is given up. */
export const UNWELL_MS_MAX = 5_000;
/** A drain, or lifting it, may make no progress for so long. */
export const DRAIN_MS_MAX = 15_000;
/** Leaderships have settled when they have stayed where they are for so long. */
export const SETTLED_MS = 1_000;
/** Clocks of two machines, and the rounding of an uptime. */
const UPTIME_ERROR_MS = 50;

type Phase = "begin" | "check" | "drain" | "back" | "settle" | "lift" | "over";

/**
 * The plan of a rolling restart: what to do next, given what was seen last. It touches nothing
 * itself and keeps no time of its own.
 *
 * One node after the other: once every group would go on without it, and all other voters are well,
 * it is drained; once it leads nothing the command is run; once it is back, ready and caught up, and
 * leaderships rest, it is the next one's turn. A node that is down comes first. Whatever is wrong
 * before the command ends it all, with every node undrained; what is wrong after it is waited for.
 */
export class RollingRestart {
  /** Nodes that were restarted and came back. */
  readonly done: number[] = [];
  readonly #options: RollingOptions;
  #left: number[];
  /** Nodes that were down from the beginning. */
  #down: readonly number[] = [];
  #phase: Phase = "begin";
  #patience: Patience;
  /** With others that are unwell while a node drains, and with groups between two leaders. */
  #unwell = new Patience(UNWELL_MS_MAX);
  /** Why it ends, once the node is undrained. */
  #reason: string | undefined;
  #ranMs = 0;
  #failedWith = 0;
  /** Who leads each group, and since when that stands. */
  #leaders = "";
  #leadersSinceMs = 0;

  constructor(options: RollingOptions) {
    this.#options = options;
    this.#left = [...options.order];
    this.#patience = new Patience(DRAIN_MS_MAX);
  }

  /** Nodes whose turn is yet to come, or to end. */
  get left(): readonly number[] {
    return this.#left;
  }

  /** What to do, now that the cluster looks so; `stop` ends it at the next safe point. */
  next(view: ClusterView, stop: boolean): Step {
    for (;;) {
      const step = this.#step(view, stop);
      if (step !== undefined) return step;
    }
  }

  /** The command was begun at that time, and has ended. */
  ran(startedMs: number, exitCode: number): void {
    this.#ranMs = startedMs;
    this.#failedWith = exitCode;
  }

  /** Undefined where another phase has begun, that has its say about the same view. */
  #step(view: ClusterView, stop: boolean): Step | undefined {
    switch (this.#phase) {
      case "begin":
        return this.#begin(view);
      case "check":
        return this.#check(view, stop);
      case "drain":
        return this.#drain(view, stop);
      case "back":
        return this.#back(view);
      case "settle":
        return this.#settle(view);
      case "lift":
        return this.#lift(view);
      case "over":
        return { act: "end", aborted: this.#reason };
    }
  }

  /** A run that was broken off may have left a node draining. */
  #begin(view: ClusterView): Step | undefined {
    const drained = view.nodes.find(isDraining);
    if (drained === undefined) {
      this.#down = this.#left.filter((id) => nodeOf(view, id)?.metrics === undefined);
      this.#left = [...this.#down, ...this.#left.filter((id) => !this.#down.includes(id))];
      return this.#enter("check");
    }
    if (this.#patience.isOver(view.atMs)) {
      return this.#end(`node ${drained.id} is draining still`);
    }
    return { act: "undrain", node: drained.id, why: `node ${drained.id} was left draining` };
  }

  #check(view: ClusterView, stop: boolean): Step | undefined {
    const id = this.#left[0];
    if (id === undefined) return this.#end(undefined);
    if (stop) return this.#end("interrupted");
    const lost = groupOfLostStore(view, id);
    if (lost !== undefined) {
      return this.#end(`node ${id} came back without its data: see ursulactl replace-node`);
    }
    const isDown = nodeOf(view, id)?.metrics === undefined;
    const obstacle = obstacleToLosing(view, id, this.#options.lagMax) ??
      // Who goes down half-way does so for a reason that may hold for the others too.
      (isDown && !this.#down.includes(id) ? unwellness(view, id) : undefined);
    if (obstacle === undefined) return isDown ? this.#run(id) : this.#enter("drain");
    const isOver = this.#patience.isOver(view.atMs, view.nodes.flatMap(lackOf));
    // A leadership that moves just now hides what stands in the way.
    const moves = this.#isMoving(view);
    if (isOver && !moves) return this.#end(obstacle);
    return { act: "look", why: `before node ${id}: ${obstacle}` };
  }

  #drain(view: ClusterView, stop: boolean): Step | undefined {
    const id = this.#left[0] as number; // of #check
    const node = nodeOf(view, id);
    if (stop) return this.#giveUp("interrupted");
    const obstacle = (node?.metrics === undefined ? unwellness(view, id) : undefined) ??
      obstacleToLosing(view, id, this.#options.lagMax);
    if (node === undefined || obstacle !== undefined) {
      // While leaderships move, there are groups that nobody leads at the moment.
      if (!this.#unwell.isOver(view.atMs)) return { act: "look", why: `${obstacle}` };
      return this.#giveUp(`${obstacle}`);
    }
    this.#unwell = new Patience(UNWELL_MS_MAX);
    const led = leaderships(node);
    if (isDraining(node) && led === 0 && isFollowed(view, id)) return this.#run(id);
    if (this.#patience.isOver(view.atMs, [-led])) {
      return this.#giveUp(`node ${id} still leads ${led} groups`);
    }
    return { act: "drain", node: id, why: `draining node ${id}: it leads ${led} groups` };
  }

  #run(id: number): Step {
    this.#enter("back");
    return { act: "run", node: id, why: `restarting node ${id}` };
  }

  #back(view: ClusterView): Step | undefined {
    const id = this.#left[0] as number; // of #check
    if (this.#failedWith !== 0) {
      return this.#giveUp(`the command for node ${id} ended with ${this.#failedWith}`);
    }
    const node = nodeOf(view, id);
    const uptimeMs = node?.metrics?.uptime_ms;
    const isOld = uptimeMs !== undefined && uptimeMs > view.atMs - this.#ranMs + UPTIME_ERROR_MS;
    const obstacle = isOld
      ? `node ${id} has not been restarted`
      : obstacleOf(view, id, this.#options.lagMax);
    if (obstacle === undefined) return this.#enter("settle");
    if (this.#patience.isOver(view.atMs, isOld ? [0] : figuresOf(node))) {
      return this.#giveUp(obstacle);
    }
    return { act: "look", why: `waiting for node ${id}: ${obstacle}` };
  }

  #settle(view: ClusterView): Step | undefined {
    const id = this.#left[0] as number; // of #check
    const node = nodeOf(view, id);
    if (node !== undefined && isDraining(node)) {
      return { act: "undrain", node: id, why: `undraining node ${id}` };
    }
    const leaders = groupIds(view).map((group) => leaderOf(view, group)?.node.id ?? "-").join(" ");
    if (leaders !== this.#leaders) {
      this.#leaders = leaders;
      this.#leadersSinceMs = view.atMs;
    }
    const rests = view.atMs - this.#leadersSinceMs >= SETTLED_MS && !leaders.includes("-");
    // Where they never come to rest, the next check has the last word.
    if (!rests && !this.#patience.isOver(view.atMs)) {
      return { act: "look", why: `node ${id} is back: waiting for leaderships to settle` };
    }
    this.done.push(id);
    this.#left.shift();
    return this.#enter("check");
  }

  /** Is some group between two leaders, and none of them for long? */
  #isMoving(view: ClusterView): boolean {
    if (leaderless(view).length > 0) return !this.#unwell.isOver(view.atMs);
    this.#unwell = new Patience(UNWELL_MS_MAX);
    return false;
  }

  /** Leaves the node undrained, and ends. */
  #giveUp(reason: string): undefined {
    this.#reason = reason;
    return this.#enter("lift");
  }

  #lift(view: ClusterView): Step | undefined {
    const id = this.#left[0] as number; // of #check
    const node = nodeOf(view, id);
    // A drain ends with its process.
    if (node === undefined || !isDraining(node)) return this.#enter("over");
    if (this.#patience.isOver(view.atMs)) {
      return this.#end(`${this.#reason}; and node ${id} can't be undrained`);
    }
    return { act: "undrain", node: id, why: `undraining node ${id}` };
  }

  #end(reason: string | undefined): undefined {
    this.#reason = reason;
    return this.#enter("over");
  }

  #enter(phase: Phase): undefined {
    this.#phase = phase;
    this.#unwell = new Patience(UNWELL_MS_MAX);
    this.#leaders = "";
    const ms = phase === "check"
      ? UNWELL_MS_MAX
      : phase === "back"
      ? this.#options.backMs
      : DRAIN_MS_MAX;
    this.#patience = new Patience(ms);
  }
}

function isDraining({ metrics }: NodeView): boolean {
  return metrics?.draining === true;
}

/** Does some other node lead every group of this one? */
function isFollowed(view: ClusterView, id: number): boolean {
  return groupIds(view).every((group) => {
    const led = leaderOf(view, group);
    return led !== undefined && led.node.id !== id;
  });
}

/** What a node lacks, as figures that grow while it catches up. */
function lackOf(node: NodeView): number[] {
  const [answers = 0, votes = 0, caughtUp = 0, _applied, lacking = 0] = figuresOf(node);
  return [answers, votes, caughtUp, lacking];
}
