//! Aggregated range proofs (spec 6.2).
//!
//! **Relation.** For public commitments `V_1 … V_m`, the prover knows `v_j, γ_j` with
//! `V_j = v_j·B + γ_j·B̃` and `v_j ∈ [0, 2^n)` for all j; n and m are powers of two.
//!
//! **Proof.** One aggregated Bulletproof: Bünz, Bootle, Boneh, Poelstra, Wuille, Maxwell,
//! *Bulletproofs: Short Proofs for Confidential Transactions and More* (IEEE S&P 2018), section
//! 4.2, made non-interactive over a transcript that absorbed the whole statement first.
//! `32·(9 + 2·log2(n·m))` bytes: A, S, T₁, T₂, t(x), its blinding, e's blinding, (L, R) per round, a, b.
//!
//! **Why not the `bulletproofs` crate itself.** It proves 8, 16, 32 and 64 bits and verifies one proof at a
//! time; here n starts at 1 and many proofs verify as one [`Combination`]. At the crate's widths the
//! encoding is the same, and each side's proofs verify on the other: `tests/steps/range_proof.rs`.

mod generators;
mod prove;
mod verify;

pub use generators::{generators_digest, Generators, GENERATORS_DIGEST};
pub use prove::prove;
pub use verify::RangeProof;

#[allow(unused_imports)] // named by the documentation
use crate::combination::Combination;

/// The widths of ranges, in bits.
pub const WIDTHS: [u8; 7] = [1, 2, 4, 8, 16, 32, 64];

/// How many bits an aggregated proof is about, n·m.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    /// n: bits of each range, one of [`WIDTHS`].
    pub width: u8,
    /// m: statements, a power of two.
    pub statements: usize,
}

impl Shape {
    /// The range bits of the proof, n·m.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.statements.saturating_mul(usize::from(self.width))
    }

    /// The rounds of the inner-product argument, log2(n·m).
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.bits().checked_ilog2().unwrap_or(0) as usize
    }

    /// The proof's length in bytes.
    #[must_use]
    pub fn proof_bytes(&self) -> usize {
        self.rounds().saturating_mul(2).saturating_add(9).saturating_mul(32)
    }
}
