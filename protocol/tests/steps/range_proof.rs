//! Range proofs (spec 6.2): our prover and verifier against the `bulletproofs` crate, both ways, at the widths
//! that it has; and against themselves at all widths.

use bulletproofs::{BulletproofGens, PedersenGens};
use curve25519_dalek::{ristretto::CompressedRistretto, scalar::Scalar};
use merlin::Transcript;
use psephos_protocol::{
    combination::Combination,
    group::commit,
    range_proof::{prove, Generators, RangeProof, Shape, WIDTHS},
};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha20Rng,
};
use std::sync::LazyLock;

/// Bits in one proof of these tests.
const BITS: usize = 256;

static OURS: LazyLock<Generators> = LazyLock::new(|| {
    let shape = |width: u8| Shape { width, statements: BITS / usize::from(width) };
    Generators::covering(WIDTHS.into_iter().map(shape))
});
static THEIRS: LazyLock<BulletproofGens> = LazyLock::new(|| BulletproofGens::new(64, BITS / 8));

struct Case {
    shape: Shape,
    context: [u8; 8],
    openings: Vec<(u64, Scalar)>,
    commitments: Vec<CompressedRistretto>,
}

impl Case {
    fn random(widths: &[u8], most_bits: usize, rng: &mut ChaCha20Rng) -> Self {
        let width = widths[rng.next_u32() as usize % widths.len()];
        let most = (most_bits / usize::from(width)).max(1).ilog2();
        let shape = Shape { width, statements: 1 << (rng.next_u32() % (most + 1)) };
        let openings: Vec<(u64, Scalar)> = (0..shape.statements)
            .map(|_| {
                let value = match rng.next_u32() % 4 {
                    0 => 0,
                    1 => u64::MAX,
                    _ => rng.next_u64(),
                };
                (value >> (64 - u32::from(width)), Scalar::random(rng))
            })
            .collect();
        let commitments = openings.iter().map(|(v, r)| commit(Scalar::from(*v), *r).compress()).collect();
        Self { shape, context: rng.next_u64().to_le_bytes(), openings, commitments }
    }

    fn transcript(&self) -> Transcript {
        let mut transcript = Transcript::new(b"test");
        transcript.append_message(b"context", &self.context);
        transcript
    }

    fn prove(&self, rng: &mut ChaCha20Rng) -> Vec<u8> {
        let Self { shape, openings, commitments, .. } = self;
        prove(&OURS, *shape, &mut self.transcript(), commitments, openings, rng).unwrap()
    }

    fn crate_proves(&self, rng: &mut ChaCha20Rng) -> Vec<u8> {
        let (values, blindings): (Vec<u64>, Vec<Scalar>) = self.openings.iter().copied().unzip();
        bulletproofs::RangeProof::prove_multiple_with_rng(
            &THEIRS,
            &PedersenGens::default(),
            &mut self.transcript(),
            &values,
            &blindings,
            usize::from(self.shape.width),
            rng,
        )
        .unwrap()
        .0
        .to_bytes()
    }

    fn verify(&self, proof: &[u8]) -> bool {
        let equations = |sum: &mut Combination| {
            let proof = RangeProof::from_bytes(proof, self.shape)?;
            let weights = [3u8, 5].map(Scalar::from);
            let transcript = &mut self.transcript();
            let scalars = proof.add_to(sum, &OURS, self.shape, transcript, &self.commitments, weights)?;
            self.commitments.iter().zip(scalars).try_for_each(|(point, scalar)| sum.encoded(point, scalar))
        };
        let mut sum = Combination::default();
        equations(&mut sum).is_some() && sum.holds(&OURS)
    }

    fn crate_verifies(&self, proof: &[u8], rng: &mut ChaCha20Rng) -> bool {
        bulletproofs::RangeProof::from_bytes(proof).is_ok_and(|proof| {
            proof
                .verify_multiple_with_rng(
                    &THEIRS,
                    &PedersenGens::default(),
                    &mut self.transcript(),
                    &self.commitments,
                    usize::from(self.shape.width),
                    rng,
                )
                .is_ok()
        })
    }
}

/// The widths that the crate has.
const SHARED: [u8; 4] = [8, 16, 32, 64];

#[test]
fn the_crate_takes_our_proofs_and_we_take_its() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for _ in 0..crate::rounds(200) {
        let case = Case::random(&SHARED, BITS, &mut rng);
        let (ours, theirs) = (case.prove(&mut rng), case.crate_proves(&mut rng));
        assert_eq!((ours.len(), theirs.len()), (case.shape.proof_bytes(), case.shape.proof_bytes()));
        assert!(case.crate_verifies(&ours, &mut rng), "{:?}", case.shape);
        assert!(case.verify(&theirs), "{:?}", case.shape);
        assert!(case.verify(&ours));
    }
}

#[test]
fn both_refuse_the_same_changed_proofs() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    for _ in 0..crate::rounds(60) {
        let case = Case::random(&SHARED, 64, &mut rng);
        let proof = case.prove(&mut rng);
        for word in 0..proof.len() / 32 {
            let mut changed = proof.clone();
            let place = word * 32 + rng.next_u32() as usize % 32;
            match rng.next_u32() % 4 {
                0 => changed[word * 32..][..32].fill(0),
                1 => changed[word * 32..][..32].fill(0xff),
                2 => changed.copy_within(0..32, word * 32),
                _ => changed[place] ^= 1 << (rng.next_u32() % 8),
            }
            let verdict = case.verify(&changed);
            assert_eq!(verdict, case.crate_verifies(&changed, &mut rng));
            assert_eq!(verdict, changed == proof, "word {word}");
        }
    }
}

#[test]
fn every_width_proves_what_is_in_range_and_nothing_else() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    for _ in 0..crate::rounds(200) {
        let mut case = Case::random(&WIDTHS, BITS, &mut rng);
        let proof = case.prove(&mut rng);
        assert!(case.verify(&proof), "{:?}", case.shape);
        let mut other = Case { context: [9; 8], ..Case::random(&WIDTHS, BITS, &mut rng) };
        other.shape = case.shape;
        other.commitments = case.commitments.clone();
        assert!(!other.verify(&proof), "another statement");
        // One value just out of range: whatever the prover takes for its bits.
        let place = rng.next_u32() as usize % case.shape.statements;
        let width = u32::from(case.shape.width);
        let limit = if width == 64 { Scalar::from(1u128 << 64) } else { Scalar::from(1u64 << width) };
        for value in [limit, -Scalar::ONE] {
            let blinding = case.openings[place].1;
            case.commitments[place] = commit(value, blinding).compress();
            let proof = case.prove(&mut rng);
            assert!(!case.verify(&proof), "{:?}", case.shape);
        }
    }
}

#[test]
fn a_proof_of_another_shape_is_not_read() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let case = Case::random(&[1], 16, &mut rng);
    let proof = case.prove(&mut rng);
    for (width, statements) in [(1, 2 * case.shape.statements), (2, case.shape.statements)] {
        assert!(RangeProof::from_bytes(&proof, Shape { width, statements }).is_none());
    }
    assert!(RangeProof::from_bytes(&proof[1..], case.shape).is_none());
    assert!(RangeProof::from_bytes(&[&proof[..], &[0; 32]].concat(), case.shape).is_none());
}
