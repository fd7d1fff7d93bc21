/** The two tools as one task of the directory hunt sees them. */
import type { Tool } from '#environment/tool';
import { ToolFailure } from '#environment/tool';
import { isNumberWord, wordsOf } from '#environment/tasks/directoryWords';
import type { VirtualDirectory } from '#environment/tasks/virtualDirectory';
import { huntError } from '#environment/tasks/virtualDirectory';

/** Searches the task's own directory. */
export function createHuntSearchTool(directory: VirtualDirectory): Tool {
  return {
    name: 'search',
    tag: 'search',
    call: async (query) => directory.search(query),
  };
}

/**
 * Python restricted to `NUM op NUM` by the task and executed by the given tool. Whatever goes wrong the
 * model sees `error`, the only word it has for it.
 */
export function createHuntPythonTool(python: Tool): Tool {
  return {
    name: 'python',
    tag: 'python',
    async call(query, signal) {
      const operation = parseOperation(query);
      if (operation === null) throw huntError(`Expected "NUM + - or * NUM", got "${query}".`);
      const result = await callOrError(python, operation.join(' '), signal);
      if (isNumberWord(result)) return result;
      throw huntError(`Expected a result in 0..59, got ${result}.`);
    },
  };
}

async function callOrError(python: Tool, code: string, signal: AbortSignal): Promise<string> {
  try {
    return await python.call(code, signal);
  } catch (error) {
    if (error instanceof ToolFailure) throw huntError(error.summary);
    throw error;
  }
}

type Operation = readonly [left: string, operator: string, right: string];

function parseOperation(query: string): Operation | null {
  const [left, operator, right, ...rest] = wordsOf(query);
  if (rest.length > 0 || left === undefined || operator === undefined || right === undefined) return null;
  const isKnown = operator === '+' || operator === '-' || operator === '*';
  return isKnown && isNumberWord(left) && isNumberWord(right) ? [left, operator, right] : null;
}

/**
 * What the python tool answers to a query, computed here: demonstrations are written without tools.
 *
 * @returns `null` where the tool answers `error`.
 */
export function computeInRange(query: string): string | null {
  const operation = parseOperation(query);
  if (operation === null) return null;
  const [left, operator, right] = operation;
  const [first, second] = [Number(left), Number(right)];
  const value = operator === '+' ? first + second : operator === '-' ? first - second : first * second;
  const word = String(value);
  return isNumberWord(word) ? word : null;
}
