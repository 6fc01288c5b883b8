// Elections in which one thing is forbidden: the check that fails is named (spec 9.2).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text } from '../../dist/report.js';
import { verify } from '../../dist/verify.js';
import { runUntil } from './network.js';

/** Tests of cases by check: each replaces steps, and where its name begins with a rule of 6.4, that is broken. */
export function forbids(cases) {
  for (const [check, own] of Object.entries(cases)) {
    for (const [name, steps] of Object.entries(own)) {
      test(`check ${check} fails: ${name}`, () => {
        const report = verify(runUntil(steps).record());
        assert.ok(!report.verified);
        assert.equal(report.fault.check, Number(check), JSON.stringify(report.fault));
        const [, rule] = /^(6\.4\.\d)/.exec(name) ?? [];
        if (rule) assert.equal(report.fault.rule, rule);
        assert.equal(report.checks[check - 1].verdict, 'failed');
        assert.ok(report.fault.object.length > 0 && report.fault.party.length > 0);
        assert.match(text(report), /NOT VERIFIED$/);
      });
    }
  }
}
