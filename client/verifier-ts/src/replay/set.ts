// The counted set: what is in it, what trustees lack, and their agreement on it (spec 7.1, 7.2).

import { counted, rootOf } from '../agreement.js';
import type { Anchor } from '../ballot.js';
import { concat, equal } from '../bytes.js';
import { cells, type Cell } from '../cells.js';
import type { Linked } from '../chain.js';
import { at, require, type Place } from '../fault.js';
import { decodedPoints, type Point } from '../group.js';
import { Groups } from '../groups.js';
import type * as Messages from '../messages.js';
import type { Voter } from '../roll.js';
import { u32 } from '../scale.js';
import * as tally from '../tally.js';
import { ROLE } from '../transcript.js';
import { CHECK_OF_MESSAGE } from './checks.js';
import type { CountedSet, State } from './state.js';

/** Voting is over, and this was its last block: the counted set is fixed. */
export function close(state: State, closing: Linked): void {
  state.settle();
  for (const check of [7, 8]) state.passed.add(check);
  count(state, closing, new Map());
  at({ check: 9, object: `the counted set at block ${closing.height}`, party: 'the validators' }, () => {
    const { voters } = state.set!;
    require(new Set(voters.map(({ entry }) => entry)).size === voters.length, '9.2', 'two ballots have one roll entry');
  });
  state.passed.add(9);
}

/** Computes the counted set, without the ballots that are excluded. What waits comes first: it decides on check 10. */
function count(state: State, closing: Linked, excluded: CountedSet['excluded']): void {
  state.settle();
  const { manifest, roll } = state.election!;
  const set = counted(roll.voters).filter(([credential]) => !excluded.has(credential));
  const voters = set.map(([, voter]) => voter);
  const root = rootOf(set);
  const statement = concat(u32(closing.height), closing.hash, root, u32(voters.length), state.ballotLog);
  const withheld = Groups.of(manifest, voters).small();
  const own = cells(manifest, voters);
  const turnout = tally.turnouts(manifest, own, voters);
  const left = sumsWithout(state, own, [...excluded.values()].map(({ voter }) => voter));
  state.set = { closing, root, statement, voters, excluded, cells: own, sums: left, turnout, withheld };
  if (withheld === undefined) state.passed.add(10);
  else state.passed.delete(10);
  state.passed.add(12);
}

/** The sums but for some voters' ballots. */
function sumsWithout(state: State, cells: readonly Cell[], voters: readonly Voter[]): Point[] {
  const { sums, columns } = state.election!;
  const own = ({ style }: Voter): readonly number[] => columns[style]!;
  const each = (change: 'add' | 'remove'): void =>
    voters.forEach((voter) => sums[change](voter, own(voter), decodedPoints(voter.counted!.commitments)));
  each('remove');
  const totals = sums.totals(cells);
  each('add');
  return totals;
}

export function declare(state: State, { trustee, closing, missing, encoding, signature }: Messages.Declare, object: string): void {
  const place: Place = { check: CHECK_OF_MESSAGE.Declare, object, party: `trustee ${trustee}, and the validators` };
  const { declarations, manifest, roll } = state.in(place, 'Closed');
  const key = state.tallying(place, trustee);
  const set = at(place, () => closed(state, closing));
  state.signature(place, '7.2', key, ROLE.declaration, trustee, encoding, signature);
  at(place, () => {
    declarations.add(trustee, missing, (credential) => roll.voters.get(credential)?.counted !== undefined);
  });
  const lacking = declarations.excluded(manifest.trustees.length, manifest.threshold);
  const excluded = [...lacking].sort(([a], [b]) => (a < b ? -1 : 1));
  if (excluded.length === 0 && set.excluded.size === 0) return;
  const named = excluded.map(([id, lacking]) => [id, { voter: roll.voters.get(id)!, lacking }] as const);
  count(state, set.closing, new Map(named));
}

/** The set, whose closing block is over and is the one named. */
function closed(state: State, closing: Anchor): CountedSet {
  const { set } = state;
  require(set !== undefined, '7.2', 'the closing block is not over');
  const ties = closing.height === set.closing.height && equal(closing.hash, set.closing.hash);
  require(ties, '7.2', 'the block named is not the closing block');
  return set;
}

export function agree(state: State, { trustee, statement, signature }: Messages.Agree, object: string, block: Linked): void {
  const place: Place = { check: CHECK_OF_MESSAGE.Agree, object, party: `trustee ${trustee}, and the validators` };
  const { statements } = state.in(place, 'Closed', 'Agreed');
  const key = state.tallying(place, trustee);
  const set = at(place, () => closed(state, statement.closing));
  at({ ...place, check: 10 }, () => {
    require(set.withheld === undefined, '7.1', `nothing may be opened: ${set.withheld}`);
  });
  at(place, () => {
    require(!statements.has(trustee), '7.2', 'the trustee signed a set already');
    require(statement.ballots === set.voters.length, '7.2', 'the number of ballots is not that of the set');
    require(equal(statement.log, state.ballotLog), '7.2', 'the log of ballots is not the election’s');
  });
  state.signature(place, '7.2', key, ROLE.agreement, trustee, statement.encoding, signature);
  statements.add(trustee, statement);
  agreed(state, block, object);
}

/** Whether the set is agreed now; a lowered quorum can do it at the start of a block too (spec 7.2). */
export function agreed(state: State, { height }: Linked, object: string): void {
  const { set } = state;
  if (state.phase !== 'Closed' || set === undefined) return;
  const agreed = state.election!.statements.agreed(
    height,
    ({ ballots, log }) => ballots === set.voters.length && equal(log, state.ballotLog),
  );
  if (agreed === undefined) return;
  state.settle();
  at({ check: 11, object, party: `trustees ${agreed.trustees.join(', ')}` }, () => {
    require(equal(agreed.statement.encoding, set.statement), '7.2', 'the agreed set is not the one that the record gives');
  });
  state.phase = 'Agreed';
  state.passed.add(11);
}
