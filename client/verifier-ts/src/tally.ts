// The tally (spec 7): sums of commitments, contributions, their opening and the totals.

import { committedOptions, hasComputedOption } from './contests.js';
import { concat } from './bytes.js';
import { require } from './fault.js';
import { B, B_BLINDING, decodeScalar, IDENTITY, invert, mod, multiply, type Point, type Scalar } from './group.js';
import { columns, type Manifest } from './manifest.js';
import { list, u32, u64, u8 } from './scale.js';

/** The running sums of the counted ballots, by weight and column, so that weights are multiplied once. */
export class Sums {
  readonly #sums = new Map<bigint, Point[]>();

  constructor(readonly columns: number) {}

  #of(weight: bigint): Point[] {
    let sums = this.#sums.get(weight);
    if (sums === undefined) this.#sums.set(weight, (sums = Array<Point>(this.columns).fill(IDENTITY)));
    return sums;
  }

  add(weight: bigint, columns: readonly number[], commitments: readonly Point[]): void {
    const sums = this.#of(weight);
    columns.forEach((column, i) => (sums[column] = sums[column]!.add(commitments[i]!)));
  }

  /** Takes out a ballot that another replaces. */
  remove(weight: bigint, columns: readonly number[], commitments: readonly Point[]): void {
    this.add(weight, columns, commitments.map((point) => point.negate()));
  }

  /** Σ w·C_j of every column. */
  total(): Point[] {
    const total = Array<Point>(this.columns).fill(IDENTITY);
    for (const [weight, sums] of this.#sums) {
      sums.forEach((sum, column) => (total[column] = total[column]!.add(multiply(sum, weight))));
    }
    return total;
  }
}

/** The counted ballots of a contest, and the sum of their weights. */
export interface Turnout {
  readonly ballots: number;
  readonly weight: bigint;
}

export function turnouts(
  manifest: Manifest,
  counted: Iterable<{ readonly style: number; readonly weight: bigint }>,
): Turnout[] {
  const all = manifest.contests.map(() => ({ ballots: 0, weight: 0n }));
  for (const { style, weight } of counted) {
    for (const contest of manifest.styles[style]!.contests) {
      all[contest]!.ballots++;
      all[contest]!.weight += weight;
    }
  }
  return all;
}

/** A contribution: F and G of each column. */
export type Contribution = readonly (readonly [Scalar, Scalar])[];

/** Reads a contribution: one canonical pair for each column (spec 7.3). */
export function contribution(count: number, sums: readonly (readonly [Uint8Array, Uint8Array])[]): Contribution {
  require(sums.length === count, '7.3', 'not one pair for each column');
  return sums.map((pair) => {
    const [f, g] = pair.map(decodeScalar);
    require(f !== undefined && g !== undefined, '7.3', 'a scalar is not canonical');
    return [f, g];
  });
}

/** The coefficients that give the value at `x` of a polynomial known at `points`. */
export function lagrange(points: readonly number[], x: number): Scalar[] {
  return points.map((i) => {
    let numerator = 1n;
    let denominator = 1n;
    for (const j of points) {
      if (j === i) continue;
      numerator = mod(numerator * BigInt(x - j));
      denominator = mod(denominator * BigInt(i - j));
    }
    return mod(numerator * invert(denominator));
  });
}

/** The values at `x` of the polynomials through the contributions: at 0 the openings T and R. */
export function interpolate(
  contributions: ReadonlyMap<number, Contribution>,
  contributors: readonly number[],
  x: number,
): Contribution {
  const coefficients = lagrange(contributors, x);
  const of = (trustee: number): Contribution => contributions.get(trustee)!;
  return of(contributors[0]!).map((_, column) => {
    let t = 0n;
    let r = 0n;
    contributors.forEach((trustee, i) => {
      const [f, g] = of(trustee)[column]!;
      t += coefficients[i]! * f;
      r += coefficients[i]! * g;
    });
    return [mod(t), mod(r)];
  });
}

/** Contributions that are certainly wrong: q − 1 others are on the polynomials of the right openings (spec 7.4). */
export function wrongContributions(
  contributions: ReadonlyMap<number, Contribution>,
  contributors: readonly number[],
  quorum: number,
): number[] {
  const off = [...contributions].filter(([trustee, sums]) => {
    const right = interpolate(contributions, contributors, trustee);
    return sums.some(([f, g], column) => f !== right[column]![0] || g !== right[column]![1]);
  });
  return contributions.size - off.length >= quorum - 1 ? off.map(([trustee]) => trustee).sort((a, b) => a - b) : [];
}

/** The openings must open the sums (7.5.4). */
export function opens(openings: Contribution, sums: readonly Point[]): boolean {
  return (
    openings.length === sums.length &&
    openings.every(([t, r], column) => multiply(B, t).add(multiply(B_BLINDING, r)).equals(sums[column]!))
  );
}

/** The totals of all options of each contest, if they fit the turnout (7.5.5). */
export function totals(manifest: Manifest, openings: Contribution, turnout: readonly Turnout[]): bigint[][] {
  require(openings.length === columns(manifest) && turnout.length === manifest.contests.length, '7.5.1', 'not a pair per column and a turnout per contest');
  let first = 0;
  return manifest.contests.map((contest, index) => {
    const { weight } = turnout[index]!;
    const count = committedOptions(contest);
    const values = openings.slice(first, (first += count)).map(([t]) => t);
    require(values.every((t) => t < 2n ** 64n), '7.5.5', `a total of contest “${contest.title}” passes 64 bits`);
    const sum = values.reduce((sum, t) => sum + t, 0n);
    if (hasComputedOption(contest)) values.push(BigInt(contest.minSum) * weight - sum);
    const all = values.reduce((sum, t) => sum + t, 0n);
    const fits =
      values.every((t) => 0n <= t && t <= BigInt(contest.maxEach) * weight) &&
      BigInt(contest.minSum) * weight <= all &&
      all <= BigInt(contest.maxSum) * weight;
    require(fits, '7.5.5', `the totals of contest “${contest.title}” do not fit its turnout`);
    return values;
  });
}

function scalarBytes(scalar: Scalar): Uint8Array {
  const bytes = new Uint8Array(32);
  for (let i = 0, rest = scalar; i < 32; i++, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

/** The encoding of the result, of which the certified digest is (spec 7.5, 7.6). */
export const encodeResult = (
  openings: Contribution,
  turnout: readonly Turnout[],
  contributors: readonly number[],
): Uint8Array =>
  concat(
    list(openings.map(([t, r]) => concat(scalarBytes(t), scalarBytes(r)))),
    list(turnout.map(({ ballots, weight }) => concat(u32(ballots), u64(weight)))),
    list(contributors.map(u8)),
  );

/** Whether contributors are exactly t trustees in ascending order (7.5.2). */
export const areContributors = ({ threshold, trustees }: Manifest, contributors: readonly number[]): boolean =>
  contributors.length === threshold &&
  contributors.every((trustee, i) => trustee > (contributors[i - 1] ?? 0) && trustee <= trustees.length);

