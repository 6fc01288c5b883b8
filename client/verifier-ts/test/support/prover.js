// A ballot from its seed (spec 5.1 to 5.3, 6.2.1): what the vectors are compared with, and what test elections cast.

import { concat } from '../../dist/bytes.js';
import { evaluate, committedOptions, slackWeights, sumHasRange } from '../../dist/contests.js';
import * as generators from '../../dist/generators.js';
import { B, B_BLINDING, IDENTITY, invert, mod, multiply, sumOfProducts, wideScalar } from '../../dist/group.js';
import { contestsOf } from '../../dist/manifest.js';
import * as transcript from '../../dist/transcript.js';
import * as encode from './encode.js';
import { scalarBytes } from './keys.js';

const commit = (value, blinding) => multiply(B, value).add(multiply(B_BLINDING, blinding));
const inner = (a, b) => mod(a.reduce((sum, x, i) => sum + x * b[i], 0n));
const msm = (points, scalars) => sumOfProducts(points, scalars.map(mod));

export const paper = (p) =>
  concat(encode.u16(p.style), p.credential, encode.u32(p.sequence), encode.anchor(p.anchor), encode.u32(p.expiry));

export const choices = (values) => encode.list(values.map((contest) => encode.list(contest.map(encode.u32))));

/** The digits of a vote's slack (spec 3.3.3). */
function slackBits(contest, values) {
  const weights = slackWeights(contest);
  let left = contest.maxSum - values.reduce((sum, value) => sum + value, 0);
  return weights.map((weight, i) => {
    // What the weights after this one hold, with the computed bit of weight 1.
    const rest = weights.slice(i + 1).reduce((sum, w) => sum + w, 1);
    const bit = left > rest ? 1 : 0;
    left -= bit * weight;
    return bit;
  });
}

/**
 * The ballot, its dealing and the share of each trustee. `lie` replaces committed values after the choices
 * were checked by nobody: for ballots that must be refused.
 */
export function prepare(election, seed, paperFields, votes, { lie } = {}) {
  const { manifest, shapes, eid, threshold, trustees } = election;
  const style = manifest.styles[paperFields.style];
  const shape = shapes[paperFields.style];
  const contests = contestsOf(manifest, style);
  const context = concat(encode.u16(1), eid, paper(paperFields));
  const expander = transcript.ballotRandomness(seed, context, choices(votes));
  const random = () => wideScalar(expander(64));

  const values = lie ?? contests.flatMap((contest, i) => votes[i].slice(0, committedOptions(contest)));
  const blindings = values.map(random);
  const polynomials = values.map((value, i) => {
    const f = [BigInt(value)];
    const g = [blindings[i]];
    for (let m = 1; m < threshold; m++) {
      f.push(random());
      g.push(random());
    }
    return { f, g };
  });
  const slackValues = shape.width === 1 ? contests.flatMap((contest, i) => (sumHasRange(contest) ? slackBits(contest, votes[i]) : [])) : [];
  const slackBlindings = slackValues.map(random);

  const points = [
    ...values.map((value, i) => commit(BigInt(value), blindings[i])),
    ...slackValues.map((value, i) => commit(BigInt(value), slackBlindings[i])),
  ];
  const encodings = points.map((point) => point.toBytes());
  const dealingPoints = polynomials.flatMap(({ f, g }) => f.slice(1).map((a, m) => commit(a, g[m + 1]).toBytes()));
  const dealing = encode.list(dealingPoints);

  const fields = {
    version: 1,
    eid,
    ...paperFields,
    options: encodings.slice(0, values.length),
    slack: encodings.slice(values.length),
    dealing: transcript.dealing(dealing),
    width: shape.width,
  };
  const openings = [...values.map((v, i) => [BigInt(v), blindings[i]]), ...slackValues.map((v, i) => [BigInt(v), slackBlindings[i]])];
  const proof = prove(transcript.rangeProof(encode.statement(fields)), shape, points, openings, random);
  const ballot = { ...fields, proof };
  const at = (polynomial, x) => mod(polynomial.reduceRight((sum, c) => sum * BigInt(x) + c, 0n));
  return {
    ballot,
    hash: transcript.ballotHash(encode.ballot(ballot)),
    dealing,
    dealingPoints,
    expander,
    shares: trustees.map((_, i) => polynomials.map(({ f, g }) => [at(f, i + 1), at(g, i + 1)])),
  };
}

/** The prover of 6.2.1. */
function prove(t, shape, points, openings, random) {
  const { width: w, statements } = shape;
  const m = statements.length;
  const N = w * m;
  const opened = statements.map(({ constant, terms }) => {
    let value = constant;
    let blinding = 0n;
    for (const { index, factor } of terms) {
      value += factor * openings[index][0];
      blinding += factor * openings[index][1];
    }
    return { value: mod(value), blinding: mod(blinding) };
  });
  const G = Array.from({ length: N }, (_, k) => generators.G(Math.floor(k / w), k % w));
  const H = Array.from({ length: N }, (_, k) => generators.H(Math.floor(k / w), k % w));

  t.append('dom-sep', encode.utf8('rangeproof v1')).appendU64('n', w).appendU64('m', m);
  for (const statement of statements) t.append('V', evaluate(statement, points).toBytes());
  const proof = [];
  const put = (label, bytes) => {
    proof.push(bytes);
    if (label) t.append(label, bytes);
  };
  const challenge = (label) => wideScalar(t.challenge(label, 64));

  const alpha = random();
  const rho = random();
  const aL = Array.from({ length: N }, (_, k) => (opened[Math.floor(k / w)].value >> BigInt(k % w)) & 1n);
  const aR = aL.map((bit) => bit - 1n);
  const sL = aL.map(random);
  const sR = aL.map(random);
  put('A', msm([B_BLINDING, ...G, ...H], [alpha, ...aL, ...aR]).toBytes());
  put('S', msm([B_BLINDING, ...G, ...H], [rho, ...sL, ...sR]).toBytes());
  const y = challenge('y');
  const z = challenge('z');
  const power = (x, n) => Array.from({ length: n }).reduce((all) => [...all, mod(all.at(-1) * x)], [1n]);
  const yk = power(y, N);
  const zj = power(z, m + 3);
  const l0 = aL.map((bit) => mod(bit - z));
  const r0 = aR.map((bit, k) => mod(yk[k] * (bit + z) + zj[2 + Math.floor(k / w)] * 2n ** BigInt(k % w)));
  const r1 = sR.map((s, k) => mod(yk[k] * s));
  const t1 = mod(inner(l0, r1) + inner(sL, r0));
  const t2 = inner(sL, r1);
  const tau1 = random();
  const tau2 = random();
  put('T_1', commit(t1, tau1).toBytes());
  put('T_2', commit(t2, tau2).toBytes());
  const x = challenge('x');
  let a = l0.map((l, k) => mod(l + sL[k] * x));
  let b = r0.map((r, k) => mod(r + r1[k] * x));
  put('t_x', scalarBytes(inner(a, b)));
  put('t_x_blinding', scalarBytes(opened.reduce((sum, { blinding }, j) => sum + zj[2 + j] * blinding, x * tau1 + x * x * tau2)));
  put('e_blinding', scalarBytes(alpha + x * rho));
  const Q = multiply(B, challenge('w'));
  t.append('dom-sep', encode.utf8('ipp v1')).appendU64('n', N);

  // The folded generators are sums of those that they are folded from, one factor for each.
  let ofG = Array(N).fill(1n);
  let ofH = power(invert(y), N).slice(0, N);
  while (a.length > 1) {
    const half = a.length / 2;
    const low = (v) => v.slice(0, half);
    const high = (v) => v.slice(half);
    const isHigh = (k) => k % a.length >= half;
    const partner = (vector, k) => vector[(k + half) % a.length];
    const cross = (gHigh, product) => {
      const g = G.map((point, k) => [point, ofG[k] * partner(a, k % a.length), isHigh(k)]);
      const h = H.map((point, k) => [point, ofH[k] * partner(b, k % a.length), !isHigh(k)]);
      const taken = [...g, ...h].filter(([, , ofHigh]) => ofHigh === gHigh);
      return msm([...taken.map(([point]) => point), Q], [...taken.map(([, scalar]) => scalar), product]).toBytes();
    };
    put('L', cross(true, inner(low(a), high(b))));
    put('R', cross(false, inner(high(a), low(b))));
    const u = challenge('u');
    const v = invert(u);
    ofG = ofG.map((factor, k) => mod(factor * (isHigh(k) ? u : v)));
    ofH = ofH.map((factor, k) => mod(factor * (isHigh(k) ? v : u)));
    const fold = (vector, s, t) => low(vector).map((e, i) => mod(s * e + t * high(vector)[i]));
    [a, b] = [fold(a, u, v), fold(b, v, u)];
  }
  put('', scalarBytes(a[0]));
  put('', scalarBytes(b[0]));
  return concat(...proof);
}

/** The encoding of a share: f then g of each commitment (5.6.1). */
export const shareBytes = (share) => concat(...share.flatMap(([f, g]) => [scalarBytes(f), scalarBytes(g)]));

/** The share check of 5.6, one equation at a time. */
export function checkShare(trustee, bytes, options, dealingPoints, threshold, decodeScalar, decodePoint) {
  if (bytes.length !== 64 * options.length) return false;
  if (dealingPoints.length !== (threshold - 1) * options.length) return false;
  return options.every((option, j) => {
    const f = decodeScalar(bytes.subarray(64 * j, 64 * j + 32));
    const g = decodeScalar(bytes.subarray(64 * j + 32, 64 * j + 64));
    if (f === undefined || g === undefined) return false;
    let expected = decodePoint(option);
    for (let m = 1; m < threshold; m++) {
      const point = decodePoint(dealingPoints[j * (threshold - 1) + m - 1]);
      if (point === undefined || point.equals(IDENTITY)) return false;
      expected = expected.add(multiply(point, BigInt(trustee) ** BigInt(m)));
    }
    return commit(f, g).equals(expected);
  });
}
