// Codes that people read: five bits a letter, the last four letters a checksum (spec 4.1, 5.4).

import { concat } from './bytes.js';
import { checksum } from './transcript.js';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The first five-bit groups of a byte string, most significant bit first. */
function groups(bytes: Uint8Array, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, group) => {
    let value = 0;
    for (let bit = 5 * group; bit < 5 * group + 5; bit++) {
      value = (value << 1) | ((bytes[bit >> 3]! >> (7 - (bit & 7))) & 1);
    }
    return value;
  });
}

/** Writes values of five bits with their checksum. */
export function write(purpose: string, values: Uint8Array): string {
  const all = concat(values, groups(checksum(purpose, values), 4));
  const letters = Array.from(all, (value) => ALPHABET[value]!).join('');
  return letters.match(/.{5}/g)!.join('-');
}

/** Reads what `write` wrote, as a person may type it; nothing if the checksum is another. */
export function read(purpose: string, text: string, count: number): Uint8Array | undefined {
  const letters = text.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  const values = Uint8Array.from(letters, (letter) => ALPHABET.indexOf(letter));
  if (values.length !== count + 4 || values.includes(255)) return undefined;
  const data = values.slice(0, count);
  const canonical = write(purpose, data).replace(/-/g, '');
  return canonical === letters ? data : undefined;
}

/** The tracking code of a ballot. */
export const trackingCode = (ballotHash: Uint8Array): string => write('tracking code', groups(ballotHash, 26));
