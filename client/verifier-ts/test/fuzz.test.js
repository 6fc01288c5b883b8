// Randomly changed encodings: every decoder refuses them in its own words, or takes what it would write itself.
//
// PSEPHOS_FUZZ is the number of changes for each decoder, PSEPHOS_FUZZ_SEED where their random numbers begin.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, readCastBallot } from '../dist/ballot.js';
import { concat, equal, hex, unhex } from '../dist/bytes.js';
import { blake2b256 } from '../dist/blake2b.js';
import { header } from '../dist/chain.js';
import { Refused } from '../dist/fault.js';
import { checkFinality } from '../dist/finality.js';
import { justification } from '../dist/justification.js';
import { manifest, validate } from '../dist/manifest.js';
import { extrinsic } from '../dist/messages.js';
import { block, FrameReader, opening } from '../dist/record.js';
import { CHECKS } from '../dist/report.js';
import { Decoder } from '../dist/scale.js';
import { provedValue } from '../dist/trie.js';
import { verify } from '../dist/verify.js';
import * as encode from './support/encode.js';
import { mutate, source } from './support/mutate.js';
import * as v from './support/validators.js';
import { vectorElection, vectors } from './support/vectors.js';

const COUNT = Number(process.env.PSEPHOS_FUZZ ?? 2000);
const SEED = Number(process.env.PSEPHOS_FUZZ_SEED ?? 1);

const election = vectorElection();
const record = unhex(vectors('wire').record);
const records = vectors('records').map(({ record }) => unhex(record));
const [first, ...blocks] = [...new FrameReader().push(record)];
const frames = records.flatMap((record) => [...new FrameReader().push(record)].slice(1));
const headers = frames.map((frame) => Decoder.whole(frame, block).header);

const chain = v.firstBlock(v.validatorList([1, 1, 1]));
const last = { hash: new Uint8Array(32).fill(0x1a), height: 1000 };
const [next, afterNext] = v.blocksAfter(last, 2);
const justified = v.justification({ block: next, precommits: [0, 1, 2].map((i) => v.precommit(i, afterNext)), headers: [afterNext.header] });
const finality = v.finality({ first: chain.header, state: chain.state, headers: [next.header], justification: justified });

/** Texts that are not UTF-8 are replaced where they are read; that they are none breaks a rule later. */
const text = (value, encoded) => (value.areTexts === false || value.isText === false ? undefined : encoded);

const whole = (structure) => (bytes) => Decoder.whole(bytes, structure);

/** Of each decoder: what it reads, and how what it took is written. Nothing is written where it keeps no contents. */
const DECODERS = {
  manifest: {
    corpus: [unhex(vectors('election').manifest)],
    read: (bytes) => {
      const read = Decoder.whole(bytes, manifest);
      refusing(() => validate(read, election.manifest.generators));
      return read;
    },
    write: (read) => text(read, encode.manifest(read)),
  },
  extrinsic: {
    corpus: [...vectors('wire').extrinsics.map(({ extrinsic }) => unhex(extrinsic)), ...vectors('malformed').extrinsics.map(({ bytes }) => unhex(bytes))],
    read: extrinsic,
    write: (message) => text(message.action?.manifest ?? message, encode.extrinsic(message)),
  },
  'cast ballot': {
    corpus: vectors('malformed')['cast ballots'].map(({ bytes }) => bytes).filter((bytes) => typeof bytes === 'string').map(unhex),
    read: (bytes) => {
      const cast = readCastBallot(bytes);
      refusing(() => check(election, cast));
      return cast;
    },
    write: encode.cast,
  },
  'first frame': { corpus: [first], read: whole(opening), write: encode.opening },
  block: {
    corpus: [...blocks, ...frames],
    read: whole(block),
    write: (block) => (block.messages.every((message) => text(message.action?.manifest ?? message, true)) ? encode.block(block) : undefined),
  },
  header: { corpus: headers, read: whole(header) },
  justification: { corpus: [justified], read: whole(justification) },
  'finality proof': {
    corpus: [finality],
    read: (bytes) => checkFinality(bytes, chain.genesis, last),
    // There is one proof by these signatures alone, but for the nodes and headers that it does not need.
    accepts: false,
  },
  'node of a trie': {
    corpus: chain.state,
    read: (bytes) => provedValue([bytes, ...chain.state.slice(1)], blake2b256(bytes), unhex('5f9cc45b7a00c5899361e1c6099678dc5e0621c4869aa60c02be9adcc98a0d1d')),
  },
};

/** Runs what may refuse, and nothing else. */
function refusing(work) {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return undefined;
  }
}

const others = Object.values(DECODERS).flatMap(({ corpus }) => corpus);

for (const [name, { corpus, read, write, accepts }] of Object.entries(DECODERS)) {
  test(`changed encodings: ${name}`, () => {
    const random = source(SEED);
    for (let i = 0; i < COUNT; i++) {
      const original = corpus[random(corpus.length)];
      const changed = mutate(original, random, others);
      let taken;
      try {
        taken = refusing(() => [read(changed)]);
      } catch (error) {
        throw new Error(`change ${i} of seed ${SEED}: ${hex(changed)}`, { cause: error });
      }
      if (taken === undefined) continue;
      if (accepts === false) assert.ok(equal(changed, original), `change ${i} of seed ${SEED}: ${hex(changed)} is taken`);
      const written = write?.(taken[0]);
      if (written !== undefined) assert.equal(hex(written), hex(changed), `change ${i} of seed ${SEED}`);
    }
  });
}

test('changed records: a report, whatever they are', () => {
  const random = source(SEED);
  for (let i = 0; i < COUNT / 20; i++) {
    const original = records[random(records.length)];
    const changed = mutate(original, random, others);
    try {
      assert.equal(verify(changed).checks.length, CHECKS.length);
    } catch (error) {
      throw new Error(`change ${i} of seed ${SEED}: ${hex(changed)}`, { cause: error });
    }
  }
});

test('random bytes', () => {
  const random = source(SEED);
  for (let i = 0; i < COUNT; i++) {
    const bytes = Uint8Array.from({ length: random(300) }, () => random(256));
    for (const { read } of Object.values(DECODERS)) refusing(() => read(bytes));
    const magic = encode.utf8('PSEPHOSF\x01\0');
    refusing(() => checkFinality(concat(magic, bytes), chain.genesis, last));
  }
});
