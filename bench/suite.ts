/** What is measured, and what the numbers are put together to. */
import { openEngine } from '#engine/engines';
import { createPolicy } from '#engine/llamaPolicy';
import { parameterCount } from '#engine/model/llamaWeights';
import type { RolloutService } from '#training/rolloutService';
import type { BenchReport, Comparison, ModelReport, Phases, Speed, TaskReport } from './benchReport';
import { openBuiltinTask } from './builtinTask';
import type { BuiltinTask } from './builtinTask';
import {
  evaluationVariant,
  inlineRolloutVariant,
  loopVariant,
  poolRolloutVariant,
  sampleGroups,
  updateVariant,
} from './builtinVariants';
import { interleave } from './interleave';
import type { Measurements, Variant } from './interleave';
import { createBenchPolicy, tinyModel } from './models';
import type { BenchModel } from './models';
import { decodeVariant, peakVariant, trainingVariant } from './throughput';

/** Threads that are compared. */
const threadCounts = [1, 2] as const;

export interface BenchOptions {
  /** The folder of the bundled entry files. */
  readonly programFolder: string;
  /** Measured beside the policy of the built-in task. */
  readonly models: readonly BenchModel[];
  readonly repetitions: number;
  readonly onRepetition: (done: number) => void;
}

/** Measures everything in one interleaved run. */
export async function runBench(options: BenchOptions): Promise<Omit<BenchReport, 'machine' | 'memory'>> {
  const task = await openBuiltinTask(options.programFolder);
  const pools = [await task.startPool(1), await task.startPool(2)] as const;
  try {
    const builtin: BenchModel = { name: 'built-in', config: task.checkpoint.config, rows: 64 };
    const models = [builtin, ...options.models];
    const variants = [
      ...(await modelVariants(models, task)),
      ...(await taskVariants(task, pools)),
      ...(await engineVariants()),
    ];
    const measured = await interleave(variants, options);
    return {
      repetitions: options.repetitions,
      peakOperationsPerSecond: threadCounts.map((threads) => ({
        threads,
        value: peakOf(measured, threads),
      })),
      models: models.map((model) => modelReport(model, measured)),
      task: taskReport(task, measured),
      comparisons: compare(measured, models),
    };
  } finally {
    for (const pool of pools) await pool.dispose();
    await task.dispose();
  }
}

async function modelVariants(models: readonly BenchModel[], task: BuiltinTask): Promise<Variant[]> {
  const variants: Variant[] = [];
  for (const threads of threadCounts) {
    const executor = await openEngine('onnx', { threads });
    variants.push(await peakVariant(executor, `peak ${threads}`));
    for (const model of models) {
      const policy =
        model.config === task.checkpoint.config
          ? createPolicy({ ...task.checkpoint, executor })
          : createBenchPolicy(model, executor);
      variants.push(trainingVariant(model, policy, `${model.name} training ${threads}`));
      variants.push(decodeVariant(model, policy, `${model.name} decode ${threads}`));
    }
  }
  return variants;
}

async function taskVariants(
  task: BuiltinTask,
  [one, two]: readonly [RolloutService, RolloutService],
): Promise<Variant[]> {
  const forking = await task.openInline(true);
  const groups = await sampleGroups(task, forking);
  return [
    inlineRolloutVariant(task, 'forking', forking),
    inlineRolloutVariant(task, 'prefilling', await task.openInline(false)),
    poolRolloutVariant(task, 'one process', one),
    poolRolloutVariant(task, 'two processes', two),
    updateVariant(task, 'update 1', { timed: await task.openPolicy(1), groups }),
    updateVariant(task, 'update 2', { timed: await task.openPolicy(2), groups }),
    updateVariant(task, 'update 2 spinning', { timed: await task.openSpinningPolicy(2), groups }),
    loopVariant(task, 'loop', { timed: await task.openPolicy(2), pool: two }),
    evaluationVariant(task, 'evaluation', two),
  ];
}

async function engineVariants(): Promise<Variant[]> {
  const variants: Variant[] = [];
  for (const engine of ['onnx', 'reference'] as const) {
    const executor = await openEngine(engine, { threads: 1 });
    variants.push(trainingVariant(tinyModel, createBenchPolicy(tinyModel, executor), `tiny ${engine}`));
  }
  return variants;
}

function peakOf(measured: Measurements, threads: number): number {
  return measured.median(`peak ${threads}`, 'operationsPerSecond');
}

function modelReport(model: BenchModel, measured: Measurements): ModelReport {
  const speed = (work: string, threads: number): Speed => {
    const name = `${model.name} ${work} ${threads}`;
    return {
      threads,
      tokensPerSecond: measured.median(name, 'tokensPerSecond'),
      bestTokensPerSecond: Math.max(...measured.values(name, 'tokensPerSecond')),
      floorShare: measured.median(name, 'operationsPerSecond') / peakOf(measured, threads),
    };
  };
  return {
    name: model.name,
    parameters: parameterCount(model.config),
    rows: model.rows,
    context: model.config.max_position_embeddings,
    training: threadCounts.map((threads) => speed('training', threads)),
    decode: threadCounts.map((threads) => speed('decode', threads)),
  };
}

function taskReport(task: BuiltinTask, measured: Measurements): TaskReport {
  const phases = (variant: string, names: Readonly<Record<string, string>>): Phases =>
    Object.fromEntries(
      Object.entries(names).map(([label, measure]) => [label, measured.median(variant, measure)]),
    );
  const positions = measured.median('update 1', 'positions');
  const predicted = measured.median('update 1', 'predicted');
  return {
    update: {
      seconds: measured.median('loop', 'seconds'),
      fastest: measured.fastest('loop'),
      phases: phases('loop', {
        'rollouts, two processes': 'rollout',
        'forward and backward, two threads': 'loss',
        optimizer: 'optimizer',
        'our code in the update': 'updateScript',
        'weights to rollout processes': 'weights',
        'scoring, waiting for the record': 'rest',
      }),
      recording: measured.median('loop', 'recording'),
    },
    rollout: {
      seconds: measured.median('forking', 'seconds'),
      fastest: measured.fastest('forking'),
      phases: phases('forking', {
        'model, decode steps': 'decodeSeconds',
        'model, prefill': 'prefillSeconds',
        tools: 'toolSeconds',
        'our code': 'scriptSeconds',
      }),
      counts: phases('forking', {
        'sampled tokens': 'sampledTokens',
        'fed tokens': 'fedTokens',
        'decoded positions': 'decodedPositions',
        'prefilled positions': 'prefilledPositions',
        'runs of the model': 'modelRuns',
      }),
    },
    training: {
      seconds: measured.median('update 1', 'seconds'),
      fastest: measured.fastest('update 1'),
      phases: phases('update 1', {
        'forward and backward': 'lossSeconds',
        optimizer: 'optimizerSeconds',
        'our code': 'scriptSeconds',
      }),
      paddingShare: 1 - predicted / positions,
      sharing: predicted / measured.median('update 1', 'distinct'),
    },
    evaluationTasksPerSecond: task.config.evaluation.tasks / measured.median('evaluation', 'seconds'),
  };
}

function compare(measured: Measurements, models: readonly BenchModel[]): Comparison[] {
  const ratio = (name: string, [slow, fast]: readonly [string, string], measure = 'seconds'): Comparison => ({
    name,
    ratio: measured.ratio(measure, slow, fast),
  });
  return [
    ratio('update of the built-in task, 1 thread : 2 threads', ['update 1', 'update 2']),
    ratio('update, 2 spinning threads : 2 sleeping threads', ['update 2 spinning', 'update 2']),
    ...models.flatMap(({ name }) => [
      ratio(`training ${name}, 1 thread : 2 threads`, [`${name} training 1`, `${name} training 2`]),
      ratio(`decode ${name}, 1 thread : 2 threads`, [`${name} decode 1`, `${name} decode 2`]),
    ]),
    ratio('rollouts, 1 process : 2 processes', ['one process', 'two processes']),
    ratio('rollouts, prefixes fed again : cache forked', ['prefilling', 'forking']),
    ratio('tokens fed, prefixes fed again : cache forked', ['prefilling', 'forking'], 'fedTokens'),
    ratio('training step of a tiny model, reference : onnx', ['tiny reference', 'tiny onnx']),
  ];
}
