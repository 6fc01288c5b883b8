// Ballots are cast (spec 6.5).

import { ballotName, check as checkBallot } from '../ballot.js';
import { MAX } from '../bounds.js';
import { concat, hex } from '../bytes.js';
import type { Linked } from '../chain.js';
import { at, require, type Place } from '../fault.js';
import { decodedPoints } from '../group.js';
import type * as Messages from '../messages.js';
import * as transcript from '../transcript.js';
import { CHECK_OF_MESSAGE } from './checks.js';
import type { State } from './state.js';

export function cast(state: State, { cast }: Messages.Cast, object: string, { height, time }: Linked): void {
  const { ballot } = cast;
  const place: Place = {
    check: CHECK_OF_MESSAGE.Cast,
    object: `${object}: ${ballotName(ballot)}`,
    party: `the voter with credential ${hex(ballot.credential)}, and the validators`,
  };
  at(place, () => {
    const election = state.in(place, 'Open');
    require(time < state.closesAt, '6.5', 'voting is over');
    const voter = election.roll.voters.get(hex(ballot.credential));
    require(voter !== undefined, '6.5', 'the credential is not on the roll');
    require(ballot.style === voter.style, '6.5', 'the style is not the one that the roll gives the voter');
    require(voter.ballots < election.manifest.maxBallots, '6.5', 'the credential has cast all its ballots');
    const step = ballot.sequence - (voter.counted?.sequence ?? 0);
    require(1 <= step && step <= MAX.sequenceStep, '6.5', 'the sequence number is not 1 to 16 more than the last');
    const { anchor, expiry } = ballot;
    require(height <= expiry, '6.5', 'the ballot has expired');
    require(expiry <= anchor.height + MAX.blocksToExpiry, '6.5', 'the ballot expires too long after its anchor');
    require(anchor.height < height, '6.5', 'the anchor is not an earlier block');
    const known = state.chain.has(anchor.height, anchor.hash);
    require(known !== false, '6.5', 'the anchor is not a block of this chain');
    const { options, equations } = checkBallot(election, cast);
    state.waiting.add(place, equations);

    const own = election.columns[ballot.style]!;
    if (voter.counted !== undefined) election.sums.remove(voter, own, decodedPoints(voter.counted.commitments));
    election.sums.add(voter, own, options);
    voter.ballots++;
    voter.counted = {
      hash: ballot.hash,
      sequence: ballot.sequence,
      commitments: concat(...ballot.options),
      receipts: cast.receipts.map(({ trustee }) => trustee),
    };
    state.ballotLog = transcript.log(state.ballotLog, ballot.hash);
    state.ballots++;
    if (known === 'older') state.olderAnchors++;
  });
}
