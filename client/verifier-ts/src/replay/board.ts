// Boards: their approvals, and the actions that these carry out (spec 3.4, 8.1).

import { Declarations, Statements } from '../agreement.js';
import { equal } from '../bytes.js';
import type { Linked } from '../chain.js';
import { at, Refused, require, type Place } from '../fault.js';
import * as generators from '../generators.js';
import { Groups } from '../groups.js';
import { columnsOf, identifier, validate } from '../manifest.js';
import type * as Messages from '../messages.js';
import { Roll } from '../roll.js';
import { decodeKey } from '../signature.js';
import * as tally from '../tally.js';
import * as transcript from '../transcript.js';
import { ROLE } from '../transcript.js';
import { CHECK_OF_ACTION } from './checks.js';
import type { Election, State } from './state.js';

/** The election that an approval of its creation is signed for. */
const NOBODY = new Uint8Array(32);

export function approve(state: State, { action, encoding, member, signature }: Messages.Approve, object: string, block: Linked): void {
  const creates = action.kind === 'CreateElection';
  const place: Place = {
    check: CHECK_OF_ACTION[action.kind],
    object: `${object}: ${action.kind}`,
    party: `member ${member} of the ${creates ? 'chain’s' : 'election’s'} board, and the validators`,
  };
  permit(state, action, place, block);
  const board = creates ? state.opening.board : state.election!.manifest.board;
  const digest = transcript.action(encoding);
  const key = board.members[member];
  at(place, () => require(key !== undefined, '3.4', `the board has no member ${member}`));
  state.signature(place, '3.4', key!, ROLE.boardMember, member, digest, signature, creates ? NOBODY : state.opening.eid);
  const carried = at(place, () => state.approvals.count(digest, member, board.threshold, block.height));
  if (carried) at(place, () => carryOut(state, action, block));
}

/** Refuses an action that could not be carried out in this block. */
function permit(state: State, action: Messages.Action, place: Place, { time }: Linked): void {
  switch (action.kind) {
    case 'CreateElection':
      at({ ...place, check: 3 }, () => {
        const eid = identifier(state.opening.genesis, action.number, action.encoding);
        require(equal(eid, state.opening.eid), '3.2', 'genesis, number and manifest do not give the election’s identifier');
      });
      at(place, () => require(state.phase === undefined, '8.1', 'the election was created already'));
      return at({ ...place, check: 3 }, () => {
        state.created ??= create(state, action);
      });
    case 'ConfirmBatch':
      return at(place, () => {
        state.in(place, 'Setup', 'Registration').roll.confirmable(action.batch, action.digest);
      });
    case 'Reinvite':
      return at(place, () => {
        state.in(place, 'Registration').roll.reinvitable(action.entry, action.round, action.keys);
      });
    case 'Freeze': {
      const { roll, manifest } = at(place, () => {
        const election = state.in(place, 'Registration');
        require(time < state.closesAt, '8.1', 'the roll is frozen after the close');
        return election;
      });
      at({ ...place, check: 6 }, () => {
        require(equal(action.head, roll.head), '4.4', 'the head is not that of the roll’s log');
        require(roll.voters.size > 0, '4.4', 'the roll has no voters');
      });
      return at({ ...place, check: 10 }, () => {
        const small = Groups.of(manifest, roll.voters.values()).small();
        require(small === undefined, '7.1', `a group on the roll is below the privacy minimum: ${small}`);
      });
    }
    case 'Postpone':
      return at(place, () => {
        state.in(place, 'Setup', 'Registration', 'Frozen');
        require(state.phase !== 'Frozen' || time < state.opensAt, '8.1', 'voting is about to open');
        require(action.opensAt > state.opensAt, '8.1', 'the opening is not later than before');
        require(action.closesAt >= state.closesAt, '8.1', 'the close is earlier than before');
        require(action.closesAt > action.opensAt, '8.1', 'it closes before it opens');
      });
    case 'Extend':
      return at(place, () => {
        state.in(place, 'Open');
        require(time < state.closesAt, '8.1', 'voting is about to close');
        require(action.closesAt > state.closesAt, '8.1', 'the close is not later than before');
        reason(action.reason);
      });
    case 'Close':
      return at(place, () => {
        const { manifest } = state.in(place, 'Open');
        require(time < state.closesAt, '8.1', 'voting is about to close');
        require(manifest.earlyClose, '8.1', 'the manifest does not allow closing early');
      });
    case 'Certify':
      return at(place, () => {
        state.in(place, 'Tallied');
        require(equal(action.digest, state.result!.digest), '7.6', 'the digest is not that of the result');
      });
    case 'Void':
      return at(place, () => {
        state.in(place, 'Setup', 'Registration', 'Frozen', 'Open', 'Closed', 'Agreed', 'Tallied');
        reason(action.reason);
      });
    case 'LowerQuorum':
      return at(place, () => {
        const { manifest, statements } = state.in(place, 'Closed');
        const lowers = manifest.threshold <= action.quorum && action.quorum < statements.last;
        require(lowers, '8.1', 'the quorum is not lower than the last one, or is below the threshold');
        reason(action.reason);
      });
  }
}

function create(state: State, { number, manifest }: Extract<Messages.Action, { kind: 'CreateElection' }>): Election {
  const shapes = validate(manifest, generators.digest());
  return {
    genesis: state.opening.genesis,
    eid: state.opening.eid,
    number,
    manifest,
    shapes,
    quorum: manifest.quorum,
    trustees: manifest.trustees.map(({ signingKey }) => ({ signingKey, point: decodeKey(signingKey) })),
    columns: manifest.styles.map((style) => columnsOf(manifest, style)),
    roll: new Roll(manifest),
    sums: new tally.Sums(manifest),
    accepted: new Set(),
    addresses: new Map(),
    declarations: new Declarations(),
    statements: new Statements(manifest.quorum),
    contributions: new Map(),
  };
}

function carryOut(state: State, action: Messages.Action, { height }: Linked): void {
  switch (action.kind) {
    case 'CreateElection':
      state.settle();
      state.election = state.created!;
      state.opensAt = action.manifest.opensAt;
      state.closesAt = action.manifest.closesAt;
      state.phase = 'Setup';
      state.passed.add(3).add(4);
      return;
    case 'ConfirmBatch':
      return state.election!.roll.confirm(action.batch, action.digest);
    case 'Reinvite':
      return state.election!.roll.reinvite(action.entry, action.round, action.keys);
    case 'Freeze':
      state.settle();
      state.phase = 'Frozen';
      state.passed.add(6);
      return;
    case 'Postpone':
      state.opensAt = action.opensAt;
      state.closesAt = action.closesAt;
      return;
    case 'Extend':
      state.closesAt = action.closesAt;
      return;
    case 'Close':
      state.phase = 'Closed';
      return;
    case 'Certify':
      state.settle();
      state.phase = 'Certified';
      state.passed.add(15);
      return;
    case 'Void':
      state.settle();
      state.phase = 'Void';
      state.voidReason = reason(action.reason);
      state.passed.add(15);
      return;
    case 'LowerQuorum':
      state.election!.statements.lower(action.quorum, height);
      return;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** A reason: not empty, and UTF-8. */
function reason(bytes: Uint8Array): string {
  require(bytes.length > 0, '8.1', 'no reason is given');
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new Refused('8.1', 'the reason is not UTF-8');
  }
}
