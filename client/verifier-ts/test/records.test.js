// Records of other networks, from the folder that PSEPHOS_RECORDS names: all files in it that end in .psephos.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FrameReader } from '../dist/record.js';
import { verify } from '../dist/verify.js';
import * as encode from './support/encode.js';

const folder = process.env.PSEPHOS_RECORDS;
const names = folder === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith('.psephos'));

test('records of other networks', { skip: names.length === 0 && 'PSEPHOS_RECORDS names no folder with records' }, async (t) => {
  for (const name of names) {
    const record = new Uint8Array(readFileSync(join(folder, name)));
    await t.test(`${name} is verified`, () => {
      const report = verify(record);
      assert.ok(report.verified, JSON.stringify(report.fault));
    });
    await t.test(`${name} is rejected without its messages, a frame, or its end`, () => {
      const frames = [...new FrameReader().push(record)];
      assert.deepEqual(encode.record(frames), record);
      for (const index of [0, 1, frames.length >> 1, frames.length - 1]) {
        assert.ok(!verify(encode.record(frames.filter((_, i) => i !== index))).verified, `frame ${index}`);
      }
      assert.ok(!verify(record.subarray(0, -1)).verified);
    });
  }
});
