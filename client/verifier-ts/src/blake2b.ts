// BLAKE2b-256, of which the chain makes the hashes of its blocks and of the nodes of its state (spec 9.1, 9.5).

import { blake2b } from '@noble/hashes/blake2.js';

export const blake2b256 = (bytes: Uint8Array): Uint8Array => blake2b(bytes, { dkLen: 32 });
