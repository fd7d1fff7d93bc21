import { readdir, readFile, stat } from 'node:fs/promises';
import type { DocumentReader } from '#environment/documentReader';

/** Reads the files that a person gives to an environment. */
export const nodeDocumentReader: DocumentReader = {
  async kindOf(path) {
    try {
      return (await stat(path)).isDirectory() ? 'folder' : 'file';
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'missing';
      throw error;
    }
  },
  async listFiles(folder) {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  },
  async readText(path) {
    return await readFile(path, 'utf8');
  },
};
