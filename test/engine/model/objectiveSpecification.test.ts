import { describe, expect, test } from 'vitest';
import { policyObjective, type ObjectiveOptions } from '#arpo/objective';
import type { HostTensor } from '#engine/executor';
import { buildLossGraph } from '#engine/model/lossGraph';
import { weightShapes } from '#engine/model/llamaWeights';
import { createOnnxExecutor } from '#engine/onnx/onnxExecutor';
import { createReferenceExecutor } from '#engine/reference/referenceExecutor';
import { largestError } from '../graph/finiteDifferences';
import { floats, policyInputs, randomWeights, scalar, tinyConfig, uniform, type Inputs } from './tinyModel';

const [BATCH, LENGTH] = [4, 6];
const COUNT = BATCH * LENGTH;
const shape = [BATCH, LENGTH];
const base: Inputs = {
  ...policyInputs(tinyConfig, [BATCH, LENGTH], 5),
  ...randomWeights(tinyConfig, 5, 0.4),
  weights: floats(
    shape,
    uniform(COUNT, 6, [-0.2, 1]).map((x) => Math.max(0, x)),
  ),
  // Log-ratios of about ±3 around the current log-probs, KL differences up to ±6: every bound binds.
  oldLogProbs: floats(shape, uniform(COUNT, 7, [-4, -0.5])),
  referenceLogProbs: floats(shape, uniform(COUNT, 8, [-8, 4])),
};

const cases: Readonly<Record<string, ObjectiveOptions>> = {
  released: { clipLow: 0.2, clipHigh: 0.2, dualClip: 3, klCoefficient: 0, gradientRule: 'ppo' },
  'clip-higher and KL': {
    clipLow: 0.1,
    clipHigh: 0.28,
    dualClip: 2,
    klCoefficient: 0.05,
    gradientRule: 'ppo',
  },
  'AEPO without dual clip': {
    clipLow: 0.2,
    clipHigh: 0.3,
    dualClip: null,
    klCoefficient: 0,
    gradientRule: 'aepo',
  },
  'AEPO with everything': {
    clipLow: 0.2,
    clipHigh: 0.3,
    dualClip: 3,
    klCoefficient: 0.2,
    gradientRule: 'aepo',
  },
};

function scalars(options: ObjectiveOptions): Inputs {
  return {
    clipLow: scalar(options.clipLow),
    clipHigh: scalar(options.clipHigh),
    dualClip: scalar(options.dualClip ?? 1e9),
    klCoefficient: scalar(options.klCoefficient),
    aepo: scalar(options.gradientRule === 'aepo' ? 1 : 0),
  };
}

/** The rows of the batch as `arpo/objective` takes them. */
function specify(logProbs: HostTensor, options: ObjectiveOptions) {
  const rowOf = ({ data }: HostTensor, row: number) => data.slice(row * LENGTH, (row + 1) * LENGTH);
  const sequences = Array.from({ length: BATCH }, (_, row) => ({
    logProbs: rowOf(logProbs, row),
    oldLogProbs: rowOf(base['oldLogProbs'], row),
    advantages: rowOf(base['advantages'], row),
    weights: rowOf(base['weights'], row),
    referenceLogProbs: rowOf(base['referenceLogProbs'], row),
  }));
  return policyObjective(sequences, options);
}

describe('the graph computes the objective that arpo/objective specifies', () => {
  for (const [name, options] of Object.entries(cases)) {
    test.each(['reference', 'onnx'])(`${name}: loss and gradients of %s`, async (engine) => {
      const executor =
        engine === 'onnx' ? await createOnnxExecutor({ intraOpThreads: 1 }) : createReferenceExecutor();
      const policy = await executor.compile(buildLossGraph(tinyConfig, 'policy'));
      const actual = await policy.run({ ...base, ...scalars(options) });
      const specified = specify(actual['logProbs'], options);
      expect(actual['loss'].data[0] / specified.loss).toBeCloseTo(1, 5);
      // The chain rule: d loss / d weights is the gradient of −Σ w · log-prob with w = −d loss / d log-prob.
      const slopes = Float32Array.from(
        specified.gradients.flatMap((gradient) => [...gradient]),
        (slope) => -slope,
      );
      expect(slopes.filter((slope) => slope !== 0).length).toBeGreaterThan(5);
      const likelihood = await executor.compile(buildLossGraph(tinyConfig, 'likelihood'));
      const expected = await likelihood.run({ ...base, weights: floats(shape, slopes) });
      for (const weight of weightShapes(tinyConfig).keys()) {
        const gradient = `gradient.${weight}`;
        expect(largestError(actual[gradient].data, expected[gradient].data), weight).toBeLessThan(1e-5);
      }
    });
  }
});
