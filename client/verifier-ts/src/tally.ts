// The tally (spec 7): sums of commitments, contributions, their opening and the totals.

import { concat } from './bytes.js';
import { cellOfUnit, type Cell, type InUnit } from './cells.js';
import { committedOptions, hasComputedOption } from './contests.js';
import { allHold } from './equation.js';
import { require } from './fault.js';
import { B, B_BLINDING, decodeScalar, IDENTITY, invert, mod, multiply, type Point, type Scalar } from './group.js';
import { columns, type Manifest } from './manifest.js';
import { list, u32, u64, u8 } from './scale.js';

/** The running sums of the counted ballots, by unit, weight and column, so that weights are multiplied once. */
export class Sums {
  readonly #byUnit: Map<bigint, Point[]>[];
  readonly #columns: number;

  constructor(readonly manifest: Manifest) {
    this.#byUnit = manifest.units.map(() => new Map());
    this.#columns = columns(manifest);
  }

  add({ unit, weight }: InUnit, columns: readonly number[], commitments: readonly Point[]): void {
    // Where there is one cell for good, there is no need to keep units apart.
    const sums = this.#of(this.#byUnit[this.manifest.byUnit ? unit : 0]!, weight);
    columns.forEach((column, i) => (sums[column] = sums[column]!.add(commitments[i]!)));
  }

  /** Takes out a ballot that another replaces, or that is excluded. */
  remove(voter: InUnit, columns: readonly number[], commitments: readonly Point[]): void {
    this.add(voter, columns, commitments.map((point) => point.negate()));
  }

  #of(sums: Map<bigint, Point[]>, weight: bigint): Point[] {
    let own = sums.get(weight);
    if (own === undefined) sums.set(weight, (own = this.#zeros()));
    return own;
  }

  #zeros(): Point[] {
    return Array<Point>(this.#columns).fill(IDENTITY);
  }

  /** Σ w·C_j, cell by cell, within a cell column by column. */
  totals(cells: readonly Cell[]): Point[] {
    return cells.flatMap((cell) => this.#total(cell));
  }

  #total({ first, end }: Cell): Point[] {
    const byWeight = new Map<bigint, Point[]>();
    for (const unit of this.#byUnit.slice(first, end)) {
      for (const [weight, sums] of unit) addTo(this.#of(byWeight, weight), sums);
    }
    const total = this.#zeros();
    for (const [weight, sums] of byWeight) addTo(total, sums.map((sum) => multiply(sum, weight)));
    return total;
  }
}

const addTo = (total: Point[], sums: readonly Point[]): void =>
  sums.forEach((sum, column) => (total[column] = total[column]!.add(sum)));

/** The counted ballots of a contest, and the sum of their weights. */
export interface Turnout {
  readonly ballots: number;
  readonly weight: bigint;
}

/** The turnouts, cell by cell and contest by contest. */
export function turnouts(manifest: Manifest, cells: readonly Cell[], counted: Iterable<InUnit>): Turnout[] {
  const { contests, styles } = manifest;
  const all = cells.flatMap(() => contests.map(() => ({ ballots: 0, weight: 0n })));
  const cellOf = cellOfUnit(cells);
  for (const { unit, style, weight } of counted) {
    for (const contest of styles[style]!.contests) {
      const turnout = all[cellOf[unit]! * contests.length + contest]!;
      turnout.ballots++;
      turnout.weight += weight;
    }
  }
  return all;
}

/** A contribution: F and G of each column in each cell. */
export type Contribution = readonly (readonly [Scalar, Scalar])[];

/** Reads a contribution: one canonical pair for each of so many sums (spec 7.3). */
export function contribution(count: number, sums: readonly (readonly [Uint8Array, Uint8Array])[]): Contribution {
  require(sums.length === count, '7.3', 'not one pair for each cell and column');
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
  return of(contributors[0]!).map((_, place) => {
    let t = 0n;
    let r = 0n;
    contributors.forEach((trustee, i) => {
      const [f, g] = of(trustee)[place]!;
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
    return sums.some(([f, g], place) => f !== right[place]![0] || g !== right[place]![1]);
  });
  return contributions.size - off.length >= quorum - 1 ? off.map(([trustee]) => trustee).sort((a, b) => a - b) : [];
}

/** The openings must open the sums (7.5.4): equations T·B + R·B̃ − sum = 0, checked together. */
export const opens = (openings: Contribution, sums: readonly Point[]): boolean =>
  openings.length === sums.length &&
  allHold(openings.map(([t, r], place) => [[t, B], [r, B_BLINDING], [1n, sums[place]!.negate()]]));

/** The totals of all options of each contest, in each cell, if they fit its turnout (7.5.5). */
export function totals(manifest: Manifest, cells: number, openings: Contribution, turnout: readonly Turnout[]): bigint[][][] {
  const sums = columns(manifest);
  const contests = manifest.contests.length;
  require(
    openings.length === cells * sums && turnout.length === cells * contests,
    '7.5.1',
    'not a pair per cell and column and a turnout per cell and contest',
  );
  return Array.from({ length: cells }, (_, cell) =>
    totalsOfCell(manifest, ofCell(openings, cell, sums), ofCell(turnout, cell, contests)));
}

/** What a list that goes cell by cell has of one of them. */
export const ofCell = <T>(list: readonly T[], cell: number, perCell: number): T[] =>
  list.slice(cell * perCell, (cell + 1) * perCell);

function totalsOfCell(manifest: Manifest, openings: Contribution, turnout: readonly Turnout[]): bigint[][] {
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

