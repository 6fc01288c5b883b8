// The page: reads a record piece by piece, and the files beside it, and shows the report of their verification.

import { MAX } from '../dist/bounds.js';
import { CERTIFICATE } from '../dist/certificate.js';
import { derive } from '../dist/generators.js';
import { readKnown } from '../dist/known.js';
import { cautions } from '../dist/report.js';
import { Verifier } from '../dist/verify.js';

const PIECE = 1 << 16;

const element = (id) => document.getElementById(id);
const [form, file, drop, status, progress, section] = ['form', 'file', 'drop', 'status', 'progress', 'report'].map(element);

/** Lets the page show what has changed, and take clicks. */
const breathe = () => new Promise((resolve) => setTimeout(resolve));

/** What is shown again is not said again. */
function show(text, share) {
  if (status.textContent !== text) status.textContent = text;
  progress.hidden = share === undefined;
  if (share !== undefined) progress.value = share;
}

let generators;

/** Derives the generators of the proofs, once. */
async function deriveGenerators() {
  let shown = performance.now();
  let steps = 0;
  for (const _ of derive()) {
    steps++;
    if (performance.now() - shown < 50) continue;
    show('Deriving the generators …', steps / 4096);
    await breathe();
    shown = performance.now();
  }
}

/** What the reader typed; a field that can't be read is marked, and nothing is verified. */
function typed() {
  const fields = ['genesis', 'board', 'eid', 'fingerprint'].map((name) => [name, element(name)]);
  const { known, wrong } = readKnown(Object.fromEntries(fields.map(([name, { value }]) => [name, value])));
  for (const [name, field] of fields) {
    const form = name === 'board' ? 'Write it as K:KEY,KEY,…: the threshold, then keys of 64 hexadecimal digits.' : 'Write it as 64 hexadecimal digits.';
    field.setCustomValidity(wrong.includes(name) ? form : '');
    field.setAttribute('aria-invalid', wrong.includes(name));
  }
  return form.reportValidity() ? known : undefined;
}

const bytesOf = async (file) => new Uint8Array(await file.arrayBuffer());

/** A file beside the record: no more of it than shows that it is too long. */
const beside = async (file, most) => file && bytesOf(file.slice(0, most + 1));

async function verify({ record, finality, certificate }, known) {
  section.hidden = true;
  show('Deriving the generators …', 0);
  await (generators ??= deriveGenerators());
  const verifier = new Verifier(known);
  let read = 0;
  for (let at = 0; at < record.size && !verifier.failed; at += PIECE) {
    verifier.push(await bytesOf(record.slice(at, at + PIECE)));
    read = Math.min(at + PIECE, record.size);
    show(`Verifying ${record.name} …`, read / record.size);
    await breathe();
  }
  const report = verifier.end({
    finality: await beside(finality, MAX.finality),
    certificate: await beside(certificate, CERTIFICATE),
  });
  show(`${record.name}: ${report.verified ? 'verified' : 'not verified'}.`);
  render(report, known);
}

/** An element with text, attributes and children. */
function node(name, text = '', ...children) {
  const made = document.createElement(name);
  made.textContent = text;
  made.append(...children);
  return made;
}

function row(...cells) {
  const made = document.createElement('tr');
  made.append(...cells);
  return made;
}

function heading(text) {
  const made = node('th', text);
  made.scope = 'row';
  return made;
}

function number(text) {
  const made = node('td', text);
  made.className = 'number';
  return made;
}

function render(report, known) {
  const what = report.rehearsal ? 'the rehearsal' : 'the election';
  element('verdict').textContent = report.verified ? `Verified: ${what} was ${report.outcome === 'void' ? 'voided' : 'certified'}` : 'Not verified';
  element('verdict').className = report.verified ? 'verified' : 'rejected';
  element('rehearsal').textContent = report.rehearsal?.meaning ?? '';
  element('rehearsal').hidden = !report.rehearsal;
  element('fault').replaceChildren(...fault(report));
  element('cautions').replaceChildren(...cautions(report, known).map((text) => node('li', text)));
  element('totals').replaceChildren(
    ...(report.cells ? [node('h3', 'In the whole election')] : []),
    ...(report.contests ?? []).map(contest),
    ...(report.cells ?? []).flatMap(cell),
  );
  element('checks').replaceChildren(
    ...report.checks.map(({ number, verdict, meaning }) => {
      const cell = node('td', verdict === 'failed' ? 'FAILED' : verdict);
      cell.className = verdict === 'passed' || verdict === 'failed' ? verdict : 'not';
      return row(heading(String(number)), cell, node('td', meaning));
    }),
  );
  element('facts').replaceChildren(...facts(report).flatMap(([name, value]) => [node('dt', name), described(value)]));
  section.hidden = false;
  element('verdict').focus();
}

/** A value; hashes and keys in letters of one width. */
function described(value) {
  const made = node('dd', value);
  if (/[0-9a-f]{64}/.test(value)) made.className = 'code';
  return made;
}

function fault({ fault }) {
  if (!fault) return [];
  return [
    node('p', `Check ${fault.check} fails: ${fault.what} (spec ${fault.rule}).`),
    node('p', `Object: ${fault.object}. Party: ${fault.party}.`),
  ];
}

function contest({ title, ballots, weight, options }) {
  const table = document.createElement('table');
  table.append(
    node('caption', `${title} (${ballots} ${ballots === 1 ? 'ballot' : 'ballots'}, weight ${weight})`),
    node('tbody', '', ...options.map(({ name, total }) => row(heading(name), number(total)))),
  );
  return table;
}

/** The totals of a cell, under its units' names. */
function cell({ units, contests }) {
  return [node('h3', `In ${units.join(', ')}`), ...contests.map(contest)];
}

function facts(report) {
  const { ballots, lastBlock, board, units = [], notes } = report;
  return [
    ['Election', report.title],
    ['Identifier', report.election],
    ['Chain', report.genesis],
    ['Chain’s board', board && `${board.threshold}:${board.members.join(',\n')}`],
    ...units.map(({ name, entries, registered, voted }) => [
      `Unit ${name}`,
      `${entries} entries, ${registered} registered, ${voted} voted`,
    ]),
    ['Ballots', ballots && `${ballots.accepted} accepted, ${ballots.counted} counted, ${ballots.excluded} excluded`],
    ['Roll log', report.rollLog],
    ['Ballot log', report.ballotLog],
    ['Set', report.set],
    ['Result', report.result],
    ['Reason', report.reason],
    ['SHA-256 of the file', report.file],
    ['SHA-256 of the key that certified it', report.certificate?.fingerprint],
    ['SHA-256 of that signature', report.certificate?.signature],
    ['Last block', lastBlock && `${lastBlock.number} ${lastBlock.hash}`],
    ...notes.map((note) => ['Note', note]),
  ].filter(([, value]) => value !== undefined);
}

let busy = false;

/** The record, and what lies beside it, by their names; nothing if there is not one of each at most. */
function sorted(files) {
  const ending = (name) => files.filter((file) => file.name.endsWith(name));
  const [finality, certificate] = [ending('.finality'), ending('.certificate')];
  const records = files.filter((file) => ![...finality, ...certificate].includes(file));
  if (records.length !== 1 || finality.length > 1 || certificate.length > 1) return undefined;
  return { record: records[0], finality: finality[0], certificate: certificate[0] };
}

async function take(files) {
  if (busy || files.length === 0) return;
  const [own, known] = [sorted(files), typed()];
  busy = true;
  file.disabled = true;
  try {
    if (own === undefined) show('Take one record, with one .finality and one .certificate file at most.');
    else if (known === undefined) show('A field above can’t be read. Mend it, then choose the files again.');
    else await verify(own, known);
  } catch (error) {
    show(`The file can’t be read: ${error instanceof Error ? error.message : error}`);
  } finally {
    busy = false;
    file.disabled = false;
    file.value = '';
  }
}

form.addEventListener('submit', (event) => event.preventDefault());
file.addEventListener('change', () => take([...file.files]));
for (const type of ['dragover', 'dragleave', 'drop']) {
  drop.addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.toggle('over', type === 'dragover');
    if (type === 'drop') take([...event.dataTransfer.files]);
  });
}
