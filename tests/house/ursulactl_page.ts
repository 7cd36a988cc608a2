/**
 * `docs/ursulactl.md`, whose synopses are made from the program's command line: a block
 * ```` ```text ursulactl restart ```` holds what `ursulactl restart --help` says of its own.
 *
 * Run as a program (`deno task docs`) this writes them.
 *
 * @module
 */

import { buildProgram } from "../../ctl/program.ts";

/** Where the page lies. */
export const PAGE = new URL("../../docs/ursulactl.md", import.meta.url);

const BLOCK = /^```text ursulactl ([a-z-]+)\n(?:(?!```)[^]*?\n)?```$/gm;

/** Verbs that the page tells of, in its order. */
export function verbsOf(page: string): string[] {
  return Array.from(page.matchAll(BLOCK), ([, verb = ""]) => verb);
}

/** Every verb → what it says of itself. */
export function synopses(): Map<string, string> {
  const program = buildProgram(() => {
    throw new Error("nothing is run here");
  });
  return new Map(program.commands.map((command) => {
    command.configureHelp({ helpWidth: 100, showGlobalOptions: false });
    const help = command.helpInformation().replace(/^ +-h, --help .*\n/m, "");
    return [command.name(), help.replace(/^Usage: /, "").replace(/Options:\s*$/, "").trimEnd()];
  }));
}

/** The page with synopses as they are now. */
export function withSynopses(page: string): string {
  const all = synopses();
  return page.replace(BLOCK, (block, verb: string) => {
    const synopsis = all.get(verb);
    return synopsis === undefined ? block : `\`\`\`text ursulactl ${verb}\n${synopsis}\n\`\`\``;
  });
}

if (import.meta.main) await Deno.writeTextFile(PAGE, withSynopses(await Deno.readTextFile(PAGE)));
