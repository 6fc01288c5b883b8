// All tests in one process, so that the generators, which take seconds, are derived once.

import { readdirSync } from 'node:fs';

for (const name of readdirSync(new URL('.', import.meta.url)).sort()) {
  if (name.endsWith('.test.js')) await import(`./${name}`);
}
