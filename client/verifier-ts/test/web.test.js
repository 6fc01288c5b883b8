// The page finds all its modules without a bundler, and they need no Node.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { server } from '../web/serve.js';

let base;
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

const get = async (url) => {
  const response = await fetch(url);
  assert.equal(response.status, 200, url.toString());
  return response.text();
};

test('every module of the page is found', async () => {
  const page = new URL('/web/index.html', base);
  const html = await get(page);
  const { imports } = JSON.parse(/<script type="importmap">(.*?)<\/script>/s.exec(html)[1]);
  const resolve = (specifier, from) => {
    const prefix = Object.keys(imports).find((prefix) => specifier.startsWith(prefix));
    if (prefix) return new URL(imports[prefix] + specifier.slice(prefix.length), page);
    assert.match(specifier, /^\.\.?\//, `${specifier} in ${from}`);
    return new URL(specifier, from);
  };
  const seen = new Set();
  const visit = async (url) => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    const source = (await get(url)).replace(/\/\*[\s\S]*?\*\//g, '');
    for (const [, specifier] of source.matchAll(/^\s*(?:import|export)\b[^'";]*?from\s*['"]([^'"]+)['"]/gm)) {
      await visit(resolve(specifier, url));
    }
  };
  await visit(new URL('page.js', page));
  assert.ok([...seen].some((url) => url.endsWith('/dist/replay.js')));
  assert.ok([...seen].some((url) => url.includes('/@noble/hashes/')));
});

test('the page’s policy allows its import map', async () => {
  const html = await get(new URL('/web/index.html', base));
  const [, map] = /<script type="importmap">(.*?)<\/script>/s.exec(html);
  const digest = createHash('sha256').update(map).digest('base64');
  assert.ok(html.includes(`'sha256-${digest}'`));
});

test('nothing else is served', async () => {
  for (const path of ['/package.json', '/test/web.test.js', '/web/../package.json', '/dist/', '/node_modules/typescript/package.json']) {
    assert.equal((await fetch(base + path)).status, 404, path);
  }
});
