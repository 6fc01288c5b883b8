// Contests and the statements that a ballot proves about its commitments (spec 3.3, 6.1).

import { MAX } from './bounds.js';
import { B, IDENTITY, multiply, type Point } from './group.js';

export interface Contest {
  readonly title: string;
  readonly options: readonly string[];
  readonly maxEach: number;
  readonly minSum: number;
  readonly maxSum: number;
}

/** Whether the rule can be kept. */
export function canBeKept({ options, maxEach, minSum, maxSum }: Contest): boolean {
  const k = options.length;
  return (
    maxEach > 0 && maxSum > 0 && minSum <= maxSum && maxSum <= k * maxEach && (minSum !== maxSum || k >= 2)
  );
}

/** Whether the last option follows from the others, and has no commitment of its own. */
export const hasComputedOption = ({ minSum, maxSum }: Contest): boolean => minSum === maxSum;

export const committedOptions = (contest: Contest): number =>
  contest.options.length - (hasComputedOption(contest) ? 1 : 0);

export const sumHasRange = ({ options, maxEach, minSum, maxSum }: Contest): boolean =>
  minSum !== maxSum && (minSum > 0 || maxSum < options.length * maxEach);

/** The largest value that a statement about the contest is of. */
export function largest(contest: Contest): number {
  const each = Math.min(contest.maxEach, contest.maxSum);
  return sumHasRange(contest) ? Math.max(each, contest.maxSum) : each;
}

/** The weights of the slack bits that a ballot commits to (spec 3.3.3). */
export function slackWeights(contest: Contest): number[] {
  if (!sumHasRange(contest)) return [];
  const range = contest.maxSum - contest.minSum;
  const m = Math.floor(Math.log2(range));
  if (m === 0) return [];
  const weights = [range - 2 ** m + 1];
  for (let exponent = m - 1; exponent >= 1; exponent--) weights.push(2 ** exponent);
  return weights;
}

/** A statement: constant·B + Σ factor · commitment, the commitments numbered as on the ballot, slack last. */
export interface Statement {
  readonly constant: bigint;
  readonly terms: readonly { readonly index: number; readonly factor: bigint }[];
  /** constant·B. */
  readonly base: Point;
}

function statement(constant: number, terms: readonly (readonly [index: number, factor: number])[]): Statement {
  return {
    constant: BigInt(constant),
    terms: terms.map(([index, factor]) => ({ index, factor: BigInt(factor) })),
    base: constant === 0 ? IDENTITY : multiply(B, BigInt(constant)),
  };
}

/** constant·B − a statement. */
function less(constant: number, { constant: subtracted, terms }: Statement): Statement {
  return statement(
    constant - Number(subtracted),
    terms.map(({ index, factor }) => [index, -Number(factor)]),
  );
}

export function evaluate({ base, terms }: Statement, commitments: readonly Point[]): Point {
  let sum = base;
  for (const { index, factor } of terms) {
    const point = commitments[index]!;
    if (factor === 1n) sum = sum.add(point);
    else if (factor === -1n) sum = sum.subtract(point);
    else if (factor > 0n) sum = sum.add(point.multiplyUnsafe(factor));
    else sum = sum.subtract(point.multiplyUnsafe(-factor));
  }
  return sum;
}

/** What a ballot of a style consists of (spec 6.1). */
export interface Shape {
  /** Commitments to options. */
  readonly options: number;
  /** Commitments to slack bits. */
  readonly slack: number;
  readonly width: number;
  /** Padded to a power of two. */
  readonly statements: readonly Statement[];
  readonly proofLength: number;
}

/** The shape of a ballot with these contests; nothing if it would have too many range bits. */
export function shape(contests: readonly Contest[]): Shape | undefined {
  const width = widthOf(contests);
  const options = contests.reduce((sum, contest) => sum + committedOptions(contest), 0);
  let firstOption = 0;
  let firstSlack = options;
  const statements: Statement[] = [];
  for (const contest of contests) {
    if (width === 1) {
      const weights = slackWeights(contest);
      statements.push(...oneBit(contest, firstOption, weights, firstSlack));
      firstSlack += weights.length;
    } else {
      statements.push(...wider(contest, firstOption, width));
    }
    firstOption += committedOptions(contest);
  }
  const last = statements.at(-1);
  if (last === undefined) return undefined;
  while (!Number.isInteger(Math.log2(statements.length))) statements.push(last);
  const bits = width * statements.length;
  if (bits > MAX.rangeBits) return undefined;
  return {
    options,
    slack: firstSlack - options,
    width,
    statements,
    proofLength: 32 * (9 + 2 * Math.log2(bits)),
  };
}

function widthOf(contests: readonly Contest[]): number {
  if (contests.every(({ maxEach }) => maxEach === 1)) return 1;
  const most = Math.max(...contests.map(largest));
  let width = 1;
  while (2 ** width - 1 < most) width *= 2;
  return width;
}

/** The options' values, the computed one's included. */
function values(contest: Contest, first: number): Statement[] {
  const all = Array.from({ length: committedOptions(contest) }, (_, i) => statement(0, [[first + i, 1]]));
  if (hasComputedOption(contest)) {
    all.push(statement(contest.minSum, all.map((_, i) => [first + i, -1])));
  }
  return all;
}

/** Σ C_j over all options of a contest without a computed one. */
const sumOf = (contest: Contest, first: number): Statement =>
  statement(0, contest.options.map((_, i) => [first + i, 1]));

/** Spec 3.3.1. */
function wider(contest: Contest, first: number, width: number): Statement[] {
  const { options, maxEach, minSum, maxSum } = contest;
  const reachable = options.length * maxEach;
  const all = values(contest, first);
  const implied = maxSum <= maxEach && (minSum === maxSum || maxSum < reachable);
  const upper = maxEach === 2 ** width - 1 || implied ? [] : all.map((value) => less(maxEach, value));
  const statements = [...all, ...upper];
  if (sumHasRange(contest)) {
    const sum = sumOf(contest, first);
    if (maxSum < reachable) statements.push(less(maxSum, sum));
    if (minSum > 0) statements.push({ ...statement(-minSum, []), terms: sum.terms });
  }
  return statements;
}

/** Spec 3.3.2. */
function oneBit(contest: Contest, first: number, weights: readonly number[], firstSlack: number): Statement[] {
  const statements = values(contest, first);
  if (!sumHasRange(contest)) return statements;
  const slack = weights.map((_, i) => statement(0, [[firstSlack + i, 1]]));
  const rest = statement(contest.maxSum, [
    ...contest.options.map((_, i) => [first + i, -1] as const),
    ...weights.map((weight, i) => [firstSlack + i, -weight] as const),
  ]);
  return [...statements, ...slack, rest];
}
