import { describe, expect, test } from 'vitest';
import { createProgressPrinter } from '#cli/progressPrinter';
import { formatAccuracy, formatProgress, formatSummary } from '#training/progressText';
import type { TrainingProgress, TrainingSummary } from '#training/trainingProgress';

const begun: TrainingProgress = {
  phase: 'evaluation',
  update: 0,
  updates: 24,
  reward: null,
  heldOut: null,
  toolCalls: { paid: 0, inherited: 0 },
  branches: 0,
  tokensPerSecond: null,
  secondsLeft: null,
};
const going: TrainingProgress = {
  phase: 'rollout',
  update: 4,
  updates: 24,
  reward: -0.125,
  heldOut: { sampled: 0.866, greedy: 0.9933 },
  toolCalls: { paid: 12345, inherited: 678 },
  branches: 1024,
  tokensPerSecond: 5432.1,
  secondsLeft: 61.4,
};

describe('the progress line', () => {
  test('shows what is known, in its order', () => {
    expect(formatProgress(begun)).toBe('update  0/24 · calls 0 paid / 0 inherited · branches 0 · evaluating');
    expect(formatProgress(going)).toBe(
      'update  4/24 · reward -0.13 · held-out sampled 86.6 % greedy 99.3 % · ' +
        'calls 12,345 paid / 678 inherited · branches 1,024 · 5,432 tok/s · 1 min 1 s left',
    );
  });

  test('has a sign for every reward, seconds below a minute, and a note while saving', () => {
    const text = formatProgress({ ...going, reward: 0.5, secondsLeft: 59.6, phase: 'checkpoint' });
    expect(text).toContain('reward +0.50');
    expect(text).toMatch(/1 min 0 s left · saving$/);
    expect(formatProgress({ ...going, secondsLeft: 9.4, phase: 'update' })).toMatch(/ · 9 s left$/);
  });

  test('leaves out accuracies that were not measured', () => {
    expect(formatAccuracy({ sampled: 0.5, greedy: null })).toBe('sampled 50.0 %');
    expect(formatAccuracy({ sampled: null, greedy: 1 })).toBe('greedy 100.0 %');
  });
});

describe('the summary', () => {
  const summary: TrainingSummary = {
    updates: 24,
    heldOut: { before: { sampled: 0.27, greedy: 0.25 }, after: { sampled: 0.9667, greedy: 1 } },
    toolCalls: { paid: 9000, inherited: 3000 },
    branches: 800,
    generatedTokens: 1234567,
    seconds: { rollout: 20.04, update: 30, evaluation: 9.96, total: 61.26 },
  };
  const run = { folder: 'runs/quick-1', engine: 'onnx' };

  test('says what it came to, line by line', () => {
    expect(formatSummary(summary, run)).toBe(
      [
        'Held-out accuracy   sampled 27.0 % -> 96.7 %, greedy 25.0 % -> 100.0 %',
        'Tool calls          9,000 paid; independent sampling of the same trajectories: 12,000 (ratio 0.75)',
        'Branches            800',
        'Tokens sampled      1,234,567',
        'Time                61.3 s: rollout 20.0, update 30.0, evaluation 10.0, other 1.3',
        'Engine              onnx',
        'Run                 runs/quick-1',
      ].join('\n'),
    );
  });

  test('says so where nothing was measured or called', () => {
    const none = { sampled: null, greedy: null };
    const text = formatSummary(
      { ...summary, heldOut: { before: none, after: none }, toolCalls: { paid: 0, inherited: 0 } },
      run,
    );
    expect(text).toContain('sampled not measured -> not measured, greedy not measured -> not measured');
    expect(text).toContain('0 paid; independent sampling of the same trajectories: 0 (ratio 1.00)');
  });
});

/** What a stream was given. */
function recording(
  isTTY: boolean,
  columns?: number,
): { text: string[]; write(text: string): void; isTTY: boolean } {
  const text: string[] = [];
  const stream = { text, isTTY, write: (part: string) => void text.push(part) };
  return columns === undefined ? stream : Object.assign(stream, { columns });
}

describe('a printer', () => {
  test('rewrites one line in a terminal, as wide as that is, and keeps notes above it', () => {
    const stream = recording(true, 41);
    const printer = createProgressPrinter(stream);
    const clear = '\r\u001B[2K';
    printer.show(going);
    expect(stream.text).toEqual([`${clear}update  4/24 · reward -0.13 · held-out s`]);
    printer.note('a word from a process');
    expect(stream.text[1]).toBe(`${clear}a word from a process\n${stream.text[0].slice(clear.length)}`);
    printer.end();
    printer.end();
    expect(stream.text.slice(2)).toEqual(['\n']);
  });

  test('writes a line per update and evaluation elsewhere, and none twice', () => {
    const stream = recording(false);
    const printer = createProgressPrinter(stream);
    printer.show(begun);
    printer.show({ ...begun, heldOut: { sampled: 0.5, greedy: null } });
    printer.show({ ...going, update: 1, phase: 'update' });
    printer.show({ ...going, update: 1 });
    printer.show({ ...going, update: 1 });
    printer.show({ ...going, update: 1, phase: 'evaluation', heldOut: { sampled: 0.75, greedy: null } });
    printer.note('a word from a process');
    const lines = stream.text.join('').split('\n');
    expect(lines.map((line) => /update +\d+/.exec(line)?.[0] ?? line)).toEqual([
      'update  0',
      'update  1',
      'update  1',
      'a word from a process',
      '',
    ]);
    expect(lines[0]).toContain('held-out sampled 50.0 %');
    expect(lines[2]).toContain('held-out sampled 75.0 %');
    expect(stream.text.join('')).not.toContain('evaluating');
  });
});
