/**
 * `docs/configuration.md`, made from the table of options.
 *
 * Run as a program (`deno task docs`) this writes the page.
 *
 * @module
 */

import { configurationPage } from "../../node/config/print.ts";

/** Where the page lies. */
export const PAGE = new URL("../../docs/configuration.md", import.meta.url);

/** The page as it must stand in the file: what the table says, as the formatter has it. */
export async function formattedPage(): Promise<string> {
  const formatter = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    cwd: new URL("../../", import.meta.url),
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = formatter.stdin.getWriter();
  await writer.write(new TextEncoder().encode(configurationPage()));
  await writer.close();
  const { success, stdout } = await formatter.output();
  if (!success) throw new Error("the formatter failed");
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) await Deno.writeTextFile(PAGE, await formattedPage());
