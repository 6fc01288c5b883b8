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
    assert.match(stdout, new RegExp(`^ ?${index + 1}  passed +${meaning}$`, 'm'));
  }
  assert.match(stdout, /^ +4  Carl$/m);
  assert.match(stdout, /VERIFIED \(certified\)\n$/);
});

test('the finality proof beside the record is taken', () => {
  const [beside, other] = [`${path}.finality`, join(folder, 'other.finality')];
  const known = ['--genesis', hex(network.genesis), '--board', board];
  const without = cli(path, ...known);
  assert.equal(without.status, 0);
  assert.match(without.stdout, /^17  not applicable/m);
  assert.match(without.stderr, /^No proof that the last block is final/);

  writeFileSync(beside, finality);
  const good = cli(path, ...known);
  assert.equal(good.status, 0);
  assert.match(good.stdout, /^17  passed/m);
  assert.equal(good.stderr, '');

  writeFileSync(beside, finality.subarray(0, -1));
  writeFileSync(other, finality);
  const bad = cli(path, ...known);
  assert.equal(bad.status, 1);
  assert.match(bad.stdout, /^17  FAILED/m);
  assert.equal(cli(path, ...known, '--finality', other).status, 0);

  // Longer than it may be, by far.
  truncateSync(other, 2 ** 33);
  const long = cli(path, ...known, '--finality', other);
  assert.equal(long.status, 1);
  assert.match(long.stdout, /longer than 8 MiB/);

  assert.equal(cli(path, '--finality', join(folder, 'nothing')).status, 2);
  rmSync(beside);
});

test('a record that is rejected, as JSON', () => {
  const { status, stdout, stderr } = cli(path, '--json', '--chain', '0x' + '11'.repeat(32));
  assert.equal(status, 1);
  assert.match(stderr, /compare/);
  const report = JSON.parse(stdout);
  assert.equal(report.verified, false);
  assert.equal(report.fault.check, 3);
  assert.equal(report.checks.length, 17);
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
  for (const args of [[], [path, path], [path, '--chain', '12'], [path, '--board', 'x'], [path, '--colour'], [join(folder, 'nothing')]]) {
    const { status, stdout, stderr } = cli(...args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.notEqual(stderr, '');
  }
  assert.equal(cli('--help').status, 0);
});
