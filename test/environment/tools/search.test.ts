import { describe, expect, test } from 'vitest';
import { createSearchTool, noResultsText } from '#environment/tools/search';

const signal = new AbortController().signal;

const documents = [
  { id: '1', title: 'Paris', text: 'Paris is the capital of France.' },
  { id: '2', title: 'Lyon', text: 'Lyon is a city in France; it is not the capital.' },
  { id: '3', text: 'The whale is a mammal.' },
];

function searchFor(query: string, options = { maxResults: 10, maxSnippetCharacters: 1000 }): Promise<string> {
  return createSearchTool(documents, options).call(query, signal);
}

describe('results', () => {
  test('come as numbered pages, best first', async () => {
    expect(await searchFor('capital Paris')).toBe(
      'Page 1: Paris: Paris is the capital of France.\nPage 2: Lyon: Lyon is a city in France; it is not the capital.',
    );
  });

  test('a document without title is its text', async () => {
    expect(await searchFor('WHALE')).toBe('Page 1: The whale is a mammal.');
  });

  test('a rarer word weighs more', async () => {
    expect(await searchFor('mammal capital')).toMatch(/^Page 1: The whale/);
  });

  test('are limited in number', async () => {
    expect((await searchFor('is', { maxResults: 2, maxSnippetCharacters: 1000 })).split('\n')).toHaveLength(
      2,
    );
  });

  test('equal snippets are shown once', async () => {
    const twins = [
      { id: '1', text: 'same text' },
      { id: '2', text: 'same text' },
    ];
    expect(await createSearchTool(twins).call('same', signal)).toBe('Page 1: same text');
  });

  test('double quotes are no part of a query', async () => {
    expect(await searchFor('"whale"')).toBe('Page 1: The whale is a mammal.');
  });

  test.each(['zebra', '!!!', 'capita'])('%j finds nothing: words match exactly', async (query) => {
    expect(await searchFor(query)).toBe(noResultsText);
  });
});

describe('snippets', () => {
  const filler = 'word '.repeat(400);
  const long = [{ id: '1', title: 'Zoo', text: `${filler}the needle lies in the haystack ${filler}` }];

  test('show the stretch with most words of the query and keep the limit', async () => {
    const options = { maxResults: 1, maxSnippetCharacters: 100 };
    const answer = await createSearchTool(long, options).call('needle haystack', signal);
    expect(answer).toContain('needle lies in the haystack');
    expect(answer.length).toBe('Page 1: '.length + 100);
  });

  test('start at the beginning when nothing is better', async () => {
    const answer = await createSearchTool(long, { maxResults: 1, maxSnippetCharacters: 20 }).call(
      'zoo',
      signal,
    );
    expect(answer).toBe('Page 1: Zoo: word word word ');
  });
});
