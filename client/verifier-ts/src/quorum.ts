// Threshold and quorum of the trustees (spec 3.5).

/** Whether any two quorums of q share t of the n trustees, and more trustees exist than can open alone. */
export const isQuorum = (n: number, t: number, q: number): boolean =>
  2 <= t && t < n && Math.ceil((n + t) / 2) <= q && q <= n;
