import { BOUND_SERIES } from "./bounds.ts";
import { COLD_SERIES } from "./cold.ts";
import { CORE_SERIES } from "./cores.ts";
import { GROUP_SERIES } from "./groups.ts";
import { JOURNAL_SERIES } from "./journal.ts";
import { NODE_SERIES } from "./node.ts";
import { RESPONSE_SERIES } from "./responses.ts";
import type { Series } from "./series.ts";

/** Series that belong together. */
export interface Chapter {
  readonly title: string;
  readonly series: readonly Series[];
}

/** Every series there is, in the order of the text and of the documentation. */
export const CHAPTERS: readonly Chapter[] = [
  { title: "The node", series: NODE_SERIES },
  { title: "Requests", series: RESPONSE_SERIES },
  { title: "Cores", series: CORE_SERIES },
  { title: "Groups", series: GROUP_SERIES },
  { title: "Bounds", series: BOUND_SERIES },
  { title: "Journal", series: JOURNAL_SERIES },
  { title: "Cold storage", series: COLD_SERIES },
];
