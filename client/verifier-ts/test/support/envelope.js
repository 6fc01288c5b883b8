// Envelopes (spec 5.8): HPKE in base mode with X-Wing, TurboSHAKE128 in one stage, and ChaCha20-Poly1305.

import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { turboshake128 } from '@noble/hashes/sha3-addons.js';
import { ml_kem768_x25519 as xWing } from '@noble/post-quantum/hybrid.js';
import { concat, utf8 } from '../../dist/bytes.js';

const INFO = utf8('psephos envelope v1');
const ENCAPSULATED = 1120;

const bigEndian = (value) => Uint8Array.of(value >> 8, value & 255);
const prefixed = (bytes) => concat(bigEndian(bytes.length), bytes);

/** KEM X-Wing 0x647a, KDF TurboSHAKE128 0x0012, AEAD ChaCha20-Poly1305 0x0003. */
const SUITE = concat(utf8('HPKE'), bigEndian(0x647a), bigEndian(0x0012), bigEndian(0x0003));

function cipher(shared, data) {
  const secrets = concat(prefixed(new Uint8Array()), prefixed(shared));
  const context = concat(Uint8Array.of(0), prefixed(new Uint8Array()), prefixed(INFO));
  const length = 32 + 12 + 32;
  const input = concat(secrets, utf8('HPKE-v1'), SUITE, prefixed(utf8('secret')), bigEndian(length), context);
  const output = turboshake128(input, { dkLen: length, D: 0x1f });
  return chacha20poly1305(output.slice(0, 32), output.slice(32, 44), data);
}

/** Seals a share to a KEM key; the randomness of the encapsulation comes from the ballot's expander. */
export function seal(kemKey, expander, data, share) {
  const { cipherText, sharedSecret } = xWing.encapsulate(kemKey, expander(64));
  return concat(cipherText, cipher(sharedSecret, data).encrypt(share));
}

export function open(seed, kemKey, data, envelope) {
  const { publicKey, secretKey } = xWing.keygen(seed);
  if (publicKey.join() !== kemKey.join()) throw new Error('not the key of this seed');
  const shared = xWing.decapsulate(envelope.slice(0, ENCAPSULATED), secretKey);
  return cipher(shared, data).decrypt(envelope.slice(ENCAPSULATED));
}
