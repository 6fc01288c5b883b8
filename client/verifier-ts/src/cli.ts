#!/usr/bin/env node
// The command line: verifies a record and prints the report.

import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { MAX } from './bounds.js';
import { concat } from './bytes.js';
import { CERTIFICATE } from './certificate.js';
import { readKnown } from './known.js';
import { cautions, text, type Report } from './report.js';
import { Verifier, type Beside } from './verify.js';

const USAGE = `usage: node dist/cli.js RECORD [--genesis GENESIS] [--board K:KEY,KEY,…] [--election EID]
                           [--fingerprint KEY] [--finality FILE] [--certificate FILE] [--json]

Verifies an election record. --genesis (or --chain) is the hash of the chain's first block, --board the chain's
board (its threshold, then its keys in order), --election the election's identifier, --fingerprint the SHA-256 of
the key of the board's certificates, all in hexadecimal and taken from elsewhere than the record; without them the
program takes what the files say. --finality names the proof that the record's last block is final, --certificate
the board's certificate of the file: RECORD.finality and RECORD.certificate, if they are there. --json prints the
report for programs. Ends with 0 if the record is verified, 1 if it is not, 2 if it can't be read.
`;

const PIECE = 1 << 16;

class Usage extends Error {}

function run(): number {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2),
    options: {
      genesis: { type: 'string' },
      chain: { type: 'string' },
      board: { type: 'string' },
      election: { type: 'string' },
      fingerprint: { type: 'string' },
      finality: { type: 'string' },
      certificate: { type: 'string' },
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
  if (Object.values(values).includes('')) throw new Usage('an option has no value');
  const typed = (name: string): string => String(values[name] ?? '');
  const { known, wrong } = readKnown({
    genesis: typed('genesis') || typed('chain'),
    board: typed('board'),
    eid: typed('election'),
    fingerprint: typed('fingerprint'),
  });
  if (wrong.length > 0) throw new Usage(`what is given as ${wrong[0]} is not 64 hexadecimal digits, or for a board K:KEY,KEY,…`);
  const beside = {
    finality: fileBeside(path, 'finality', typed('finality'), MAX.finality),
    certificate: fileBeside(path, 'certificate', typed('certificate'), CERTIFICATE),
  };

  const result = verify(path, new Verifier(known), beside);
  process.stdout.write(values['json'] === true ? `${JSON.stringify(result, null, 2)}\n` : `${text(result)}\n`);
  for (const caution of cautions(result, known)) process.stderr.write(`${caution}\n`);
  return result.verified ? 0 : 1;
}

function verify(path: string, verifier: Verifier, beside: Beside): Report {
  const progress = new Progress(verifier);
  read(path, (piece, share) => {
    verifier.push(piece);
    progress.show(share);
    return !verifier.failed;
  });
  const report = verifier.end(beside);
  progress.clear();
  return report;
}

/** The file that is named, or else that of the record's name and this ending: no more of it than shows that it is too long. */
function fileBeside(record: string, ending: string, named: string, most: number): Uint8Array | undefined {
  const path = named || `${record}.${ending}`;
  if (named === '' && !existsSync(path)) return undefined;
  const pieces: Uint8Array[] = [];
  let length = 0;
  read(path, (piece) => {
    pieces.push(piece.slice());
    length += piece.length;
    return length <= most;
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
