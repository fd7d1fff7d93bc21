/** The reward of one trajectory and how it came about. */
export interface Reward {
  readonly total: number;
  /** The summands by name, for example `{ answer: 1, bothTools: 0.1 }`; they add up to `total`. */
  readonly parts: Readonly<Record<string, number>>;
  /** One sentence: why this reward. */
  readonly reason: string;
  /** Whether the answer counts as right (accuracy, not reward). */
  readonly isCorrect: boolean;
  /** The extracted answer, or `null` when there is none. */
  readonly answer: string | null;
}
