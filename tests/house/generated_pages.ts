/**
 * The pages of `docs/` that are made from tables in the code.
 *
 * Run as a program (`deno task docs`) this writes them.
 *
 * @module
 */

import { metricsPage } from "../../http/metrics/page.ts";
import { configurationPage } from "../../node/config/print.ts";

/** Each page: its name in `docs/`, and what it says before formatting. */
export const PAGES: Readonly<Record<string, () => string>> = {
  "configuration.md": configurationPage,
  "metrics.md": metricsPage,
};

/** Where a page lies. */
export function pageUrl(name: string): URL {
  return new URL(`../../docs/${name}`, import.meta.url);
}

/** A page as it must stand in its file: what the tables say, as the formatter has it. */
export async function formatted(text: string): Promise<string> {
  const formatter = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    cwd: new URL("../../", import.meta.url),
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = formatter.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await formatter.output();
  if (!success) throw new Error("the formatter failed");
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  for (const [name, page] of Object.entries(PAGES)) {
    await Deno.writeTextFile(pageUrl(name), await formatted(page()));
  }
}
