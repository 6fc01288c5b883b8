// The most of everything (spec 1.4). A decoder refuses more before it allocates.

export const MAX = {
  options: 128,
  contests: 16,
  styles: 64,
  units: 256,
  weights: 16,
  trustees: 16,
  members: 16,
  registrars: 16,
  name: 256,
  reason: 1024,
  batchEntries: 2_000,
  rollEntries: 10_000_000,
  columns: 512,
  sums: 4_096,
  slackBits: 96,
  rangeBits: 4_096,
  proof: 1_056,
  ballotsPerCredential: 32,
  sequenceStep: 16,
  blocksToExpiry: 2_400,
  blocksToApprove: 302_400,
  missing: 256,
  blocksToLower: 43_200,
  ballot: 22_000,
  frame: 8 * 1024 * 1024,
  finality: 8 * 1024 * 1024,
  justification: 1024 * 1024,
  validators: 1_024,
  weight: 1n << 32n,
  stateNodes: 1_024,
} as const;

/** Bytes of an X-Wing public key, exactly. */
export const KEM_KEY = 1_216;

/** The version of the protocol: of a manifest, a ballot, a record and a finality proof. */
export const VERSION = 1;
