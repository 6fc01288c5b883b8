// The roll is made: batches and registrations (spec 4.2, 4.3).

import { concat } from '../bytes.js';
import { at, require, type Place } from '../fault.js';
import type * as Messages from '../messages.js';
import { u32 } from '../scale.js';
import * as transcript from '../transcript.js';
import { ROLE } from '../transcript.js';
import { CHECK_OF_MESSAGE } from './checks.js';
import type { State } from './state.js';

export function addBatch(state: State, { registrar, batch, entries, encoding, signature }: Messages.AddBatch, object: string): void {
  const place: Place = { check: CHECK_OF_MESSAGE.AddBatch, object: `${object}: batch ${batch}`, party: `registrar ${registrar}, and the validators` };
  const { manifest, roll } = state.in(place, 'Setup', 'Registration');
  const key = manifest.registrars[registrar];
  at(place, () => require(key !== undefined, '4.2', `the manifest has no registrar ${registrar}`));
  const digest = transcript.batch(encoding);
  state.signature(place, '4.2', key!, ROLE.registrar, registrar, concat(u32(batch), digest), signature);
  at(place, () => roll.propose(batch, entries, digest));
}

export function register(state: State, { entry, credential, invitations, signature }: Messages.Register, object: string): void {
  const place: Place = { check: CHECK_OF_MESSAGE.Register, object: `${object}: entry ${entry}`, party: 'the voter, and the validators' };
  const { roll } = state.in(place, 'Registration');
  const keys = at(place, () => roll.invited(entry, credential));
  const payload = transcript.registration(entry, credential);
  at(place, () => require(invitations.length === keys.length, '4.3', 'not one signature for each invitation key'));
  keys.forEach((key, i) => state.signature(place, '4.3', key, ROLE.invitation, i, payload, invitations[i]!));
  state.signature(place, '4.3', credential, ROLE.registration, 0, payload, signature);
  roll.register(entry, credential);
}
