// The report of a verification (spec 9.2): the checks, and what an auditor compares with other sources.

import { hex } from './bytes.js';
import type { Fingerprints } from './certificate.js';
import { trackingCode } from './codes.js';
import type { Fault } from './fault.js';
import type { Manifest } from './manifest.js';
import type { Replay } from './replay.js';
import type { CountedSet, Known } from './replay/state.js';
import { ofCell, turnouts, type Turnout } from './tally.js';

/** What holds if a check passes; the numbers are those of spec 9.2. */
export const CHECKS: readonly string[] = [
  'the file is a whole election record of this version',
  'the headers are linked, and their times go with their slots',
  'generators, manifest and identifier are right',
  'the chain’s board created the election',
  'every trustee accepted, before registration, and signed its addresses',
  'the roll is made by registrars, board and voters, and frozen as it is',
  'freeze, times and close are the board’s, as the rules allow',
  'every ballot is valid, from the roll, in time and vouched for',
  'each counted ballot has a roll entry of its own, with its weight and unit',
  'no group is below the privacy minimum',
  'a quorum of trustees signed the very set of counted ballots; what they lack is declared',
  'the sums of the commitments in each cell of reporting units, computed anew',
  'contributions are by different trustees, for the agreed set and each cell of it',
  'the contributions open the sums, and the totals of each cell fit its turnout',
  'the election’s board certified this result, or voided the election',
  'nothing follows',
  'the last block is final, by the proof beside the record',
  'this very file is certified, by the certificate beside the record',
];

/** The file of a whole record, and what is known of its certificate if that holds. */
export interface File {
  readonly sha256: Uint8Array;
  readonly certificate?: Fingerprints;
}

export type Verdict = 'passed' | 'failed' | 'not applicable' | 'not reached';

export interface Check {
  readonly number: number;
  readonly meaning: string;
  readonly verdict: Verdict;
}

/** A contest's turnout and its options' totals, in the election or in a cell. */
export interface ContestTotals {
  readonly title: string;
  readonly ballots: number;
  readonly weight: string;
  readonly options: readonly { readonly name: string; readonly total: string }[];
}

/** A report that JSON can hold: byte strings in hexadecimal, large numbers in decimal. */
export interface Report {
  readonly verified: boolean;
  readonly checks: readonly Check[];
  readonly fault?: {
    readonly check: number;
    readonly rule: string;
    readonly what: string;
    readonly object: string;
    readonly party: string;
  };
  readonly genesis?: string;
  readonly board?: { readonly threshold: number; readonly members: readonly string[] };
  readonly election?: string;
  readonly title?: string;
  /** Of a rehearsal, which counts for nothing: so in words, and the trustee that it holds back, if any. */
  readonly rehearsal?: { readonly meaning: string; readonly heldBack?: number };
  readonly outcome?: 'certified' | 'void';
  readonly reason?: string;
  /** The totals of the election: only of a record that is verified. */
  readonly contests?: readonly ContestTotals[];
  /** The totals of each cell, with its units' names, where there is more than one. */
  readonly cells?: readonly { readonly units: readonly string[]; readonly contests: readonly ContestTotals[] }[];
  readonly units?: readonly {
    readonly name: string;
    readonly entries: number;
    readonly registered: number;
    readonly voted: number;
  }[];
  readonly ballots?: { readonly accepted: number; readonly counted: number; readonly excluded: number; readonly olderAnchors: number };
  /** Ballots that too many trustees lack: who they are, and who vouched for them. */
  readonly excluded?: readonly {
    readonly ballot: string;
    readonly credential: string;
    readonly lacking: readonly number[];
    readonly receipts: readonly number[];
  }[];
  readonly rollLog?: string;
  readonly ballotLog?: string;
  readonly set?: string;
  readonly result?: string;
  readonly contributors?: readonly number[];
  /** The SHA-256 of the record's whole file, and those of its certificate's key and signature. */
  readonly file?: string;
  readonly certificate?: { readonly fingerprint: string; readonly signature: string };
  readonly lastBlock?: { readonly number: number; readonly hash: string; readonly time: string };
  /** Trustees who signed another set, or contributed wrongly, and what else is to be known. */
  readonly notes: readonly string[];
}

export function report(replay: Replay | undefined, fault: Fault | undefined, file?: File): Report {
  const verified = fault === undefined;
  const checks = CHECKS.map((meaning, index): Check => {
    const number = index + 1;
    return { number, meaning, verdict: verdict(number, replay, fault) };
  });
  return {
    verified,
    checks,
    ...(fault && { fault: { ...fault.place, rule: fault.rule, what: fault.what } }),
    ...(replay && contents(replay)),
    ...(verified && replay?.result && totals(replay)),
    ...(file && { file: hex(file.sha256) }),
    ...(file?.certificate && {
      certificate: { fingerprint: hex(file.certificate.key), signature: hex(file.certificate.signature) },
    }),
    notes: replay === undefined ? [] : notes(replay),
  };
}

function verdict(number: number, replay: Replay | undefined, fault: Fault | undefined): Verdict {
  if (fault?.place.check === number) return 'failed';
  if (replay?.passed.has(number)) return 'passed';
  if (fault !== undefined) return 'not reached';
  // No file beside the record; or the election was voided: of a small group that was counted nothing was opened.
  return number === 10 && replay?.set?.withheld !== undefined ? 'passed' : 'not applicable';
}

function contents(replay: Replay): Partial<Report> {
  const { opening, election, phase, set, result, chain } = replay;
  const last = chain.last;
  return {
    genesis: hex(opening.genesis),
    board: { threshold: opening.board.threshold, members: opening.board.members.map(hex) },
    election: hex(opening.eid),
    ...(election && {
      title: election.manifest.title,
      ...(election.manifest.rehearsal !== undefined && { rehearsal: rehearsal(election.manifest) }),
      units: units(replay),
      ballots: {
        accepted: replay.ballots,
        counted: set?.voters.length ?? countedVoters(replay),
        excluded: set?.excluded.size ?? 0,
        olderAnchors: replay.olderAnchors,
      },
      rollLog: hex(election.roll.head),
      ballotLog: hex(replay.ballotLog),
    }),
    ...(phase === 'Certified' && { outcome: 'certified' as const }),
    ...(phase === 'Void' && { outcome: 'void' as const, reason: replay.voidReason ?? '' }),
    ...(set && { set: hex(set.root) }),
    ...(set && set.excluded.size > 0 && { excluded: excluded(set) }),
    ...(result && { result: hex(result.digest), contributors: result.contributors }),
    ...(last && { lastBlock: { number: last.height, hash: hex(last.hash), time: last.time.toString() } }),
  };
}

function countedVoters({ election }: Replay): number {
  let count = 0;
  for (const { counted } of election!.roll.voters.values()) if (counted !== undefined) count++;
  return count;
}

const excluded = (set: CountedSet): NonNullable<Report['excluded']> =>
  [...set.excluded].map(([credential, { voter, lacking }]) => {
    const { hash, receipts } = voter.counted!;
    return { ballot: trackingCode(hash), credential, lacking, receipts };
  });

function units({ election }: Replay): NonNullable<Report['units']> {
  const { manifest, roll } = election!;
  const all = manifest.units.map((name) => ({ name, entries: 0, registered: 0, voted: 0 }));
  for (const { unit } of roll.entries) all[unit]!.entries++;
  for (const { unit, counted } of roll.voters.values()) {
    all[unit]!.registered++;
    if (counted !== undefined) all[unit]!.voted++;
  }
  return all;
}

function rehearsal({ rehearsal: trustee, trustees }: Manifest): NonNullable<Report['rehearsal']> {
  const counts = 'This record is of a REHEARSAL and counts for nothing.';
  if (!trustee) return { meaning: `${counts} No trustee was held back.` };
  return { meaning: `${counts} Trustee ${trustee}, “${trustees[trustee - 1]!.name}”, was held back.`, heldBack: trustee };
}

/** The totals of the election, and of its cells. */
function totals({ election, result, set }: Replay): Pick<Report, 'contests' | 'cells'> {
  const { manifest } = election!;
  const { contests, units } = manifest;
  const named = (turnout: readonly Turnout[], totals: readonly (readonly bigint[])[]): ContestTotals[] =>
    contests.map(({ title, options }, contest) => ({
      title,
      ballots: turnout[contest]!.ballots,
      weight: turnout[contest]!.weight.toString(),
      options: options.map((name, option) => ({ name, total: totals[contest]![option]!.toString() })),
    }));
  const cells = set!.cells.map(({ first, end }, cell) => ({
    units: units.slice(first, end),
    contests: named(ofCell(set!.turnout, cell, contests.length), result!.totals[cell]!),
  }));
  const together = result!.totals.reduce((all, cell) =>
    all.map((totals, contest) => totals.map((total, option) => total + cell[contest]![option]!)));
  const turnout = turnouts(manifest, [{ first: 0, end: units.length }], set!.voters);
  return { contests: named(turnout, together), ...(cells.length > 1 && { cells }) };
}

function notes({ election, result, set, olderAnchors }: Replay): string[] {
  const all: string[] = [];
  const statements = election?.statements;
  const dissenters = (set && statements?.others(set.statement)) ?? [];
  if (dissenters.length > 0) all.push(`signed another set of ballots: trustee ${dissenters.join(', ')}`);
  if (statements !== undefined && statements.last !== statements.quorum) {
    all.push(`the board lowered the quorum for the set from ${statements.quorum} to ${statements.last}`);
  }
  for (const { ballot, lacking, receipts } of set ? excluded(set) : []) {
    const vouched = `receipts for it are by trustee ${receipts.join(', ')}`;
    all.push(`ballot ${ballot} is excluded, as trustee ${lacking.join(', ')} lack it; ${vouched}`);
  }
  if (result !== undefined && result.wrong.length > 0) {
    all.push(`contributed wrongly: trustee ${result.wrong.join(', ')}`);
  }
  if (set?.withheld !== undefined) all.push(`nothing may be opened: ${set.withheld}`);
  if (olderAnchors > 0) all.push(`ballots with an anchor older than the record, which is taken as it is: ${olderAnchors}`);
  return all;
}

/** What a reader who knew no more than this must still compare, of a record that is verified. */
export function cautions({ verified, checks, certificate }: Report, known: Known): string[] {
  if (!verified) return [];
  const itself = [
    known.genesis === undefined && 'which chain this is',
    known.board === undefined && 'who is on the chain’s board',
    known.eid === undefined && 'which election this is',
  ].filter((what) => what !== false);
  const all: string[] = [];
  if (itself.length > 0) all.push(`The record itself says ${itself.join(' and ')}: compare that with another source.`);
  const final = checks.some(({ number, verdict }) => number === 17 && verdict === 'passed');
  if (!final) all.push('No proof that the last block is final: compare its hash with a node that you trust.');
  const unknown = certificate !== undefined && known.fingerprint === undefined;
  if (unknown) all.push('Whose key certified the file is not known: compare its fingerprint with the one in print.');
  return all;
}

/** The report as text. */
export function text(report: Report): string {
  const lines: string[] = [];
  const line = (name: string, value: string | number | undefined): void => {
    if (value !== undefined) lines.push(`${`${name}:`.padEnd(14)} ${value}`);
  };
  if (report.rehearsal) lines.push(report.rehearsal.meaning, '');
  line('election', report.title);
  line('identifier', report.election);
  line('chain', report.genesis);
  if (report.board) line('its board', `${report.board.threshold}:${report.board.members.join(',')}`);
  lines.push('');
  for (const { number, meaning, verdict } of report.checks) {
    const shown = verdict === 'failed' ? 'FAILED' : verdict;
    lines.push(`${String(number).padStart(2)}  ${shown.padEnd(14)}  ${meaning}`);
  }
  lines.push('');
  const { fault } = report;
  if (fault) {
    line('failed', `check ${fault.check}, spec ${fault.rule}: ${fault.what}`);
    line('object', fault.object);
    line('party', fault.party);
    lines.push('');
  }
  if (report.cells) lines.push('In the whole election:', '');
  for (const contest of report.contests ?? []) lines.push(...contestLines(contest), '');
  for (const { units, contests } of report.cells ?? []) {
    lines.push(`In ${units.join(', ')}:`);
    for (const contest of contests) lines.push(...contestLines(contest).map((line) => `  ${line}`));
    lines.push('');
  }
  for (const { name, entries, registered, voted } of report.units ?? []) {
    line('unit', `${name}: ${entries} entries, ${registered} registered, ${voted} voted`);
  }
  if (report.ballots) line('ballots', `${report.ballots.accepted} accepted, ${report.ballots.counted} counted, ${report.ballots.excluded} excluded`);
  line('roll log', report.rollLog);
  line('ballot log', report.ballotLog);
  line('set', report.set);
  line('result', report.result);
  line('reason', report.reason);
  if (report.lastBlock) line('last block', `${report.lastBlock.number} ${report.lastBlock.hash}`);
  line('file', report.file);
  line('certified by', report.certificate?.fingerprint);
  line('signature', report.certificate?.signature);
  for (const note of report.notes) line('note', note);
  const outcome = report.rehearsal ? `${report.outcome}; a REHEARSAL that counts for nothing` : report.outcome;
  lines.push('', report.verified ? `VERIFIED (${outcome})` : 'NOT VERIFIED');
  return lines.join('\n');
}

const contestLines = ({ title, ballots, weight, options }: ContestTotals): string[] => [
  `${title} (${ballots} ${ballots === 1 ? 'ballot' : 'ballots'}, weight ${weight})`,
  ...options.map(({ name, total }) => `${total.padStart(12)}  ${name}`),
];
