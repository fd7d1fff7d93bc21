/** The files of the user, read only. Paths use `/`. */
export interface DocumentReader {
  kindOf(path: string): Promise<'file' | 'folder' | 'missing'>;
  /** Names of the files directly in a folder, in any order. */
  listFiles(folder: string): Promise<readonly string[]>;
  readText(path: string): Promise<string>;
}
