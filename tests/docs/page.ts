/**
 * The commands of a page, and what it says that they print.
 *
 * A block is a fence with `sh` and, behind it, where it is run: numbers of machines, or `any`; with
 * `again` it is tried until it prints what it should. A fence with `text` right after it says what.
 *
 * @module
 */

/** Commands of a page that are run together. */
export interface Block {
  /** Line of the page that it begins in, from 1. */
  readonly line: number;
  readonly commands: string;
  /** Numbers of the machines, one after the other. */
  readonly machines: readonly number[];
  /** Whether what it prints comes true only after a while. */
  readonly again: boolean;
  /** What each machine prints; `…` stands for anything within a line. */
  readonly prints: string | undefined;
}

const FENCE = /^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm;
/** Where a block runs that may run anywhere. */
const ANY = 1;

/** The blocks of a page in Markdown, in order. Fences without a machine are for reading. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let end = 0;
  for (
    const { 0: whole, 1: language, 2: rest = "", 3: text = "", index } of markdown.matchAll(FENCE)
  ) {
    const last = blocks.at(-1);
    const between = markdown.slice(end, index).trim();
    end = index + whole.length;
    if (language === "text" && last !== undefined && between === "") {
      blocks[blocks.length - 1] = { ...last, prints: text };
      continue;
    }
    const words = rest.split(" ").filter((word) => word !== "");
    if (language !== "sh" || words.length === 0) continue;
    blocks.push({
      line: markdown.slice(0, index).split("\n").length,
      commands: text,
      machines: words.filter((word) => word !== "again")
        .map((word) => word === "any" ? ANY : Number(word)),
      again: words.includes("again"),
      prints: undefined,
    });
  }
  return blocks;
}

/** Is this what the page says? White space around lines does not count. */
export function isAsSaid(printed: string, said: string): boolean {
  const pattern = trimLines(said).split("…").map(literal).join("[^\\n]*");
  return new RegExp(`^${pattern}$`).test(trimLines(printed));
}

function trimLines(text: string): string {
  return text.trim().split("\n").map((line) => line.trim()).join("\n");
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
