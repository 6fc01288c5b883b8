// Cells: runs of consecutive reporting units, for each of which totals are opened (spec 7.1).

import { Groups, type Member } from './groups.js';
import type { Manifest } from './manifest.js';

/** The units from `first` on, up to the one before `end`. */
export interface Cell {
  readonly first: number;
  readonly end: number;
}

/** What is counted in the cell of its voter's unit. */
export interface InUnit extends Member {
  readonly unit: number;
}

/** The cells of the counted ballots. */
export function cells(manifest: Manifest, counted: Iterable<InUnit>): Cell[] {
  const count = manifest.units.length;
  if (!manifest.byUnit) return [{ first: 0, end: count }];
  const units = manifest.units.map(() => new Groups(manifest));
  for (const ballot of counted) units[ballot.unit]!.add(ballot);
  const isComplete = ({ first, end }: Cell): boolean => {
    const groups = new Groups(manifest);
    for (const unit of units.slice(first, end)) groups.join(unit);
    return !groups.areEmpty && groups.small() === undefined;
  };

  const complete: Cell[] = [];
  let first = 0;
  for (let end = 1; end <= count; end++) {
    if (!isComplete({ first, end })) continue;
    complete.push({ first, end });
    first = end;
  }
  if (first === count) return complete;

  // Units are left over: runs before them join them, from the last one on.
  let last: Cell = { first, end: count };
  while (last.first > 0 && !isComplete(last)) last = { first: complete.pop()!.first, end: count };
  return [...complete, last];
}

/** The place of each unit's cell. */
export const cellOfUnit = (cells: readonly Cell[]): number[] =>
  cells.flatMap(({ first, end }, cell) => Array<number>(end - first).fill(cell));
