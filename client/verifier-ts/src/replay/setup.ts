// Trustees accept (spec 3.6), and say where they are (spec 3.7).

import { at, require, type Place } from '../fault.js';
import type * as Messages from '../messages.js';
import { ROLE } from '../transcript.js';
import { CHECK_OF_MESSAGE } from './checks.js';
import type { State } from './state.js';

export function accept(state: State, { trustee, signature }: Messages.Accept, object: string): void {
  const place: Place = { check: CHECK_OF_MESSAGE.Accept, object, party: `trustee ${trustee}, and the validators` };
  const { manifest, accepted } = state.in(place, 'Setup');
  const key = state.trustee(place, trustee);
  at(place, () => require(!accepted.has(trustee), '3.6', 'the trustee accepted already'));
  state.signature(place, '3.6', key, ROLE.acceptance, trustee, new Uint8Array(), signature);
  accepted.add(trustee);
  if (accepted.size < manifest.trustees.length) return;
  state.settle();
  state.phase = 'Registration';
  state.passed.add(5);
}

export function announce(state: State, { trustee, number, address, isText, encoding, signature }: Messages.Announce, object: string): void {
  const place: Place = { check: CHECK_OF_MESSAGE.Announce, object, party: `trustee ${trustee}, and the validators` };
  const { addresses } = state.in(place, 'Setup', 'Registration', 'Frozen', 'Open', 'Closed', 'Agreed', 'Tallied');
  const key = state.trustee(place, trustee);
  at(place, () => {
    require(number > (addresses.get(trustee) ?? 0), '3.7', 'the number is not more than that of the last statement');
    require(isText, '3.7', 'the address is not UTF-8');
    require(isAddress(address), '3.7', 'the address is not one of http or https, without white space');
  });
  state.signature(place, '3.7', key, ROLE.endpoint, trustee, encoding, signature);
  addresses.set(trustee, number);
}

/** Whether a trustee can be reached there, as far as the text of its address shows it (spec 3.7). */
const isAddress = (address: string): boolean => /^https?:\/\//.test(address) && !/[\p{White_Space}\p{Cc}]/u.test(address);
