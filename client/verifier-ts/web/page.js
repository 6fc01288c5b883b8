// The page: reads a record piece by piece, and shows the report of its verification.

import { unhex } from '../dist/bytes.js';
import { derive } from '../dist/generators.js';
import { Verifier } from '../dist/verify.js';

const PIECE = 1 << 16;

const element = (id) => document.getElementById(id);
const [form, file, drop, status, progress, section] = ['form', 'file', 'drop', 'status', 'progress', 'report'].map(element);

/** Lets the page show what has changed, and take clicks. */
const breathe = () => new Promise((resolve) => setTimeout(resolve));

function show(text, share) {
  status.textContent = text;
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

async function verify(record) {
  const genesis = element('genesis').value.trim().replace(/^0x/i, '').toLowerCase();
  show('Deriving the generators …', 0);
  section.hidden = true;
  await (generators ??= deriveGenerators());
  const verifier = new Verifier(genesis === '' ? {} : { genesis: unhex(genesis) });
  let read = 0;
  for (let at = 0; at < record.size && !verifier.failed; at += PIECE) {
    verifier.push(new Uint8Array(await record.slice(at, at + PIECE).arrayBuffer()));
    read = Math.min(at + PIECE, record.size);
    show(`Verifying ${record.name} …`, read / record.size);
    await breathe();
  }
  const report = verifier.end();
  show(`${record.name}: ${report.verified ? 'verified' : 'not verified'}.`);
  render(report);
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

function render(report) {
  const what = report.rehearsal ? 'the rehearsal' : 'the election';
  element('verdict').textContent = report.verified ? `Verified: ${what} was ${report.outcome === 'void' ? 'voided' : 'certified'}` : 'Not verified';
  element('verdict').className = report.verified ? 'verified' : 'rejected';
  element('rehearsal').textContent = report.rehearsal?.meaning ?? '';
  element('rehearsal').hidden = !report.rehearsal;
  element('fault').replaceChildren(...fault(report));
  element('totals').replaceChildren(
    ...(report.cells ? [node('h3', 'In the whole election')] : []),
    ...(report.contests ?? []).map(contest),
    ...(report.cells ?? []).flatMap(cell),
  );
  element('checks').replaceChildren(
    ...report.checks.map(({ number, verdict, meaning }) => {
      const cell = node('td', verdict === 'failed' ? 'FAILED' : verdict);
      if (verdict !== 'passed') cell.className = verdict === 'failed' ? 'failed' : 'not';
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
    ['Last block', lastBlock && `${lastBlock.number} ${lastBlock.hash}`],
    ...notes.map((note) => ['Note', note]),
  ].filter(([, value]) => value !== undefined);
}

let busy = false;

async function take(record) {
  if (busy || record === undefined || !form.reportValidity()) return;
  busy = true;
  file.disabled = true;
  try {
    await verify(record);
  } catch (error) {
    show(`The file can’t be read: ${error instanceof Error ? error.message : error}`);
  } finally {
    busy = false;
    file.disabled = false;
    file.value = '';
  }
}

form.addEventListener('submit', (event) => event.preventDefault());
file.addEventListener('change', () => take(file.files[0]));
for (const type of ['dragover', 'dragleave', 'drop']) {
  drop.addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.toggle('over', type === 'dragover');
    if (type === 'drop') take(event.dataTransfer.files[0]);
  });
}
