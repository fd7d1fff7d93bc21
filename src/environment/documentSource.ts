/** Reading the documents of a search tool from a folder of texts or a JSON-lines file. */
import { DataFileError, parseJsonLines, readText } from '#environment/dataFile';
import type { DataLine } from '#environment/dataFile';
import type { DocumentReader } from '#environment/documentReader';

/** One document of a search tool. */
export interface SearchDocument {
  readonly id: string;
  readonly title?: string;
  readonly text: string;
}

/**
 * The documents at a path: every `.txt` and `.md` file of a folder (id = file name), or one JSON object
 * `{id?, title?, text}` per line of a `.jsonl` file (id = line number unless given).
 *
 * @throws DataFileError that names the file, the line, what was expected and what came.
 */
export async function readDocuments(reader: DocumentReader, path: string): Promise<SearchDocument[]> {
  const kind = await reader.kindOf(path);
  if (kind === 'missing') {
    throw new DataFileError(
      path,
      null,
      'expected a folder of .txt or .md files or a .jsonl file, but nothing is there',
    );
  }
  const documents = kind === 'folder' ? await readFolder(reader, path) : await readLines(reader, path);
  if (documents.length === 0)
    throw new DataFileError(path, null, 'expected at least one document, but there is none');
  return documents;
}

async function readFolder(reader: DocumentReader, folder: string): Promise<SearchDocument[]> {
  const names = (await reader.listFiles(folder)).filter((name) => /\.(?:txt|md)$/i.test(name));
  return Promise.all(
    [...names].sort().map(async (name) => {
      const text = (await readText(reader, `${folder}/${name}`)).trim();
      if (text === '')
        throw new DataFileError(`${folder}/${name}`, null, 'expected a text, but the file is empty');
      return { id: name, title: name.replace(/\.[^.]*$/, ''), text };
    }),
  );
}

async function readLines(reader: DocumentReader, path: string): Promise<SearchDocument[]> {
  const lineOfId = new Map<string, number>();
  return parseJsonLines(path, await readText(reader, path)).map((line) => {
    const document = parseDocument(line);
    const earlier = lineOfId.get(document.id);
    if (earlier !== undefined)
      throw line.problem(`the id "${document.id}" is already taken by line ${earlier}`);
    lineOfId.set(document.id, line.number);
    return document;
  });
}

function parseDocument(line: DataLine): SearchDocument {
  const id = line.optionalText('id') ?? String(line.number);
  const title = line.optionalText('title');
  return { id, text: line.text('text'), ...(title === undefined ? {} : { title }) };
}
