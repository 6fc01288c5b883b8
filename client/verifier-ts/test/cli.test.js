// The command line: what it prints, and how it ends.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hex } from '../dist/bytes.js';
import { CHECKS } from '../dist/report.js';
import { run } from './support/network.js';
import * as v from './support/validators.js';
import { vectors } from './support/vectors.js';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'verifier-'));
after(() => rmSync(folder, { recursive: true }));

const chain = v.firstBlock(v.validatorList([1, 1, 1]));
const network = run({}, {}, chain.genesis);
const path = join(folder, 'record');
writeFileSync(path, network.record());
const block = { hash: network.hash, height: network.height };
const justification = v.justification({ block, precommits: [0, 1, 2].map((i) => v.precommit(i, block)) });
const finality = v.finality({ first: chain.header, state: chain.state, justification });

const cli = (...args) => spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
const board = `2:${network.board.members.map(hex).join()}`;

test('a record that is verified', () => {
  const proof = join(folder, 'proof');
  writeFileSync(proof, finality);
  const { status, stdout, stderr } = cli(path, '--genesis', hex(network.genesis), '--board', board, '--election', hex(network.eid), '--finality', proof);
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  for (const [index, meaning] of CHECKS.entries()) {
    const verdict = index < 17 ? 'passed' : 'not applicable';
    assert.match(stdout, new RegExp(`^ ?${index + 1}  ${verdict} +${meaning}$`, 'm'));
  }
  assert.match(stdout, /^ +4  Carl$/m);
  assert.match(stdout, /VERIFIED \(certified\)\n$/);
});

// Each run of the command derives the generators anew, which takes seconds.

test('the finality proof beside the record is taken, or the one that is named', () => {
  const known = ['--genesis', hex(network.genesis), '--board', board, '--election', hex(network.eid)];
  const without = cli(path, ...known);
  assert.equal(without.status, 0);
  assert.match(without.stdout, /^17  not applicable/m);
  assert.match(without.stderr, /^No proof that the last block is final/);

  writeFileSync(`${path}.finality`, finality);
  const good = cli(path, ...known);
  assert.equal(good.status, 0);
  assert.match(good.stdout, /^17  passed/m);
  assert.equal(good.stderr, '');

  // Longer than it may be, by far.
  const other = join(folder, 'other.finality');
  writeFileSync(other, finality);
  truncateSync(other, 2 ** 33);
  const long = cli(path, ...known, '--finality', other);
  assert.equal(long.status, 1);
  assert.match(long.stdout, /longer than 8 MiB/);
  assert.equal(cli(path, '--finality', join(folder, 'nothing')).status, 2);
});

test('the certificate beside the record is taken, or the one that is named', () => {
  const vector = vectors('certificate');
  const [record, other] = [join(folder, 'certified'), join(folder, 'other')];
  writeFileSync(record, vectors('records').find(({ name }) => name === vector.record).record, 'hex');
  writeFileSync(`${record}.certificate`, vector.certificate, 'hex');
  const good = cli(record);
  assert.equal(good.status, 0);
  assert.match(good.stdout, /^18  passed/m);
  assert.match(good.stdout, new RegExp(`^certified by: +${vector.fingerprint}$`, 'm'));
  assert.match(good.stderr, /which chain this is and who is on the chain’s board and which election this is: compare/);
  assert.match(good.stderr, /compare its fingerprint/);

  writeFileSync(other, new Uint8Array(16_446));
  const bad = cli(record, '--certificate', other, '--fingerprint', vector.fingerprint);
  assert.equal(bad.status, 1);
  assert.match(bad.stdout, /^18  FAILED/m);
});

test('a record that is rejected, as JSON', () => {
  const { status, stdout, stderr } = cli(path, '--json', '--chain', '0x' + '11'.repeat(32));
  assert.equal(status, 1);
  assert.equal(stderr, '');
  const report = JSON.parse(stdout);
  assert.equal(report.verified, false);
  assert.equal(report.fault.check, 3);
  assert.equal(report.checks.length, CHECKS.length);
});

test('a file that is no record', () => {
  const other = join(folder, 'other');
  writeFileSync(other, 'PSEPHOS2 and more');
  const { status, stdout } = cli(other);
  assert.equal(status, 1);
  assert.match(stdout, /^ 1  FAILED/m);
  writeFileSync(other, '');
  assert.equal(cli(other).status, 1);
});

test('wrong usage', () => {
  for (const args of [[], [path, path], [path, '--chain', '12'], [path, '--genesis', ''], [path, '--board', 'x'], [path, '--colour'], [join(folder, 'nothing')]]) {
    const { status, stdout, stderr } = cli(...args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.notEqual(stderr, '');
  }
  assert.equal(cli('--help').status, 0);
});
