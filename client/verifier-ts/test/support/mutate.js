// Random changes of encodings, the same for the same seed.

/** A source of numbers from 0 below `n`: xorshift of 32 bits. */
export function source(seed) {
  let state = seed | 0 || 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

/** Lengths and variants at the edges of what a decoder takes. */
const EDGES = ['00', '01', '02', '7f', '80', 'fc', 'fd', 'fe', 'ff', '0100', '02000100', 'fefffffd', 'feffffff', '0300000040', '03ffffffff', '07ffffffffff', 'ffffffffffffffff']
  .map((edge) => Buffer.from(edge, 'hex'));

/** One to three changes of some bytes; `others` is what may be spliced in. */
export function mutate(bytes, random, others) {
  let changed = Uint8Array.from(bytes);
  for (let i = random(3); i >= 0; i--) changed = change(changed, random, others);
  return changed;
}

function change(bytes, random, others) {
  const at = random(bytes.length + 1);
  const span = Math.min(1 + random(random(4) === 0 ? 200 : 8), bytes.length - at);
  const replaced = (by, length = 0) => Uint8Array.from([...bytes.subarray(0, at), ...by, ...bytes.subarray(at + length)]);
  switch (random(8)) {
    case 0: // a bit
      return replaced(bytes.subarray(at, at + 1).map((byte) => byte ^ (1 << random(8))), 1);
    case 1: // bytes
      return replaced(Array.from({ length: span }, () => random(256)), span);
    case 2: // left out
      return replaced([], span);
    case 3: // twice
      return replaced(bytes.subarray(at, at + span));
    case 4: // cut off
      return bytes.subarray(0, at);
    case 5: // an edge, in place or put in
      {
        const edge = EDGES[random(EDGES.length)];
        return replaced(edge, random(2) * edge.length);
      }
    case 6: // a piece of something else
      {
        const other = others[random(others.length)];
        const from = random(other.length + 1);
        return replaced(other.subarray(from, from + 1 + random(100)), random(2) * span);
      }
    default: // put in
      return replaced(Array.from({ length: 1 + random(4) }, () => random(256)));
  }
}
