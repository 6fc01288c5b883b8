#!/usr/bin/env node
// The command line: verifies a record and prints the report.

import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { MAX } from './bounds.js';
import { concat, unhex } from './bytes.js';
import type { Known } from './replay.js';
import { text, type Report } from './report.js';
import { Verifier } from './verify.js';

const USAGE = `usage: node dist/cli.js RECORD [--genesis GENESIS] [--board K:KEY,KEY,…] [--election EID]
                           [--finality FILE] [--json]

Verifies an election record. --genesis (or --chain) is the hash of the chain's first block, --board the chain's
board (its threshold, then its keys in order), --election the election's identifier, all in hexadecimal and taken
from elsewhere than the record; without them the program takes what the record says. --finality names the proof
that the record's last block is final, RECORD.finality if that is there. --json prints the report for programs.
Ends with 0 if the record is verified, 1 if it is not, 2 if it can't be read.
`;

const PIECE = 1 << 16;

class Usage extends Error {}

function bytes(value: string | boolean | undefined, name: string): Uint8Array | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^(0x)?[0-9a-f]{64}$/i.test(value)) {
    throw new Usage(`${name} is not 32 bytes in hexadecimal`);
  }
  return unhex(value.replace(/^0x/i, '').toLowerCase());
}

function board(value: string | boolean | undefined): Known['board'] {
  if (value === undefined) return undefined;
  const [, threshold, members] = /^(\d+):(.+)$/.exec(String(value)) ?? [];
  if (threshold === undefined || members === undefined) throw new Usage('--board is not K:KEY,KEY,…');
  return { threshold: Number(threshold), members: members.split(',').map((key) => bytes(key, 'a key of --board')!) };
}

function run(): number {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2),
    options: {
      genesis: { type: 'string' },
      chain: { type: 'string' },
      board: { type: 'string' },
      election: { type: 'string' },
      finality: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
    allowPositionals: true,
  });
  if (values['help'] === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [path] = positionals;
  if (path === undefined || positionals.length > 1) throw new Usage('name one record');
  const genesis = bytes(values['genesis'] ?? values['chain'], '--genesis');
  const eid = bytes(values['election'], '--election');
  const ofChain = board(values['board']);
  const known: Known = { ...(genesis && { genesis }), ...(eid && { eid }), ...(ofChain && { board: ofChain }) };

  const beside = values['finality'] ?? `${path}.finality`;
  const finality = values['finality'] === undefined && !existsSync(String(beside)) ? undefined : proof(String(beside));

  const result = verify(path, new Verifier(known), finality);
  process.stdout.write(values['json'] === true ? `${JSON.stringify(result, null, 2)}\n` : `${text(result)}\n`);
  if (genesis === undefined || ofChain === undefined) {
    process.stderr.write('The record itself says which chain and which board; compare both with another source.\n');
  }
  if (finality === undefined) {
    process.stderr.write('No proof that the last block is final; compare its hash with a node that you trust.\n');
  }
  return result.verified ? 0 : 1;
}

function verify(path: string, verifier: Verifier, finality: Uint8Array | undefined): Report {
  const progress = new Progress(verifier);
  read(path, (piece, share) => {
    verifier.push(piece);
    progress.show(share);
    return !verifier.failed;
  });
  const report = verifier.end(finality);
  progress.clear();
  return report;
}

/** The finality proof: no more of it than shows that it is too long. */
function proof(path: string): Uint8Array {
  const pieces: Uint8Array[] = [];
  let length = 0;
  read(path, (piece) => {
    pieces.push(piece.slice());
    length += piece.length;
    return length <= MAX.finality;
  });
  return concat(...pieces);
}

/** Reads a file piece by piece, each with the share of the file that is read with it, as long as more is wanted. */
function read(path: string, take: (piece: Uint8Array, share: number) => boolean): void {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const buffer = new Uint8Array(PIECE);
    let read = 0;
    for (let length; (length = readSync(file, buffer)) > 0; ) {
      read += length;
      if (!take(buffer.subarray(0, length), read / size)) break;
    }
  } finally {
    closeSync(file);
  }
}

/** How far the verification is: on a terminal alone. */
class Progress {
  readonly #shown = process.stderr.isTTY === true;

  constructor(readonly verifier: Verifier) {}

  show(share: number): void {
    if (!this.#shown) return;
    const { ballots } = this.verifier;
    process.stderr.write(`\r${Math.floor(100 * share)} % of the record, ${ballots} ${ballots === 1 ? 'ballot' : 'ballots'} `);
  }

  clear(): void {
    if (this.#shown) process.stderr.write('\r\x1b[K');
  }
}

try {
  process.exitCode = run();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  if (!(error instanceof Error && 'syscall' in error)) process.stderr.write(`\n${USAGE}`);
  process.exitCode = 2;
}
