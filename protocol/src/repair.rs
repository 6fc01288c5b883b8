//! How a trustee comes to the shares that it missed or lost (spec 5.9), from its peers.
//!
//! What was left with a peer is still sealed to the trustee. What nobody has any more is rebuilt by t peers
//! without showing anybody's share to anybody, as in D. Laing and D. Stinson, *A Survey and Refinement of
//! Repairable Threshold Schemes* (J. Math. Cryptol. 2018), which FROST implementations use: the share of trustee r
//! is `Σ λ_i·s_i` over the helpers i, λ being the Lagrange coefficients at r. Each helper splits its λ_i·s_i into t
//! random summands, one for each helper; each adds up those that it got; and the trustee adds up these sums.
//!
//! Parts travel through the trustee that asks, so that helpers need not reach each other: sealed to the helper
//! they are for, and signed by the one they are from. Without the signature, a trustee that puts zeros in place
//! of all parts but one helper's would see that helper's share. They are bound to the request, and who holds fewer
//! than t shares learns from all of it what its own shares say, no more.

use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, Encode};
use curve25519_dalek::scalar::Scalar;
use rand_core::{CryptoRng, RngCore};
use zeroize::Zeroizing;

use crate::{
    ballot::SignedBallot,
    bounds::{MAX_COLUMNS, MAX_TRUSTEES},
    election::Election,
    envelope::{seal_bytes, EnvelopeError, KemKey},
    ids::{BallotHash, Digest, Eid},
    keys::{verify_signature, Signable, Signature, SigningKey},
    shares::{lagrange, Dealing, Share, ShareError},
    transcript::{self, Role},
};

const INFO: &[u8] = b"psephos repair v1";
/// Ballots in one request.
pub const MAX_ASKED: u32 = 256;
/// Pairs of scalars in one repair: the committed options of all its ballots, as many as the largest ballot has.
pub const MAX_PAIRS: usize = MAX_COLUMNS as usize;
/// Bytes of a sealed part or sum: X-Wing's encapsulated key, the pairs, the tag.
pub const MAX_SEALED: u32 = 1_120 + 64 * MAX_PAIRS as u32 + 16;

/// Ballots that are asked about.
pub type Hashes = BoundedVec<BallotHash, ConstU32<MAX_ASKED>>;
/// Sealed pairs of scalars.
pub type Sealed = BoundedVec<u8, ConstU32<MAX_SEALED>>;

/// What a trustee asks of a peer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Ask {
    /// Deposits that voters left with the peer for this trustee; those named have arrived.
    #[codec(index = 0)]
    Kept {
        /// What the peer need not keep any longer.
        arrived: Hashes,
    },
    /// Ballots with their dealings.
    #[codec(index = 1)]
    Dealt {
        /// Which.
        ballots: Hashes,
    },
    /// To split the peer's shares for a repair.
    #[codec(index = 2)]
    Split {
        /// Of which ballots.
        ballots: Hashes,
        /// The t helpers, ascending.
        helpers: BoundedVec<u8, ConstU32<MAX_TRUSTEES>>,
    },
}

/// A trustee's signed request to a peer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PeerRequest {
    /// The election.
    pub eid: Eid,
    /// The trustee that asks, from 1.
    pub trustee: u8,
    /// What it asks.
    pub ask: Ask,
    /// Its signature.
    pub signature: Signature,
}

/// A ballot with its dealing: what a share of it is checked against.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DealtBallot {
    /// The signed ballot.
    pub ballot: SignedBallot,
    /// The dealing.
    pub dealing: Dealing,
}

/// One helper's part for another.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Part {
    /// Whose it is.
    pub from: u8,
    /// Who may open it.
    pub to: u8,
    /// The pairs, sealed.
    pub sealed: Sealed,
    /// The signature of the helper that it is from.
    pub signature: Signature,
}

/// Why a repair can't be helped with or completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepairError {
    /// Not exactly t other trustees in ascending order, this one among them.
    #[error("5.9.1: the helpers must be exactly t trustees in ascending order, without the one that asks")]
    Helpers,
    /// Too much at once.
    #[error("5.9.2: a repair is of at most {MAX_PAIRS} committed options at once")]
    Long,
    /// The parts are not one from each helper, signed by it.
    #[error("5.9.3: a part must come from each helper, signed by it, for this request and this helper")]
    Parts,
    /// A part or sum can't be opened or sealed.
    #[error("5.9.4: a part or sum: {0}")]
    Envelope(#[from] EnvelopeError),
    /// A part or sum has another length than the shares.
    #[error("5.9.5: a part or sum: {0}")]
    Share(#[from] ShareError),
}

fn signable<'a>(election: &'a Election, role: Role, trustee: u8, payload: &'a [u8]) -> Signable<'a> {
    Signable { role, genesis: &election.genesis, eid: &election.eid, index: u32::from(trustee), payload }
}

impl PeerRequest {
    /// Signs a request.
    pub fn sign(
        election: &Election,
        trustee: u8,
        key: &SigningKey,
        ask: Ask,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        let payload = ask.encode();
        let signature = key.sign(&signable(election, Role::PeerRequest, trustee, &payload), rng);
        Self { eid: election.eid, trustee, ask, signature }
    }

    /// Whether the trustee named signed this.
    #[must_use]
    pub fn verify(&self, election: &Election) -> bool {
        let payload = self.ask.encode();
        let signable = signable(election, Role::PeerRequest, self.trustee, &payload);
        self.eid == election.eid
            && election
                .trustee(self.trustee)
                .is_some_and(|trustee| signable.verify(verify_signature, &self.signature, &trustee.signing))
    }

    fn digest(&self) -> Digest {
        transcript::repair(&(self.eid, self.trustee, &self.ask).encode())
    }

    /// The helpers of a repair, checked.
    fn helpers(&self, election: &Election) -> Result<&[u8], RepairError> {
        let Ask::Split { helpers, .. } = &self.ask else { return Err(RepairError::Helpers) };
        let ascending = helpers.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        let others = |helper: &u8| *helper != self.trustee && election.trustee(*helper).is_some();
        let enough = helpers.len() == usize::from(election.manifest.threshold);
        (ascending && enough && helpers.iter().all(others))
            .then_some(helpers.as_slice())
            .ok_or(RepairError::Helpers)
    }
}

/// What seals a message of this request to its receiver alone.
fn associated_data(digest: &Digest, from: u8, to: u8) -> Vec<u8> {
    (digest, from, to).encode()
}

/// A helper's parts for all helpers, itself included, in their order.
///
/// `shares` are its shares of the request's ballots, in that order. The caller has checked that the request is
/// signed, and that its ballots count.
///
/// # Errors
/// [`RepairError::Helpers`] unless this trustee is one, [`RepairError::Long`].
pub fn split(
    election: &Election,
    request: &PeerRequest,
    helper: u8,
    key: &SigningKey,
    shares: &[Share],
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Vec<Part>, RepairError> {
    let helpers = request.helpers(election)?;
    let coefficients = lagrange(helpers, request.trustee);
    let own = helpers.iter().zip(coefficients).find(|(other, _)| **other == helper);
    let (_, coefficient) = own.ok_or(RepairError::Helpers)?;
    let pairs = shares.iter().flat_map(|share| share.pairs());
    let summands = split_pairs(pairs.map(|(f, g)| (coefficient * f, coefficient * g)), helpers.len(), rng);
    let digest = request.digest();
    let seal = |(to, summand): (&u8, Share)| {
        let sealed = seal_pairs(election, &digest, helper, *to, &summand, rng)?;
        let payload = (digest, *to, &sealed).encode();
        let signature = key.sign(&signable(election, Role::RepairPart, helper, &payload), rng);
        Ok(Part { from: helper, to: *to, sealed, signature })
    };
    helpers.iter().zip(summands).map(seal).collect()
}

/// What a helper gives the trustee that asked: the sum of the parts that are for this helper, sealed.
///
/// # Errors
/// [`RepairError`]: unless there is one part from each helper, as each signed it.
pub fn sum(
    election: &Election,
    request: &PeerRequest,
    helper: u8,
    key: &KemKey,
    parts: &[Part],
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Sealed, RepairError> {
    let (helpers, digest) = (request.helpers(election)?, request.digest());
    if !helpers.contains(&helper) || parts.len() != helpers.len() {
        return Err(RepairError::Parts);
    }
    let mut opened = Vec::with_capacity(parts.len());
    for (part, from) in parts.iter().zip(helpers) {
        let payload = (digest, part.to, &part.sealed).encode();
        let signable = signable(election, Role::RepairPart, part.from, &payload);
        let signed = election
            .trustee(part.from)
            .is_some_and(|trustee| signable.verify(verify_signature, &part.signature, &trustee.signing));
        if part.from != *from || part.to != helper || !signed {
            return Err(RepairError::Parts);
        }
        opened.push(open_pairs(key, &digest, part.from, helper, &part.sealed)?);
    }
    seal_pairs(election, &digest, helper, request.trustee, &add_up(opened)?, rng)
}

/// The repaired shares, one for each ballot of the request, from the sums of all helpers in their order.
/// `options` says how many committed options each ballot has. The caller checks every share against its ballot.
///
/// # Errors
/// [`RepairError`]: a sum does not open, or is of another length.
pub fn join(
    election: &Election,
    request: &PeerRequest,
    key: &KemKey,
    sums: &[Sealed],
    options: &[usize],
) -> Result<Vec<Share>, RepairError> {
    let (helpers, digest) = (request.helpers(election)?, request.digest());
    if sums.len() != helpers.len() {
        return Err(RepairError::Parts);
    }
    let opened = helpers
        .iter()
        .zip(sums)
        .map(|(helper, sum)| open_pairs(key, &digest, *helper, request.trustee, sum))
        .collect::<Result<Vec<_>, _>>()?;
    let all = add_up(opened)?;
    let mut rest = all.pairs();
    let shares = options.iter().map(|options| {
        let (share, others) = rest.split_at_checked(*options).ok_or(ShareError::Encoding)?;
        rest = others;
        Ok(Share::of(share.to_vec()))
    });
    let shares = shares.collect::<Result<Vec<_>, ShareError>>()?;
    if !rest.is_empty() {
        return Err(ShareError::Encoding.into());
    }
    Ok(shares)
}

/// Random summands of the pairs: any but one of them are independent of the pairs.
fn split_pairs(
    pairs: impl Iterator<Item = (Scalar, Scalar)>,
    count: usize,
    rng: &mut (impl RngCore + CryptoRng),
) -> Vec<Share> {
    let mut last: Vec<(Scalar, Scalar)> = pairs.collect();
    let mut summands: Vec<Share> = (1..count)
        .map(|_| {
            let summand: Vec<_> = last.iter().map(|_| (Scalar::random(rng), Scalar::random(rng))).collect();
            last.iter_mut().zip(&summand).for_each(|(rest, drawn)| {
                rest.0 -= drawn.0;
                rest.1 -= drawn.1;
            });
            Share::of(summand)
        })
        .collect();
    summands.push(Share::of(last));
    summands
}

/// The sum of pairs, place by place.
fn add_up(shares: Vec<Share>) -> Result<Share, ShareError> {
    let mut shares = shares.into_iter();
    let mut sum = shares.next().ok_or(ShareError::Encoding)?.pairs().to_vec();
    for share in shares {
        if share.pairs().len() != sum.len() {
            return Err(ShareError::Encoding);
        }
        sum.iter_mut().zip(share.pairs()).for_each(|(sum, pair)| {
            sum.0 += pair.0;
            sum.1 += pair.1;
        });
    }
    Ok(Share::of(sum))
}

fn seal_pairs(
    election: &Election,
    digest: &Digest,
    from: u8,
    to: u8,
    pairs: &Share,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Sealed, RepairError> {
    if pairs.pairs().len() > MAX_PAIRS {
        return Err(RepairError::Long);
    }
    let kem = &election.trustee(to).ok_or(RepairError::Helpers)?.kem;
    let sealed = seal_bytes(kem, INFO, &associated_data(digest, from, to), &pairs.to_bytes(), rng)?;
    Sealed::try_from(sealed).map_err(|_| RepairError::Long)
}

fn open_pairs(key: &KemKey, digest: &Digest, from: u8, to: u8, sealed: &[u8]) -> Result<Share, RepairError> {
    let bytes: Zeroizing<Vec<u8>> = key.open_bytes(INFO, &associated_data(digest, from, to), sealed)?;
    Ok(Share::from_bytes(&bytes, bytes.len() / 64)?)
}

#[cfg(test)]
mod tests {
    //! What colluding trustees see of a repair, by simulation.

    use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};

    use super::*;

    /// Helpers 1, 2 and 3 of t = 3 repair the share of trustee 4.
    const HELPERS: [u8; 3] = [1, 2, 3];
    const TARGET: u8 = 4;

    /// f(x) for f = c0 + c1·x + c2·x².
    fn at(polynomial: [Scalar; 3], x: u8) -> Scalar {
        let x = Scalar::from(x);
        (polynomial[2] * x + polynomial[1]) * x + polynomial[0]
    }

    /// λ_i·f(i) of each helper.
    fn own(polynomial: [Scalar; 3]) -> Vec<Scalar> {
        let values = HELPERS.iter().map(|helper| at(polynomial, *helper));
        lagrange(&HELPERS, TARGET)
            .into_iter()
            .zip(values)
            .map(|(coefficient, value)| coefficient * value)
            .collect()
    }

    /// All parts, by sender and receiver.
    type Parts = [[Scalar; 3]; 3];

    fn deal(polynomial: [Scalar; 3], rng: &mut ChaCha20Rng) -> Parts {
        let parts = own(polynomial).into_iter().map(|own| {
            let summands = split_pairs([(own, own)].into_iter(), 3, rng);
            let scalars: Vec<Scalar> = summands.iter().map(|summand| summand.pairs()[0].0).collect();
            <[Scalar; 3]>::try_from(scalars).unwrap()
        });
        <[[Scalar; 3]; 3]>::try_from(parts.collect::<Vec<_>>()).unwrap()
    }

    /// What the trustee that asks sees: each helper's sum.
    fn sums(parts: &Parts) -> [Scalar; 3] {
        [0, 1, 2].map(|to| (0..3).map(|from| parts[from][to]).sum())
    }

    /// What these helpers and the trustee that asks see together: what comes to and from the helpers, and the sums.
    fn view(parts: &Parts, helpers: &[usize]) -> Vec<Scalar> {
        let seen = |from: usize, to: usize| helpers.contains(&from) || helpers.contains(&to);
        let places = (0..3).flat_map(|from| (0..3).map(move |to| (from, to)));
        let own = places.filter(|(from, to)| seen(*from, *to)).map(|(from, to)| parts[from][to]);
        own.chain(sums(parts)).collect()
    }

    fn random(rng: &mut ChaCha20Rng) -> [Scalar; 3] {
        [(); 3].map(|()| Scalar::random(rng))
    }

    #[test]
    fn the_sums_are_the_share() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let polynomial = random(&mut rng);
        let parts = deal(polynomial, &mut rng);
        assert_eq!(sums(&parts).iter().sum::<Scalar>(), at(polynomial, TARGET));
    }

    /// Fewer than t together: whatever the others' shares are, some randomness of theirs, as likely as any other,
    /// gives the very same view.
    #[test]
    fn t_minus_one_with_the_repaired_trustee_see_the_same_for_all_shares_of_the_others() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let real = random(&mut rng);
        let parts = deal(real, &mut rng);
        for _ in 0..100 {
            // Another polynomial through the two shares that helper 1 and the trustee know: add c·(x − 1)·(x − 4).
            let c = Scalar::random(&mut rng);
            let (one, four) = (Scalar::ONE, Scalar::from(TARGET));
            let other = [real[0] + c * one * four, real[1] - c * (one + four), real[2] + c];
            assert_eq!(at(other, 1), at(real, 1));
            assert_eq!(at(other, TARGET), at(real, TARGET));
            assert_ne!(at(other, 0), at(real, 0), "another vote");
            // The honest helpers 2 and 3 keep for themselves and give each other something else.
            let difference = own(other)[1] - own(real)[1];
            let mut changed = parts;
            changed[1][1] += difference;
            changed[2][1] -= difference;
            for (from, value) in own(other).into_iter().enumerate() {
                assert_eq!(changed[from].iter().sum::<Scalar>(), value, "helper {}", from + 1);
            }
            assert_eq!(view(&changed, &[0]), view(&parts, &[0]));
        }
    }

    /// t together know every share anyway; t − 1 helpers with the repaired trustee see no more than follows from
    /// their shares and fresh randomness.
    #[test]
    fn t_minus_one_helpers_and_the_repaired_trustee_see_what_their_own_shares_say() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let polynomial = random(&mut rng);
        let mut parts = deal(polynomial, &mut rng);
        let real = view(&parts, &[0, 1]);
        // The simulator knows the shares of 1, 2 and 4, and what helper 3 drew for 1 and 2.
        let known = own(polynomial);
        parts[2][2] = at(polynomial, TARGET) - known[0] - known[1] - parts[2][0] - parts[2][1];
        assert_eq!(view(&parts, &[0, 1]), real);
    }

    /// All summands but one are drawn before the pairs are looked at.
    #[test]
    fn all_but_one_summand_are_independent_of_the_pairs() {
        let pairs = |value: u64| [(Scalar::from(value), -Scalar::from(value))].into_iter();
        let of = |value| split_pairs(pairs(value), 4, &mut ChaCha20Rng::seed_from_u64(4));
        let (zero, one) = (of(0), of(1));
        assert!(zero[..3] == one[..3]);
        assert!(zero[3] != one[3]);
    }
}
