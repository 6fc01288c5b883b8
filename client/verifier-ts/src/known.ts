// What a reader knows of an election from elsewhere than the record, as it is typed (spec 9.2).

import { unhex } from './bytes.js';
import type { Known } from './replay/state.js';

/** A hash or key of 64 hexadecimal digits, with or without 0x; nothing for other texts. */
function id(text: string): Uint8Array | undefined {
  const digits = text.trim().replace(/^0x/i, '').toLowerCase();
  return /^[0-9a-f]{64}$/.test(digits) ? unhex(digits) : undefined;
}

/** A board, K:KEY,KEY,…: its threshold, then its keys in order; nothing for other texts. */
function board(text: string): Known['board'] {
  const [, threshold, list] = /^\s*(\d{1,3})\s*:(.+)$/s.exec(text) ?? [];
  const members = list?.split(',').map(id);
  if (threshold === undefined || members === undefined || members.some((key) => key === undefined)) return undefined;
  return { threshold: Number(threshold), members: members as Uint8Array[] };
}

const READ = { genesis: id, board, eid: id, fingerprint: id };

/** Reads what was typed: what is empty is not known. What can't be read is named in `wrong`. */
export function readKnown(typed: Readonly<Record<keyof Known, string>>): { known: Known; wrong: (keyof Known)[] } {
  const names = (Object.keys(READ) as (keyof Known)[]).filter((name) => typed[name].trim() !== '');
  const read = names.map((name) => [name, READ[name](typed[name])] as const);
  return {
    known: Object.fromEntries(read.filter(([, value]) => value !== undefined)) as Known,
    wrong: read.filter(([, value]) => value === undefined).map(([name]) => name),
  };
}
