// The verifier of range proofs (spec 6.2.2, 6.2.3): aggregated Bulletproofs as two equations in the group.

import { evaluate, type Shape, type Statement } from './contests.js';
import type { Term } from './equation.js';
import { isZero, utf8 } from './bytes.js';
import * as generators from './generators.js';
import { B, B_BLINDING, decodePoint, decodeScalar, invert, mod, wideScalar } from './group.js';
import type { Point, Scalar } from './group.js';
import type { Transcript } from './transcript.js';

/** A commitment of a ballot, as it is written and as a point. */
export interface Commitment {
  readonly bytes: Uint8Array;
  readonly point: Point;
}

/** A proof that is not made of canonical points and scalars is no proof. */
class NoProof extends Error {}

class Reader {
  #position = 0;

  constructor(
    readonly proof: Uint8Array,
    readonly transcript: Transcript,
  ) {}

  #next(): Uint8Array {
    return this.proof.subarray(this.#position, (this.#position += 32));
  }

  point(label: string): Point {
    const bytes = this.#next();
    const point = isZero(bytes) ? undefined : decodePoint(bytes);
    if (point === undefined) throw new NoProof();
    this.transcript.append(label, bytes);
    return point;
  }

  /** A scalar, appended to the transcript if it has a label. */
  scalar(label?: string): Scalar {
    const bytes = this.#next();
    const scalar = decodeScalar(bytes);
    if (scalar === undefined) throw new NoProof();
    if (label !== undefined) this.transcript.append(label, bytes);
    return scalar;
  }

  challenge(label: string): Scalar {
    const scalar = wideScalar(this.transcript.challenge(label, 64));
    if (scalar === 0n) throw new NoProof();
    return scalar;
  }
}

/** 1, x, x², … */
function powers(x: Scalar, count: number): Scalar[] {
  const all: Scalar[] = [];
  for (let i = 0, power = 1n; i < count; i++, power = mod(power * x)) all.push(power);
  return all;
}

const sum = (scalars: readonly Scalar[]): Scalar => mod(scalars.reduce((total, scalar) => total + scalar, 0n));

/** The encoding of what a statement is about: often a commitment itself. */
function encoding(statement: Statement, commitments: readonly Commitment[]): Uint8Array {
  const [term] = statement.terms;
  if (statement.terms.length === 1 && term?.factor === 1n && statement.constant === 0n) {
    return commitments[term.index]!.bytes;
  }
  return evaluate(statement, commitments.map(({ point }) => point)).toBytes();
}

/** The two equations that hold if the proof does; nothing if it is bad whatever they give. */
export function rangeProofTerms(
  transcript: Transcript,
  shape: Shape,
  commitments: readonly Commitment[],
  proof: Uint8Array,
): [Term[], Term[]] | undefined {
  if (proof.length !== shape.proofLength) return undefined;
  try {
    return equations(new Reader(proof, transcript), shape, commitments);
  } catch (error) {
    if (error instanceof NoProof) return undefined;
    throw error;
  }
}

function equations(read: Reader, shape: Shape, commitments: readonly Commitment[]): [Term[], Term[]] {
  const { width: w, statements } = shape;
  const m = statements.length;
  const N = w * m;
  const rounds = Math.log2(N);
  const { transcript } = read;

  transcript.append('dom-sep', utf8('rangeproof v1')).appendU64('n', w).appendU64('m', m);
  const encodings = new Map<Statement, Uint8Array>();
  for (const statement of statements) {
    const bytes = encodings.get(statement) ?? encoding(statement, commitments);
    encodings.set(statement, bytes);
    transcript.append('V', bytes);
  }
  const A = read.point('A');
  const S = read.point('S');
  const y = read.challenge('y');
  const z = read.challenge('z');
  const T1 = read.point('T_1');
  const T2 = read.point('T_2');
  const x = read.challenge('x');
  const tx = read.scalar('t_x');
  const txBlinding = read.scalar('t_x_blinding');
  const eBlinding = read.scalar('e_blinding');
  const wc = read.challenge('w');
  transcript.append('dom-sep', utf8('ipp v1')).appendU64('n', N);
  const L: Point[] = [];
  const R: Point[] = [];
  const u: Scalar[] = [];
  for (let round = 0; round < rounds; round++) {
    L.push(read.point('L'));
    R.push(read.point('R'));
    u.push(read.challenge('u'));
  }
  const a = read.scalar();
  const b = read.scalar();

  const uInverse = u.map(invert);
  const yPowers = powers(y, N);
  const yInversePowers = powers(invert(y), N);
  const zPowers = powers(z, m + 3);
  const twoPowers = powers(2n, w);

  // s_k: the first round's challenge belongs to the highest bit of k.
  const s: Scalar[] = [uInverse.reduce((product, inverse) => mod(product * inverse), 1n)];
  for (let k = 1; k < N; k++) {
    const highest = Math.floor(Math.log2(k));
    const challenge = u[rounds - 1 - highest]!;
    s.push(mod(s[k - 2 ** highest]! * mod(challenge * challenge)));
  }

  const first: Term[] = [
    [1n, A],
    [x, S],
    [-eBlinding, B_BLINDING],
    [wc * mod(tx - a * b), B],
  ];
  for (let round = 0; round < rounds; round++) {
    first.push([mod(u[round]! * u[round]!), L[round]!], [mod(uInverse[round]! * uInverse[round]!), R[round]!]);
  }
  for (let k = 0; k < N; k++) {
    const j = Math.floor(k / w);
    const i = k % w;
    const sInverse = s[N - 1 - k]!;
    first.push(
      [mod(-z - a * s[k]!), generators.G(j, i)],
      [mod(z + yInversePowers[k]! * mod(zPowers[j + 2]! * twoPowers[i]! - b * sInverse)), generators.H(j, i)],
    );
  }

  const delta =
    (z - zPowers[2]!) * sum(yPowers) - sum(zPowers.slice(3, m + 3)) * (2n ** BigInt(w) - 1n);
  const ofCommitments = commitments.map(() => 0n);
  let ofBase = delta - tx;
  statements.forEach((statement, j) => {
    const weight = zPowers[j + 2]!;
    ofBase += weight * statement.constant;
    for (const { index, factor } of statement.terms) ofCommitments[index]! += weight * factor;
  });
  const second: Term[] = [
    [x, T1],
    [mod(x * x), T2],
    [-txBlinding, B_BLINDING],
    [mod(ofBase), B],
    ...commitments.map(({ point }, index): Term => [mod(ofCommitments[index]!), point]),
  ];
  return [first, second];
}
