import { type Disk, DiskError } from "../io/mod.ts";

/**
 * Moves a data directory's files into a folder inside it, durably, the identity last: cut off at any
 * point, the next start finds the identity and begins again, or finds nothing at all.
 *
 * @param folders where files lie, relative to the directory; those that are missing are passed over
 * @param last the file that goes when all others are gone
 * @throws DiskError
 */
export async function setAside(
  disk: Disk,
  directory: string,
  folders: readonly string[],
  last: string,
  into: string,
): Promise<void> {
  const aside = `${directory}/${into}`;
  await disk.makeDirectory(aside);
  await disk.syncDirectory(directory);
  for (const folder of folders) {
    const [from, to] = [`${directory}/${folder}`, `${aside}/${folder}`];
    const names = await namesIn(disk, from);
    if (names.length === 0) continue;
    await disk.makeDirectory(to);
    await syncUpTo(disk, aside, to);
    for (const name of names) await disk.rename(`${from}/${name}`, `${to}/${name}`);
    await disk.syncDirectory(to);
    await disk.syncDirectory(from);
  }
  await disk.rename(`${directory}/${last}`, `${aside}/${last}`);
  await disk.syncDirectory(aside);
  await disk.syncDirectory(directory);
}

/** Makes the folders between two durable, the upper one's entry included. */
async function syncUpTo(disk: Disk, top: string, folder: string): Promise<void> {
  for (let at = folder; at !== top;) {
    at = at.slice(0, at.lastIndexOf("/"));
    await disk.syncDirectory(at);
  }
}

async function namesIn(disk: Disk, folder: string): Promise<string[]> {
  try {
    return await disk.list(folder);
  } catch (error) {
    if (error instanceof DiskError && error.code === "not_found") return [];
    throw error;
  }
}
