// The phases of an election, and the check that what is not allowed in one of them fails (spec 8.1, 9.2).

import type * as Messages from '../messages.js';

export type Phase =
  | 'Setup'
  | 'Registration'
  | 'Frozen'
  | 'Open'
  | 'Closed'
  | 'Agreed'
  | 'Tallied'
  | 'Certified'
  | 'Void';

export const PHASES: readonly Phase[] = [
  'Setup',
  'Registration',
  'Frozen',
  'Open',
  'Closed',
  'Agreed',
  'Tallied',
  'Certified',
  'Void',
];

/** The check that a message belongs to; that of an approval is its action's. */
export const CHECK_OF_MESSAGE: Record<Exclude<Messages.Message['kind'], 'Approve'>, number> = {
  AddBatch: 6,
  Register: 6,
  Accept: 5,
  Cast: 8,
  Agree: 11,
  Contribute: 13,
  Finalize: 14,
  Announce: 5,
  Declare: 11,
};

/** The check that a board action belongs to. */
export const CHECK_OF_ACTION: Record<Messages.Action['kind'], number> = {
  CreateElection: 4,
  ConfirmBatch: 6,
  Reinvite: 6,
  Freeze: 7,
  Postpone: 7,
  Extend: 7,
  Close: 7,
  Certify: 15,
  Void: 15,
  LowerQuorum: 11,
};

/** The check whose subject is missing before a message that comes too early, in this phase. */
export const MISSING_IN: Partial<Record<Phase, number>> = { Setup: 5, Registration: 7, Closed: 11, Agreed: 14 };
