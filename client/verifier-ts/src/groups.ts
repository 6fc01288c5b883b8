// Groups: those of one weight, or, apart from that, of one style (spec 7.1).

import type { Manifest } from './manifest.js';

/** What puts a voter, or a counted ballot, into groups. */
export interface Member {
  readonly weight: bigint;
  readonly style: number;
}

export class Groups {
  readonly #weights = new Map<bigint, number>();
  /** By the styles' places: two styles may have one name. */
  readonly #styles = new Map<number, number>();

  constructor(readonly manifest: Manifest) {}

  static of(manifest: Manifest, members: Iterable<Member>): Groups {
    const groups = new Groups(manifest);
    for (const member of members) groups.add(member);
    return groups;
  }

  get areEmpty(): boolean {
    return this.#weights.size === 0;
  }

  add({ weight, style }: Member): void {
    grow(this.#weights, weight, 1);
    grow(this.#styles, style, 1);
  }

  /** Takes in other groups of the same election. */
  join(others: Groups): void {
    for (const [weight, size] of others.#weights) grow(this.#weights, weight, size);
    for (const [style, size] of others.#styles) grow(this.#styles, style, size);
  }

  /** A group of at least one but fewer than the privacy minimum, in words. */
  small(): string | undefined {
    const { smallGroupsPublic, privacyMinimum, styles } = this.manifest;
    if (smallGroupsPublic) return undefined;
    const words = (group: string, size: number): string => `${group} has ${size}, where ${privacyMinimum} are the least`;
    for (const [weight, size] of this.#weights) if (size < privacyMinimum) return words(`weight ${weight}`, size);
    for (const [style, size] of this.#styles) if (size < privacyMinimum) return words(`style “${styles[style]!.name}”`, size);
    return undefined;
  }
}

const grow = <T>(sizes: Map<T, number>, group: T, by: number): void => void sizes.set(group, (sizes.get(group) ?? 0) + by);
