/**
 * What went over connections so far, as the kernel counts it.
 *
 * @module
 */

/**
 * Bytes that went both ways over the connections that were accepted at these ports and are open
 * still, without the headers of TCP and IP.
 *
 * @throws {Error} when `ss` (package iproute2) is not there
 */
export async function linkBytes(ports: readonly number[]): Promise<number> {
  let sum = 0;
  for (const port of ports) {
    const { stdout } = await new Deno.Command("ss", {
      args: ["-tinH", "state", "established", `sport = :${port}`],
      stdout: "piped",
      stderr: "null",
    }).output();
    const text = new TextDecoder().decode(stdout);
    for (const [, bytes] of text.matchAll(/\bbytes_(?:acked|received):(\d+)/g)) {
      sum += Number(bytes);
    }
  }
  return sum;
}
