// A small election on a chain of its own: its parties, its blocks, and the record of them.
//
// It sends what it is told to, forbidden things included: the verifier is what judges.

import * as agreement from '../../dist/agreement.js';
import { cells } from '../../dist/cells.js';
import { blockHash } from '../../dist/chain.js';
import { compare, hex, unhex, utf8 } from '../../dist/bytes.js';
import { mod } from '../../dist/group.js';
import * as generators from '../../dist/generators.js';
import { columns, columnsOf, identifier, validate } from '../../dist/manifest.js';
import * as tally from '../../dist/tally.js';
import * as transcript from '../../dist/transcript.js';
import { ROLE } from '../../dist/transcript.js';
import * as encode from './encode.js';
import { keypair, scalarBytes, signRole } from './keys.js';
import { prepare } from './prover.js';

const SLOT = 6000;
const START = 1_800_000_000_000;
const OPENS = START + 20 * SLOT;
const CLOSES = START + 40 * SLOT;

const named = new Map();
/** The key of a party, by its name. */
export function key(name) {
  if (!named.has(name)) named.set(name, keypair(transcript.batch(utf8(name))));
  return named.get(name);
}

const keys = (name, count) => Array.from({ length: count }, (_, i) => key(`${name} ${i}`));

export const TRUSTEES = 4;

export const MANIFEST = {
  version: 1,
  title: 'An election of the tests',
  contests: [
    { title: 'One of three', options: ['Ada', 'Blaise', 'Carl'], maxEach: 1, minSum: 1, maxSum: 1 },
    { title: 'Up to two of four', options: ['North', 'East', 'South', 'West'], maxEach: 1, minSum: 0, maxSum: 2 },
    { title: 'Points', options: ['Tea', 'Coffee'], maxEach: 3, minSum: 0, maxSum: 6 },
  ],
  styles: [
    { name: 'Town', contests: [0, 1] },
    { name: 'Country', contests: [0, 2] },
  ],
  units: ['Upper', 'Lower'],
  weights: [1n, 2n],
  maxVoters: 100,
  privacyMinimum: 2,
  smallGroupsPublic: false,
  maxBallots: 3,
  trustees: Array.from({ length: TRUSTEES }, (_, i) => ({
    name: `Trustee ${i + 1}`,
    signingKey: key(`trustee ${i}`).public,
    kemKey: new Uint8Array(1216).fill(i + 1),
  })),
  threshold: 2,
  quorum: 3,
  board: { members: keys('member', 3).map((k) => k.public), threshold: 2 },
  registrars: [key('registrar 0').public],
  opensAt: BigInt(OPENS),
  closesAt: BigInt(CLOSES),
  earlyClose: true,
  byUnit: false,
  rehearsal: undefined,
  generators: generators.digest(),
  areTexts: true,
};

const prepared = new Map();

export class Network {
  #members = keys('member', 3);
  #chainMembers = keys('chain member', 3);
  #trustees = keys('trustee', TRUSTEES);

  constructor(change = {}, genesis = new Uint8Array(32).fill(7)) {
    this.manifest = { ...MANIFEST, ...change };
    this.genesis = genesis;
    this.number = 4;
    this.board = { members: this.#chainMembers.map((k) => k.public), threshold: 2 };
    this.eid = this.eidOf(this.manifest);
    this.election = {
      manifest: this.manifest,
      shapes: validate(this.manifest, this.manifest.generators),
      eid: this.eid,
      threshold: this.manifest.threshold,
      trustees: this.manifest.trustees,
    };
    this.height = 99;
    this.time = START - SLOT;
    this.hash = new Uint8Array(32).fill(9);
    this.blocks = [];
    this.rollHead = new Uint8Array(32);
    this.ballotLog = new Uint8Array(32);
    this.batches = 0;
    /** The confirmed entries, in their order. */
    this.entries = [];
    /** The entry of each credential. */
    this.voters = new Map();
    /** The last ballot of each credential, with its shares, and weight and unit from the roll. */
    this.counted = new Map();
  }

  eidOf(manifest) {
    return identifier(this.genesis, this.number, encode.manifest(manifest));
  }

  /** Adds a block; its header can be changed. */
  block(messages = [], { time = this.time + SLOT, ...header } = {}) {
    const fields = { parent: this.hash, height: this.height + 1, slot: Math.floor(time / SLOT), ...header };
    const bytes = encode.header(fields);
    this.blocks.push({ header: bytes, time, messages });
    this.height = fields.height;
    this.time = time;
    this.hash = blockHash(bytes);
    return this;
  }

  /** Adds so many blocks without messages. */
  skip(count) {
    for (let i = 0; i < count; i++) this.block();
    return this;
  }

  frames() {
    return [encode.opening(this), ...this.blocks.map(encode.block)];
  }

  record() {
    return encode.record(this.frames());
  }

  #sign(key, role, index, payload, eid = this.eid) {
    return signRole(key, role, { genesis: this.genesis, eid }, index, payload);
  }

  approve(action, members = [0, 1]) {
    const creates = action.kind === 'CreateElection';
    const digest = transcript.action(encode.action(action));
    const board = creates ? this.#chainMembers : this.#members;
    return members.map((member) => ({
      kind: 'Approve',
      action,
      member,
      signature: this.#sign(board[member] ?? board[0], ROLE.boardMember, member, digest, creates ? new Uint8Array(32) : this.eid),
    }));
  }

  act(kind, fields = {}, members) {
    return this.approve({ kind, eid: this.eid, ...fields }, members);
  }

  create(members) {
    return this.approve({ kind: 'CreateElection', number: this.number, manifest: this.manifest }, members);
  }

  accept(trustees = [1, 2, 3, 4]) {
    return trustees.map((trustee) => ({
      kind: 'Accept',
      eid: this.eid,
      trustee,
      signature: this.#sign(this.#trustees[trustee - 1] ?? this.#trustees[0], ROLE.acceptance, trustee, new Uint8Array()),
    }));
  }

  entry(access, fields = {}) {
    return { access, weight: 1n, style: 0, unit: 0, person: new Uint8Array(32).fill(5), ...fields };
  }

  direct(name, fields) {
    return this.entry({ kind: 'credential', credential: key(name).public }, fields);
  }

  invited(names, fields) {
    return this.entry({ kind: 'invited', keys: names.map((name) => key(name).public) }, fields);
  }

  addBatch(entries, { batch = this.batches++, registrar = 0 } = {}) {
    const payload = encode.join([encode.u32(batch), this.digest(entries)]);
    const signature = this.#sign(key('registrar 0'), ROLE.registrar, registrar, payload);
    return { kind: 'AddBatch', eid: this.eid, registrar, batch, entries, signature };
  }

  digest(entries) {
    return transcript.batch(encode.list(entries.map(encode.entry)));
  }

  confirm(batch, entries, members) {
    const digest = this.digest(entries);
    for (const entry of entries) {
      if (entry.access.kind === 'credential') this.voters.set(hex(entry.access.credential), entry);
    }
    this.#log(0, encode.u32(batch), digest, encode.u32(this.entries.length), encode.u32(entries.length));
    this.entries = [...this.entries, ...entries];
    return this.act('ConfirmBatch', { batch, digest }, members);
  }

  #log(index, ...fields) {
    this.rollHead = transcript.log(this.rollHead, encode.join([encode.u8(index), ...fields]));
  }

  register(entry, invitations, name) {
    const credential = key(name).public;
    const payload = transcript.registration(entry, credential);
    this.#log(1, encode.u32(entry), credential);
    this.voters.set(hex(credential), this.entries[entry]);
    return {
      kind: 'Register',
      eid: this.eid,
      entry,
      credential,
      invitations: invitations.map((invitation, i) => this.#sign(key(invitation), ROLE.invitation, i, payload)),
      signature: this.#sign(key(name), ROLE.registration, 0, payload),
    };
  }

  reinvite(entry, round, names) {
    const invitations = names.map((name) => key(name).public);
    this.#log(2, encode.u32(entry), encode.list(invitations));
    return this.act('Reinvite', { entry, round, keys: invitations });
  }

  freeze(head = this.rollHead) {
    return this.act('Freeze', { head });
  }

  /** Trustees say where they are. */
  announce(number, address, trustees = [1]) {
    return trustees.map((trustee) => {
      const payload = encode.endpoint({ number, address });
      const signature = this.#sign(this.#trustees[trustee - 1] ?? this.#trustees[0], ROLE.endpoint, trustee, payload);
      return { kind: 'Announce', eid: this.eid, trustee, number, address, signature };
    });
  }

  /** Trustees declare that they lack the ballots of these voters, or all. */
  declare(names, trustees, closing = this.closing) {
    const credentials = names === 'all' ? undefined : names.map((name) => key(name).public).sort(compare);
    return this.declareMissing(names === 'all' ? { kind: 'all' } : { kind: 'some', credentials }, trustees, closing);
  }

  declareMissing(missing, trustees, closing = this.closing) {
    return trustees.map((trustee) => {
      const payload = encode.declaration({ closing, missing });
      const signature = this.#sign(this.#trustees[trustee - 1] ?? this.#trustees[0], ROLE.declaration, trustee, payload);
      return { kind: 'Declare', eid: this.eid, trustee, closing, missing, signature };
    });
  }

  lowerQuorum(quorum, reason = 'trustee 3 and trustee 4 are gone', members) {
    return this.act('LowerQuorum', { quorum, reason: typeof reason === 'string' ? utf8(reason) : reason }, members);
  }

  /** Leaves a voter's ballot out of what the trustees sign and add up. */
  exclude(name) {
    this.counted.delete(hex(key(name).public));
    return this;
  }

  /** A cast ballot. It counts for the tally unless it is kept from it. */
  cast(name, votes, { style = 0, sequence = 1, counts = true, receipts = [1, 2, 3], anchor, expiry, lie, tamper } = {}) {
    const credential = key(name).public;
    const anchored = anchor ?? { height: this.height, hash: this.hash };
    const paper = { style, credential, sequence, anchor: anchored, expiry: expiry ?? anchored.height + 2400 };
    const seed = new Uint8Array(64).fill(sequence);
    const id = hex(encode.join([this.eid, encode.anchor(anchored)])) + JSON.stringify([style, name, sequence, paper.expiry, votes, lie]);
    if (!prepared.has(id)) prepared.set(id, prepare(this.election, seed, paper, votes, { lie }));
    const { ballot, hash, shares } = prepared.get(id);
    const cast = {
      ballot: { ...ballot },
      signature: this.#sign(key(name), ROLE.cast, 0, hash),
      receipts: receipts.map((trustee) => ({
        trustee,
        height: this.height,
        signature: this.#sign(this.#trustees[trustee - 1], ROLE.receipt, trustee, encode.join([hash, encode.u32(this.height)])),
      })),
    };
    tamper?.(cast);
    if (counts) {
      const { weight, unit } = this.voters.get(hex(credential)) ?? {};
      this.counted.set(hex(credential), { style, sequence, hash, shares, weight, unit });
      this.ballotLog = transcript.log(this.ballotLog, hash);
    }
    return { kind: 'Cast', cast };
  }

  /** The set statement over the counted ballots, with this closing block. */
  statement(closing) {
    const leaves = [...this.counted]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([credential, { sequence, hash, weight, unit }]) => agreement.leaf(unhex(credential), sequence, hash, weight, unit));
    return { closing, root: agreement.root(leaves), ballots: leaves.length, log: this.ballotLog };
  }

  agree(statement, trustees = [1, 2, 3]) {
    return trustees.map((trustee) => ({
      kind: 'Agree',
      eid: this.eid,
      trustee,
      statement,
      signature: this.#sign(this.#trustees[trustee - 1], ROLE.agreement, trustee, encode.setStatement(statement)),
    }));
  }

  /** The cells of the counted ballots, by the rule that `cells.test.js` tests. */
  cells() {
    return cells(this.manifest, this.counted.values());
  }

  contribute(root, trustees = [1, 2, 3], change, own = this.cells()) {
    return trustees.map((trustee) => {
      const perCell = columns(this.manifest);
      const contribution = Array.from({ length: own.length * perCell }, () => [0n, 0n]);
      for (const { style, shares, weight, unit } of this.counted.values()) {
        const cell = own.findIndex(({ first, end }) => first <= unit && unit < end);
        columnsOf(this.manifest, this.manifest.styles[style]).forEach((column, j) => {
          const [f, g] = shares[trustee - 1][j];
          const sum = contribution[cell * perCell + column];
          sum[0] = mod(sum[0] + weight * f);
          sum[1] = mod(sum[1] + weight * g);
        });
      }
      change?.(contribution, trustee);
      const sums = contribution.map((pair) => pair.map(scalarBytes));
      const payload = encode.contribution({ root, sums });
      const signature = this.#sign(this.#trustees[trustee - 1], ROLE.contribution, trustee, payload);
      return { kind: 'Contribute', eid: this.eid, trustee, root, sums, signature };
    });
  }

  finalize(contributors = [1, 2]) {
    return { kind: 'Finalize', eid: this.eid, contributors };
  }

  /** The digest of the result that these contributions give. */
  resultDigest(root, contributions, contributors = [1, 2]) {
    const read = new Map(contributions.map(({ trustee, sums }) => [trustee, tally.contribution(sums.length, sums)]));
    const openings = tally.interpolate(read, contributors, 0);
    const turnout = tally.turnouts(this.manifest, this.cells(), this.counted.values());
    return transcript.result(this.eid, root, tally.encodeResult(openings, turnout, contributors));
  }

  certify(digest, members) {
    return this.act('Certify', { digest }, members);
  }

  void(reason = 'the venue burnt down') {
    return this.act('Void', { reason: utf8(reason) });
  }
}

export const BATCHES = (n) => [
  [n.direct('anna'), n.direct('bert', { unit: 1 }), n.invited(['letter 2', 'mail 2'], { style: 1, weight: 2n })],
  [n.invited(['letter 3'], { style: 1, weight: 2n, unit: 1 }), n.invited(['letter 4'])],
];

/** Every voter casts, and anna casts again. */
export function ballots(n) {
  n.block([
    n.cast('anna', [[1, 0, 0], [1, 0, 1, 0]]),
    n.cast('bert', [[0, 1, 0], [0, 0, 0, 0]]),
    n.cast('carla again', [[0, 0, 1], [3, 2]], { style: 1 }),
  ]);
  n.block();
  n.block([
    n.cast('dora', [[0, 0, 1], [0, 1]], { style: 1, receipts: [2, 3, 4] }),
    n.cast('anna', [[0, 1, 0], [0, 1, 0, 0]], { sequence: 3, receipts: [1, 3, 4] }),
  ]);
}

/** The steps of a whole election, each of which can be replaced. */
export const STEPS = {
  create: (n) => n.block(n.create([0])).block(n.create([2])),
  setup: (n, batches = BATCHES) => n.block([n.addBatch(batches(n)[0]), ...n.accept([3, 1])]).block(n.accept([2, 4])),
  roll: (n, batches = BATCHES) => {
    const [first, second] = batches(n);
    n.block([n.addBatch(second)]);
    n.block([...n.confirm(1, second), ...n.confirm(0, first, [1, 2])]);
    n.block([n.register(0, ['letter 3'], 'carla'), n.register(4, ['letter 2', 'mail 2'], 'dora')]);
    // The voter of entry 0 loses the device.
    n.block([...n.reinvite(0, 0, ['letter 3b'])]);
    n.block([n.register(0, ['letter 3b'], 'carla again')]);
  },
  freeze: (n) => n.block(n.freeze()).block(),
  vote: (n) => ballots(n.block([], { time: OPENS }).block()),
  close: (n) => {
    n.block([], { time: CLOSES });
    n.closing = { height: n.height, hash: n.hash };
    n.block();
  },
  agree: (n) => {
    n.root = n.statement(n.closing).root;
    n.block(n.agree(n.statement(n.closing), [1, 4])).block(n.agree(n.statement(n.closing), [2]));
  },
  contribute: (n) => {
    n.contributions = n.contribute(n.root);
    n.block(n.contributions);
  },
  finalize: (n) => n.block([n.finalize()]),
  certify: (n) => n.block(n.certify(n.resultDigest(n.root, n.contributions), [0])).block(n.certify(n.resultDigest(n.root, n.contributions), [2])),
};

/** Runs an election, on the chain of this genesis; steps can be replaced, and `null` ends it before a step. */
export function run(steps = {}, manifest = {}, genesis = undefined) {
  const n = new Network(manifest, genesis);
  for (const [name, step] of Object.entries({ ...STEPS, ...steps })) {
    if (step === null) break;
    step(n);
  }
  return n;
}

/** Runs an election as far as the last step that is replaced. */
export function runUntil(steps, manifest, genesis) {
  const names = Object.keys(STEPS);
  const after = names[1 + Math.max(...Object.keys(steps).map((step) => names.indexOf(step)))];
  return run(after === undefined ? steps : { ...steps, [after]: null }, manifest, genesis);
}

export { CLOSES, OPENS, SLOT, START };
