// The command line: what it prints, and how it ends.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hex } from '../dist/bytes.js';
import { CHECKS } from '../dist/report.js';
import { run } from './support/network.js';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'verifier-'));
after(() => rmSync(folder, { recursive: true }));

const network = run();
const path = join(folder, 'record');
writeFileSync(path, network.record());

const cli = (...args) => spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
const board = `2:${network.board.members.map(hex).join()}`;

test('a record that is verified', () => {
  const { status, stdout, stderr } = cli(path, '--genesis', hex(network.genesis), '--board', board, '--election', hex(network.eid));
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  for (const [index, meaning] of CHECKS.entries()) {
    assert.match(stdout, new RegExp(`^ ?${index + 1}  passed +${meaning}$`, 'm'));
  }
  assert.match(stdout, /^ +4  Carl$/m);
  assert.match(stdout, /VERIFIED \(certified\)\n$/);
});

test('a record that is rejected, as JSON', () => {
  const { status, stdout, stderr } = cli(path, '--json', '--chain', '0x' + '11'.repeat(32));
  assert.equal(status, 1);
  assert.match(stderr, /compare/);
  const report = JSON.parse(stdout);
  assert.equal(report.verified, false);
  assert.equal(report.fault.check, 3);
  assert.equal(report.checks.length, 16);
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
