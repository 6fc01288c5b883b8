// SCALE encodings of all structures: what the decoders of the verifier read.

import { concat, utf8 } from '../../dist/bytes.js';
import { compact, list, u16, u32, u64, u8 } from '../../dist/scale.js';

export { compact, concat, list, u16, u32, u64, u8, utf8 };

export const blob = (bytes) => concat(compact(bytes.length), bytes);
export const text = (string) => blob(utf8(string));
export const bool = (value) => u8(value ? 1 : 0);
export const option = (value, item) => (value === undefined ? u8(0) : join([u8(1), item(value)]));
export const join = (parts) => concat(...parts);

export const board = ({ members, threshold }) => join([list(members), u8(threshold)]);

export const manifest = (m) =>
  join([
    u16(m.version),
    typeof m.title === 'string' ? text(m.title) : blob(m.title),
    list(m.contests.map((c) => join([text(c.title), list(c.options.map(text)), u32(c.maxEach), u32(c.minSum), u32(c.maxSum)]))),
    list(m.styles.map((s) => join([text(s.name), list(s.contests.map(u16))]))),
    list(m.units.map(text)),
    list(m.weights.map(u64)),
    u32(m.maxVoters),
    u32(m.privacyMinimum),
    bool(m.smallGroupsPublic),
    u8(m.maxBallots),
    list(m.trustees.map((t) => join([text(t.name), t.signingKey, blob(t.kemKey)]))),
    u8(m.threshold),
    u8(m.quorum),
    board(m.board),
    list(m.registrars),
    u64(m.opensAt),
    u64(m.closesAt),
    bool(m.earlyClose),
    bool(m.byUnit),
    option(m.rehearsal, u8),
    m.generators,
  ]);

export const action = (a) => {
  switch (a.kind) {
    case 'CreateElection':
      return join([u8(0), u32(a.number), a.encoding ?? manifest(a.manifest)]);
    case 'ConfirmBatch':
      return join([u8(1), a.eid, u32(a.batch), a.digest]);
    case 'Reinvite':
      return join([u8(2), a.eid, u32(a.entry), u8(a.round), list(a.keys)]);
    case 'Freeze':
      return join([u8(3), a.eid, a.head]);
    case 'Postpone':
      return join([u8(4), a.eid, u64(a.opensAt), u64(a.closesAt)]);
    case 'Extend':
      return join([u8(5), a.eid, u64(a.closesAt), blob(a.reason)]);
    case 'Close':
      return join([u8(6), a.eid]);
    case 'Certify':
      return join([u8(7), a.eid, a.digest]);
    case 'Void':
      return join([u8(8), a.eid, blob(a.reason)]);
    case 'LowerQuorum':
      return join([u8(9), a.eid, u8(a.quorum), blob(a.reason)]);
  }
};

export const entry = ({ access, weight, style, unit, person }) =>
  join([
    access.kind === 'invited' ? join([u8(0), list(access.keys)]) : join([u8(1), access.credential]),
    u64(weight),
    u16(style),
    u16(unit),
    person,
  ]);

export const anchor = ({ height, hash }) => join([u32(height), hash]);

export const statement = (b) =>
  join([
    u16(b.version),
    b.eid,
    u16(b.style),
    b.credential,
    u32(b.sequence),
    anchor(b.anchor),
    u32(b.expiry),
    list(b.options),
    list(b.slack),
    b.dealing,
  ]);

export const ballot = (b) => join([statement(b), u8(b.width), blob(b.proof)]);

export const receipt = ({ trustee, height, signature }) => join([u8(trustee), u32(height), signature]);

export const cast = (c) => join([ballot(c.ballot), c.signature, list(c.receipts.map(receipt))]);

export const setStatement = ({ closing, root, ballots, log }) => join([anchor(closing), root, u32(ballots), log]);

export const missing = ({ kind, credentials }) => (kind === 'all' ? u8(1) : join([u8(0), list(credentials)]));

/** What a trustee signs of its address: as text, or as bytes that may be none. */
export const endpoint = ({ number, address }) => join([u8(number), typeof address === 'string' ? text(address) : blob(address)]);

export const declaration = ({ closing, missing: declared }) => join([anchor(closing), missing(declared)]);

export const contribution = ({ root, sums }) => join([root, list(sums.map(([f, g]) => join([f, g])))]);

export const message = (m) => {
  switch (m.kind) {
    case 'Approve':
      return join([u8(0), action(m.action), u8(m.member), m.signature]);
    case 'AddBatch':
      return join([u8(1), m.eid, u8(m.registrar), u32(m.batch), list(m.entries.map(entry)), m.signature]);
    case 'Register':
      return join([u8(2), m.eid, u32(m.entry), m.credential, list(m.invitations), m.signature]);
    case 'Accept':
      return join([u8(3), m.eid, u8(m.trustee), m.signature]);
    case 'Cast':
      return join([u8(4), cast(m.cast)]);
    case 'Agree':
      return join([u8(5), m.eid, u8(m.trustee), setStatement(m.statement), m.signature]);
    case 'Contribute':
      return join([u8(6), m.eid, u8(m.trustee), contribution(m), m.signature]);
    case 'Finalize':
      return join([u8(7), m.eid, list(m.contributors.map(u8))]);
    case 'Announce':
      return join([u8(8), m.eid, u8(m.trustee), endpoint(m), m.signature]);
    case 'Declare':
      return join([u8(9), m.eid, u8(m.trustee), declaration(m), m.signature]);
  }
};

export const extrinsic = (m) => blob(join([Uint8Array.of(0x45, 0, 8), message(m)]));

const filler = (length, byte) => new Uint8Array(length).fill(byte);

/** An item of a header's digest for an engine. */
export const digestItem = (variant, engine, bytes) => join([u8(variant), utf8(engine), blob(bytes)]);

/** A header with the Aura slot `slot` and a seal, or with other digest items. */
export const header = ({ parent, height, slot, stateRoot = filler(32, 0x51), extrinsicsRoot = filler(32, 0x52), items }) =>
  join([
    parent,
    compact(height),
    stateRoot,
    extrinsicsRoot,
    list(items?.(slot) ?? [digestItem(6, 'aura', u64(slot)), digestItem(5, 'aura', filler(64, 0x53))]),
  ]);

export const opening = ({ genesis, board: chainBoard, eid, version = 1 }) =>
  join([u16(version), genesis, board(chainBoard), eid]);

export const block = ({ header, time, messages }) => join([blob(header), u64(time), list(messages.map(message))]);

export const record = (frames) =>
  join([utf8('PSEPHOS1'), ...frames.map((frame) => join([u32(frame.length), frame]))]);
