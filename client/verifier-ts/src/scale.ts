// SCALE (spec 2.2): a strict decoder, and the few encoders that digests need.
//
// The decoder takes exactly one encoding of each value, checks every length against its bound (spec 1.4)
// before it allocates, and hands out views, not copies.

import { concat } from './bytes.js';
import { Refused } from './fault.js';

const TEXT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const LOSSY = new TextDecoder('utf-8', { ignoreBOM: true });

const malformed = (what: string): Refused => new Refused('2.2', what);

export class Decoder {
  #position = 0;
  #texts = true;
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Where the next byte is read; with `since`, the bytes of a structure just decoded. */
  get position(): number {
    return this.#position;
  }

  since(start: number): Uint8Array {
    return this.bytes.subarray(start, this.#position);
  }

  #take(length: number): number {
    const start = this.#position;
    if (length > this.bytes.length - start) throw malformed('the encoding is cut off');
    this.#position = start + length;
    return start;
  }

  /** `length` bytes without a prefix. */
  fixed(length: number): Uint8Array {
    const start = this.#take(length);
    return this.bytes.subarray(start, start + length);
  }

  /** An identifier, a key or a digest. */
  id(): Uint8Array {
    return this.fixed(32);
  }

  signature(): Uint8Array {
    return this.fixed(64);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  bool(): boolean {
    const byte = this.u8();
    if (byte > 1) throw malformed('a truth value is neither 0 nor 1');
    return byte === 1;
  }

  /** A compact number of at most 32 bits, in its shortest form. */
  compact(): number {
    const first = this.u8();
    const mode = first & 3;
    let value: number;
    let least: number;
    if (mode === 0) {
      return first >> 2;
    } else if (mode === 1) {
      value = (first >> 2) | (this.u8() << 6);
      least = 1 << 6;
    } else if (mode === 2) {
      value = (first >> 2) + this.u8() * 2 ** 6 + this.u16() * 2 ** 14;
      least = 1 << 14;
    } else {
      if (first !== 3) throw malformed('a compact number is larger than 32 bits');
      value = this.u32();
      least = 2 ** 30;
    }
    if (value < least) throw malformed('a compact number is not in its shortest form');
    return value;
  }

  /** An Option: nothing, or one item. */
  option<T>(item: (decoder: this) => T): T | undefined {
    const byte = this.u8();
    if (byte > 1) throw malformed('an Option is neither 0 nor 1');
    return byte === 1 ? item(this) : undefined;
  }

  /** The length of a list, within its bound. */
  length(most: number): number {
    const length = this.compact();
    if (length > most) throw new Refused('1.4', `a list of ${length} items, where ${most} are the most`);
    return length;
  }

  list<T>(most: number, item: (decoder: this) => T): T[] {
    const length = this.length(most);
    const items: T[] = [];
    for (let i = 0; i < length; i++) items.push(item(this));
    return items;
  }

  /** A list of bytes. */
  blob(most: number): Uint8Array {
    return this.fixed(this.length(most));
  }

  /** UTF-8 of at most so many bytes. Whether it is UTF-8 is a rule of its message, not of the encoding (spec 9.2). */
  text(most: number): string {
    const bytes = this.blob(most);
    try {
      return TEXT.decode(bytes);
    } catch {
      this.#texts = false;
      return LOSSY.decode(bytes);
    }
  }

  /** A structure, and whether all its texts are UTF-8. */
  withTexts<T>(structure: (decoder: this) => T): readonly [value: T, areTexts: boolean] {
    const outer = this.#texts;
    this.#texts = true;
    const value = structure(this);
    const areTexts = this.#texts;
    this.#texts = outer;
    return [value, areTexts];
  }

  /** A structure must use up all its bytes. */
  end(): void {
    if (this.#position !== this.bytes.length) throw malformed('bytes are left over');
  }

  /** One whole structure. */
  static whole<T>(bytes: Uint8Array, structure: (decoder: Decoder) => T): T {
    const decoder = new Decoder(bytes);
    const value = structure(decoder);
    decoder.end();
    return value;
  }
}

function number(length: number, value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes.subarray(0, length);
}

export const u8 = (value: number): Uint8Array => number(1, value);
export const u16 = (value: number): Uint8Array => number(2, value);
export const u32 = (value: number): Uint8Array => number(4, value);
export const u64 = (value: number | bigint): Uint8Array => number(8, value);

export function compact(value: number): Uint8Array {
  if (value < 2 ** 6) return u8(value << 2);
  if (value < 2 ** 14) return u16((value << 2) | 1);
  if (value < 2 ** 30) return u32(value * 4 + 2);
  return concat(u8(3), u32(value));
}

/** A list of items that are encoded already. */
export const list = (items: readonly Uint8Array[]): Uint8Array => concat(compact(items.length), ...items);
