// Serves the page to this machine alone: `npm run web`, then open the address that it prints.

import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8' };
const PUBLIC = /^\/(web\/|dist\/|node_modules\/@noble\/(curves|hashes|post-quantum)\/)/;

export const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const path = normalize(pathname === '/' ? '/web/index.html' : pathname);
  const type = TYPES[extname(path)];
  const file = join(ROOT, path);
  if (pathname === '/') response.writeHead(302, { location: '/web/index.html' }).end();
  else if (type === undefined || !PUBLIC.test(path) || !statSync(file, { throwIfNoEntry: false })?.isFile()) {
    response.writeHead(404).end();
  } else {
    response.writeHead(200, { 'content-type': type });
    createReadStream(file).pipe(response);
  }
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const port = Number(process.env.PORT ?? 8080);
  server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/`));
}
