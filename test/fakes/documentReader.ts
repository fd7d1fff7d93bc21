import type { DocumentReader } from '#environment/documentReader';

/** Files held in memory, by path. */
export function memoryReader(files: Readonly<Record<string, string>>): DocumentReader {
  const inFolder = (folder: string): string[] =>
    Object.keys(files).filter((path) => path.startsWith(`${folder}/`));
  return {
    kindOf: async (path) => (path in files ? 'file' : inFolder(path).length > 0 ? 'folder' : 'missing'),
    listFiles: async (folder) => inFolder(folder).map((path) => path.slice(folder.length + 1)),
    readText: async (path) => {
      if (!(path in files)) throw new Error(`no such file: ${path}`);
      return files[path];
    },
  };
}
