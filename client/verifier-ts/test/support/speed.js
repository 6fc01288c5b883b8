// How fast a record is verified: node test/support/speed.js [BALLOTS]. Preparing the ballots takes longer.

import { verify } from '../../dist/verify.js';
import { key, OPENS, run } from './network.js';

const count = Number(process.argv[2] ?? 200);
const name = (i) => `speed ${i}`;

/** `count` voters of one style with ten options of which one is chosen. */
const manifest = {
  contests: [{ title: 'One of ten', options: Array.from({ length: 10 }, (_, i) => `Option ${i + 1}`), maxEach: 1, minSum: 1, maxSum: 1 }],
  styles: [{ name: 'All', contests: [0] }],
  maxVoters: count,
  quorum: 4,
};
const trustees = [1, 2, 3, 4];

const network = run(
  {
    setup: (n) => n.block(n.accept()),
    roll: (n) => {
      for (let first = 0; first < count; first += 2000) {
        const entries = Array.from({ length: Math.min(2000, count - first) }, (_, i) => n.direct(name(first + i)));
        n.block([n.addBatch(entries)]);
        n.block(n.confirm(first / 2000, entries));
      }
    },
    vote: (n) => {
      n.block([], { time: OPENS });
      for (let first = 0; first < count; first += 100) {
        const casts = Array.from({ length: Math.min(100, count - first) }, (_, i) =>
          n.cast(name(first + i), [Array.from({ length: 10 }, (_, option) => (option === i % 10 ? 1 : 0))], { receipts: trustees }));
        n.block(casts);
      }
    },
    agree: (n) => {
      n.root = n.statement(n.closing).root;
      n.block(n.agree(n.statement(n.closing), trustees));
    },
  },
  manifest,
);
const record = network.record();
key(name(0));

const start = performance.now();
const report = verify(record);
const seconds = (performance.now() - start) / 1000;
if (!report.verified) throw new Error(JSON.stringify(report.fault));
console.log(`${count} ballots, ${record.length} bytes: ${seconds.toFixed(2)} s, ${(count / seconds).toFixed(0)} ballots per second, generators not counted`);
