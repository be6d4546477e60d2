import { readFile, rename, writeFile } from "node:fs/promises";

/** The cursor in a file; undefined where there is none. */
export async function readCursor(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}

/** Replaces the file as a whole, so that nobody reads half a cursor. */
export async function writeCursor(path: string, cursor: Uint8Array): Promise<void> {
  await writeFile(`${path}.new`, cursor);
  await rename(`${path}.new`, path);
}
