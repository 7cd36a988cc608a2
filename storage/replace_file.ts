import type { Disk } from "../io/mod.ts";

/**
 * Puts a small file in place of the one of that name, durably; whoever looks, also after a power
 * cut, finds the old content or the new.
 * @throws DiskError
 */
export async function replaceFile(
  disk: Disk,
  directory: string,
  name: string,
  content: Uint8Array,
): Promise<void> {
  const temporary = `${directory}/${name}.new`;
  const file = await disk.open(temporary, { create: true });
  try {
    await file.truncate(0);
    await file.write(content, 0);
    await file.sync();
  } finally {
    file.close();
  }
  await disk.rename(temporary, `${directory}/${name}`);
  await disk.syncDirectory(directory);
}
