// The tally: contributions, and the result that they open (spec 7.3 to 7.5).

import { equal } from '../bytes.js';
import { at, require, type Place } from '../fault.js';
import type * as Messages from '../messages.js';
import * as tally from '../tally.js';
import * as transcript from '../transcript.js';
import { ROLE } from '../transcript.js';
import { CHECK_OF_MESSAGE } from './checks.js';
import type { State } from './state.js';

export function contribute(state: State, { trustee, root, sums, encoding, signature }: Messages.Contribute, object: string): void {
  const place: Place = { check: CHECK_OF_MESSAGE.Contribute, object, party: `trustee ${trustee}, and the validators` };
  const { contributions } = state.in(place, 'Agreed');
  const key = state.tallying(place, trustee);
  const set = state.set!;
  const contribution = at(place, () => {
    require(!contributions.has(trustee), '7.3', 'the trustee contributed already');
    require(equal(root, set.root), '7.3', 'the contribution is not for the agreed set');
    return tally.contribution(set.sums.length, sums);
  });
  state.signature(place, '7.3', key, ROLE.contribution, trustee, encoding, signature);
  contributions.set(trustee, contribution);
}

export function finalize(state: State, { contributors }: Messages.Finalize, object: string): void {
  const place: Place = { check: CHECK_OF_MESSAGE.Finalize, object, party: 'whoever finalized, and the validators' };
  const { contributions, eid, manifest } = state.in(place, 'Agreed');
  state.settle();
  const { cells, turnout, sums, root } = state.set!;
  at(place, () => {
    const named = tally.areContributors(manifest, contributors) && contributors.every((i) => contributions.has(i));
    require(named, '7.5.2', 'the contributors are not exactly t, in ascending order, who have contributed');
    const openings = tally.interpolate(contributions, contributors, 0);
    require(tally.opens(openings, sums), '7.5.4', 'the named contributions do not open the sums');
    state.result = {
      contributors,
      totals: tally.totals(manifest, cells.length, openings, turnout),
      digest: transcript.result(eid, root, tally.encodeResult(openings, turnout, contributors)),
      wrong: tally.wrongContributions(contributions, contributors, manifest.quorum),
    };
  });
  state.phase = 'Tallied';
  state.passed.add(13).add(14);
}
