/** The `search` tool over the user's own documents, in place of the web search of ARPO. */
import MiniSearch from 'minisearch';
import type { SearchDocument } from '#environment/documentSource';
import type { Tool } from '#environment/tool';

export interface SearchToolOptions {
  /** Documents shown per query; released: 10. */
  readonly maxResults: number;
  /** Characters of each snippet; released: 1,000. */
  readonly maxSnippetCharacters: number;
}

export const releasedSearchOptions: SearchToolOptions = { maxResults: 10, maxSnippetCharacters: 1000 };

/** What the released tool answers when nothing matches. */
export const noResultsText = 'No search results found.';

/**
 * Ranks documents by BM25+ (MiniSearch's scoring, k = 1.2, b = 0.7, δ = 0.5: BM25 with a lower bound for
 * long documents) over title and text; a document matches when it has any word of the query. Words match
 * exactly, in any case. Each hit is shown as `Page i: ` and the stretch of the document that has most of
 * the query's words.
 */
export function createSearchTool(
  documents: readonly SearchDocument[],
  options: SearchToolOptions = releasedSearchOptions,
): Tool {
  const index = new MiniSearch<SearchDocument>({
    fields: ['title', 'text'],
    searchOptions: { combineWith: 'OR', prefix: false, fuzzy: false, bm25: { k: 1.2, b: 0.7, d: 0.5 } },
  });
  index.addAll(documents);
  const documentOfId = new Map(documents.map((document) => [document.id, document]));
  return {
    name: 'search',
    tag: 'search',
    async call(query) {
      // The released tool removes double quotes, too.
      const hits = index.search(query.replaceAll('"', ' '));
      const snippets = new Set<string>();
      for (const hit of hits) {
        if (snippets.size >= options.maxResults) break;
        const document = documentOfId.get(String(hit.id));
        if (document !== undefined)
          snippets.add(snippetOf(document, hit.terms, options.maxSnippetCharacters));
      }
      if (snippets.size === 0) return noResultsText;
      return [...snippets].map((snippet, place) => `Page ${place + 1}: ${snippet}`).join('\n');
    },
  };
}

/** The title, and the stretch of the text with most different terms; at most `length` characters in all. */
function snippetOf(document: SearchDocument, terms: readonly string[], length: number): string {
  const title = document.title === undefined ? '' : `${document.title}: `;
  const text = document.text.replace(/\s+/g, ' ').trim();
  const room = Math.max(0, length - title.length);
  return (title + bestWindow(text, terms, room)).slice(0, length);
}

function bestWindow(text: string, terms: readonly string[], length: number): string {
  if (text.length <= length) return text;
  const lower = text.toLowerCase();
  let best = { start: 0, count: countTerms(lower.slice(0, length), terms) };
  for (const term of terms) {
    for (let at = findWord(lower, term, 0); at >= 0; at = findWord(lower, term, at + length)) {
      // A little of what stands before the word, from the start of a word.
      const start = at < length / 4 ? 0 : lower.lastIndexOf(' ', at - Math.floor(length / 4)) + 1;
      const count = countTerms(lower.slice(start, start + length), terms);
      if (count > best.count) best = { start, count };
    }
  }
  return text.slice(best.start, best.start + length);
}

function countTerms(text: string, terms: readonly string[]): number {
  return terms.filter((term) => findWord(text, term, 0) >= 0).length;
}

/** Where `word` begins next, as a beginning of a word; −1 when it does not. */
function findWord(text: string, word: string, from: number): number {
  for (let at = text.indexOf(word, from); at >= 0; at = text.indexOf(word, at + 1)) {
    if (at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1])) return at;
  }
  return -1;
}
