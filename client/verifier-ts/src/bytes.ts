// Byte strings.

export { bytesToHex as hex, hexToBytes as unhex, concatBytes as concat } from '@noble/hashes/utils.js';

const UTF8 = new TextEncoder();

export const utf8 = (text: string): Uint8Array => UTF8.encode(text);

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compare(a, b) === 0;
}

/** Orders byte strings of one length as a dictionary does. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** A little-endian number of any length. */
export function littleEndian(bytes: Uint8Array): bigint {
  let digits = '0x';
  for (let i = bytes.length - 1; i >= 0; i--) digits += (bytes[i] ?? 0).toString(16).padStart(2, '0');
  return bytes.length === 0 ? 0n : BigInt(digits);
}
