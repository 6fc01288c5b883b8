// Equations in the group, one by one or many at once (spec 6.4.10).
//
// An equation is a sum of products that must be the identity. Many are added under weights of 128 bits that
// are fresh from the operating system, so that no author of a ballot can know them; if the sum is the identity,
// every one of them holds, up to 2^-128. Otherwise the first that does not is found by halving.

import { Fault, type Place, type Refused } from './fault.js';
import { isIdentity, mod, sumOfProducts, type Point, type Scalar } from './group.js';
import { littleEndian } from './bytes.js';

export type Term = readonly [Scalar, Point];

/** An equation, and the rule that is broken if it does not hold. */
export interface Equation {
  readonly terms: readonly Term[];
  readonly refused: Refused;
}

/** Checks one equation by itself. */
export const holds = (terms: readonly Term[]): boolean => allHold([terms], () => 1n);

/** Checks equations together. */
export function allHold(equations: readonly (readonly Term[])[], weight: () => Scalar = freshWeight): boolean {
  const scalars = new Map<Point, Scalar>();
  for (const terms of equations) {
    const w = weight();
    for (const [scalar, point] of terms) {
      scalars.set(point, (scalars.get(point) ?? 0n) + w * scalar);
    }
  }
  return isIdentity(sumOfProducts([...scalars.keys()], [...scalars.values()].map(mod)));
}

function freshWeight(): Scalar {
  return littleEndian(crypto.getRandomValues(new Uint8Array(16)));
}

/** How many terms are gathered before they are checked: more would be faster, and take more memory. */
const TERMS = 40_000;

/** Equations that wait to be checked, in the order of the record. */
export class Waiting {
  #equations: { equation: Equation; place: Place }[] = [];
  #terms = 0;

  add(place: Place, equations: readonly Equation[]): void {
    for (const equation of equations) {
      this.#equations.push({ equation, place });
      this.#terms += equation.terms.length;
    }
    if (this.#terms >= TERMS) this.check();
  }

  /** Checks all that waits; the first that does not hold is the fault. */
  check(): void {
    const equations = this.#equations;
    this.#equations = [];
    this.#terms = 0;
    const hold = (from: number, to: number): boolean =>
      allHold(equations.slice(from, to).map(({ equation }) => equation.terms));
    if (hold(0, equations.length)) return;
    let from = 0;
    let to = equations.length;
    while (to - from > 1) {
      const middle = (from + to) >> 1;
      if (hold(from, middle)) from = middle;
      else to = middle;
    }
    const first = equations[from]!;
    throw Fault.at(first.place, first.equation.refused);
  }
}
