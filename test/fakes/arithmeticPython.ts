import type { PythonResult, PythonRunner } from '#environment/tools/python';

/** Answers `a op b` without an interpreter and keeps what it was asked. */
export function arithmeticPython(): PythonRunner & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    run: async (code): Promise<PythonResult> => {
      asked.push(code);
      const [left, operator, right] = code.split(' ');
      const [first, second] = [Number(left), Number(right)];
      const value = operator === '+' ? first + second : operator === '-' ? first - second : first * second;
      return { stdout: `${value}\n`, stderr: '', isError: false, isTimeout: false };
    },
  };
}
