/** The rewards of a group in numbers and in one line. Pure. */
import { unpackNumber } from '#protocol/treeViewProtocol';
import { text } from '../shared/strings';
import { number } from './decisionText';
import type { GroupModel } from './treeState';

export interface RewardSummary {
  /** In order of slots. */
  readonly rewards: readonly number[];
  readonly mean: number;
  /** Of the population: divisor n. */
  readonly deviation: number;
  readonly correct: number;
  readonly text: string;
}

/** `null` until the group is scored. */
export function rewardSummary({ scores }: GroupModel): RewardSummary | null {
  if (scores === null) return null;
  const rewards = [...scores.rewards.keys()]
    .map((slot) => unpackNumber(scores.rewards, slot))
    .filter((reward) => reward !== null);
  if (rewards.length === 0) return null;
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  const variance = rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / rewards.length;
  const deviation = Math.sqrt(variance);
  const correct = scores.isCorrect.reduce((sum, value) => sum + (value === 1 ? 1 : 0), 0);
  const line = text('rewardsSummary', number(mean, 2), number(deviation, 2), correct, rewards.length);
  return { rewards, mean, deviation, correct, text: line };
}
