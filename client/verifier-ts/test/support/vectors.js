// The test vectors, from the folder that PSEPHOS_VECTORS names: that of the specification by default.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unhex } from '../../dist/bytes.js';
import { manifest, validate } from '../../dist/manifest.js';
import { Decoder } from '../../dist/scale.js';
import { decodeKey } from '../../dist/signature.js';

const FOLDER = process.env.PSEPHOS_VECTORS ?? fileURLToPath(new URL('../../../../docs/vectors', import.meta.url));

export const vectors = (name) => JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));

/** The election of election.json, as the checks of a ballot need it. */
export function vectorElection() {
  const election = vectors('election');
  const decoded = Decoder.whole(unhex(election.manifest), manifest);
  return {
    genesis: unhex(election.genesis),
    eid: unhex(election.eid),
    manifest: decoded,
    shapes: validate(decoded, unhex(election.generators)),
    quorum: decoded.quorum,
    threshold: decoded.threshold,
    trustees: decoded.trustees.map(({ signingKey }) => ({ signingKey, point: decodeKey(signingKey) })),
  };
}
