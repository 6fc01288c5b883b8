// The manifest and its rules (spec 3.1, 3.2).

import { KEM_KEY, MAX, VERSION } from './bounds.js';
import { compare, hex } from './bytes.js';
import { canBeKept, committedOptions, shape, type Contest, type Shape } from './contests.js';
import { require } from './fault.js';
import { isQuorum } from './quorum.js';
import { Decoder } from './scale.js';
import * as transcript from './transcript.js';

export interface Style {
  readonly name: string;
  /** Places of its contests in the manifest. */
  readonly contests: readonly number[];
}

export interface Trustee {
  readonly name: string;
  readonly signingKey: Uint8Array;
  readonly kemKey: Uint8Array;
}

/** A board: k of its members act. */
export interface Board {
  readonly members: readonly Uint8Array[];
  readonly threshold: number;
}

export interface Manifest {
  readonly version: number;
  readonly title: string;
  readonly contests: readonly Contest[];
  readonly styles: readonly Style[];
  readonly units: readonly string[];
  readonly weights: readonly bigint[];
  readonly maxVoters: number;
  readonly privacyMinimum: number;
  readonly smallGroupsPublic: boolean;
  readonly maxBallots: number;
  readonly trustees: readonly Trustee[];
  readonly threshold: number;
  readonly quorum: number;
  readonly board: Board;
  readonly registrars: readonly Uint8Array[];
  readonly opensAt: bigint;
  readonly closesAt: bigint;
  readonly earlyClose: boolean;
  /** Whether totals are opened per cell of reporting units (spec 7.1). */
  readonly byUnit: boolean;
  /** The trustee that a rehearsal holds back, or 0 for none; nothing if this is no rehearsal (spec 3.8). */
  readonly rehearsal: number | undefined;
  readonly generators: Uint8Array;
  /** Whether all its names are UTF-8. */
  readonly areTexts: boolean;
}

const name = (d: Decoder): string => d.text(MAX.name);

const contest = (d: Decoder): Contest => ({
  title: name(d),
  options: d.list(MAX.options, name),
  maxEach: d.u32(),
  minSum: d.u32(),
  maxSum: d.u32(),
});

const style = (d: Decoder): Style => ({ name: name(d), contests: d.list(MAX.contests, (d) => d.u16()) });

const trustee = (d: Decoder): Trustee => ({ name: name(d), signingKey: d.id(), kemKey: d.blob(KEM_KEY) });

export const board = (d: Decoder): Board => ({ members: d.list(MAX.members, (d) => d.id()), threshold: d.u8() });

const fields = (d: Decoder): Omit<Manifest, 'areTexts'> => ({
  version: d.u16(),
  title: name(d),
  contests: d.list(MAX.contests, contest),
  styles: d.list(MAX.styles, style),
  units: d.list(MAX.units, name),
  weights: d.list(MAX.weights, (d) => d.u64()),
  maxVoters: d.u32(),
  privacyMinimum: d.u32(),
  smallGroupsPublic: d.bool(),
  maxBallots: d.u8(),
  trustees: d.list(MAX.trustees, trustee),
  threshold: d.u8(),
  quorum: d.u8(),
  board: board(d),
  registrars: d.list(MAX.registrars, (d) => d.id()),
  opensAt: d.u64(),
  closesAt: d.u64(),
  earlyClose: d.bool(),
  byUnit: d.bool(),
  rehearsal: d.option((d) => d.u8()),
  generators: d.id(),
});

export function manifest(d: Decoder): Manifest {
  const [value, areTexts] = d.withTexts(fields);
  return { ...value, areTexts };
}

export const differ = (items: readonly Uint8Array[]): boolean => new Set(items.map(hex)).size === items.length;

const ascends = <T>(items: readonly T[]): boolean => items.every((item, i) => i === 0 || items[i - 1]! < item);

export const isBoard = ({ members, threshold }: Board): boolean =>
  differ(members) && 1 <= threshold && threshold <= members.length;

/** Whether a rehearsal, if this is one, holds back a trustee, and none if the quorum needs all (spec 3.1, 3.8). */
const canRehearse = ({ rehearsal, trustees, quorum }: Manifest): boolean =>
  rehearsal === undefined || (rehearsal <= trustees.length && (rehearsal === 0) === (quorum === trustees.length));

export const contestsOf = (manifest: Manifest, style: Style): Contest[] =>
  style.contests.map((index) => manifest.contests[index]!);

/** The columns of the election: the committed options of all contests (spec 3.3). */
export const columns = (manifest: Manifest): number =>
  manifest.contests.reduce((sum, contest) => sum + committedOptions(contest), 0);

/** The columns that the commitments of a ballot of this style belong to. */
export function columnsOf(manifest: Manifest, style: Style): number[] {
  let column = 0;
  return manifest.contests.flatMap((contest, index) => {
    const own = Array.from({ length: committedOptions(contest) }, () => column++);
    return style.contests.includes(index) ? own : [];
  });
}

/** Checks the rules of 3.1, and gives the shape of each style's ballots. */
export function validate(manifest: Manifest, generators: Uint8Array): Shape[] {
  const rule = (holds: boolean, what: string): void => require(holds, '3.1', `the manifest: ${what}`);
  const { contests, styles, weights, trustees, board } = manifest;
  rule(manifest.version === VERSION, 'another version');
  rule(manifest.areTexts, 'a name is not UTF-8');
  rule(contests.length > 0, 'no contest');
  for (const contest of contests) {
    rule(contest.options.length > 0, `contest “${contest.title}” has no option`);
    rule(canBeKept(contest), `the rule of contest “${contest.title}” can’t be kept`);
  }
  rule(columns(manifest) <= MAX.columns, 'too many options');
  rule(styles.length > 0, 'no ballot style');
  const shapes = styles.map((style) => {
    rule(
      style.contests.length > 0 && ascends(style.contests) && style.contests.every((i) => i < contests.length),
      `the contests of style “${style.name}” are not known ones in ascending order`,
    );
    const ballot = shape(contestsOf(manifest, style));
    rule(ballot !== undefined, `a ballot of style “${style.name}” has too many range bits`);
    return ballot!;
  });
  rule(manifest.units.length > 0, 'no reporting unit');
  rule(
    !manifest.byUnit || manifest.units.length * columns(manifest) <= MAX.sums,
    'too many options and reporting units for totals per unit',
  );
  rule(weights.length > 0 && ascends(weights) && weights[0]! > 0n, 'the weights do not ascend from above zero');
  rule(1 <= manifest.maxVoters && manifest.maxVoters <= MAX.rollEntries, 'max_voters is out of its bounds');
  rule(1 <= manifest.maxBallots && manifest.maxBallots <= MAX.ballotsPerCredential, 'max_ballots is out of its bounds');
  rule(trustees.every(({ kemKey }) => kemKey.length === KEM_KEY), 'a KEM key is not of 1,216 bytes');
  rule(differ(trustees.map(({ kemKey }) => kemKey)), 'two trustees have the same KEM key');
  rule(
    isQuorum(trustees.length, manifest.threshold, manifest.quorum),
    'threshold and quorum do not fit the number of trustees',
  );
  rule(canRehearse(manifest), 'a rehearsal holds back no trustee, though the quorum needs not all, or one that it needs');
  rule(isBoard(board), 'the board is not valid');
  rule(manifest.registrars.length > 0, 'no registrar');
  rule(
    differ([...board.members, ...manifest.registrars, ...trustees.map(({ signingKey }) => signingKey)]),
    'a signing key has two roles',
  );
  rule(manifest.closesAt > manifest.opensAt, 'it closes before it opens');
  const most = contests.reduce((most, { maxSum }) => Math.max(most, maxSum), 0);
  rule(
    weights.at(-1)! * BigInt(manifest.maxVoters) * BigInt(most) < 2n ** 64n,
    'the totals could pass 64 bits',
  );
  rule(compare(manifest.generators, generators) === 0, 'its generators are others than those of this protocol');
  return shapes;
}

export const identifier = (genesis: Uint8Array, number: number, manifest: Uint8Array): Uint8Array =>
  transcript.eid(genesis, number, manifest);
