//! The tally (spec 7): contributions, reconstruction, and the openings of the sums.
//!
//! Per cell and column, trustee i publishes F(i) = Σ w·f(i) and G(i) = Σ w·g(i) over the accepted set. Lagrange
//! interpolation at 0 over any t of them gives T = Σ w·v and R = Σ w·r; the result stands only if
//! `Σ w·C = T·B + R·B̃` in every cell for every column, which binds it to the ballots (discrete logarithm).
//!
//! Sums go cell by cell, and within a cell column by column (spec 7.1).

use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::{Identity, IsIdentity},
};
use rand_core::{CryptoRng, RngCore};
use scale_info::TypeInfo;

use crate::{
    bounds::{MAX_SUMS, MAX_TRUSTEES},
    cells::Cells,
    election::Election,
    group::{commit, multiply_vartime, Point, ScalarBytes},
    ids::{Digest, Eid},
    keys::{CheckSignature, Signable, Signature, SigningKey},
    manifest::Manifest,
    shares::{lagrange, Dealing, Share},
    transcript::{self, Role},
};

/// A share (F, G) or an opening (T, R) per cell and column.
pub type Columns = BoundedVec<(ScalarBytes, ScalarBytes), ConstU32<MAX_SUMS>>;

/// A trustee's contribution. A trustee makes one per election, ever.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Contribution {
    /// The election.
    pub eid: Eid,
    /// The trustee's index, from 1.
    pub trustee: u8,
    /// The root of the set that was agreed.
    pub root: Digest,
    /// (F, G) per cell and column.
    pub sums: Columns,
    /// The trustee's signature.
    pub signature: Signature,
}

fn signable<'a>(election: &'a Election, trustee: u8, payload: &'a [u8]) -> Signable<'a> {
    Signable {
        role: Role::Contribution,
        genesis: &election.genesis,
        eid: &election.eid,
        index: u32::from(trustee),
        payload,
    }
}

impl Contribution {
    /// Signs a contribution. The caller has seen q matching agreements and marked durably that it
    /// never makes another.
    pub fn sign(
        election: &Election,
        trustee: u8,
        key: &SigningKey,
        root: Digest,
        sums: Columns,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        let payload = (root, &sums).encode();
        let signature = key.sign(&signable(election, trustee, &payload), rng);
        Self { eid: election.eid, trustee, root, sums, signature }
    }

    /// Whether the trustee named takes part in the tally and signed this. Whether it has a pair for every sum depends on
    /// the cells.
    #[must_use]
    pub fn verify(&self, election: &Election, check: CheckSignature) -> bool {
        let payload = (self.root, &self.sums).encode();
        self.eid == election.eid
            && election.tallier(self.trustee).is_some_and(|trustee| {
                signable(election, self.trustee, &payload).verify(check, &self.signature, &trustee.signing)
            })
    }
}

/// Where a ballot of this style in that cell adds to so many sums, one place for each of its commitments.
///
/// # Errors
/// [`TallyError::Shape`] when they don't fit each other.
pub fn places(
    manifest: &Manifest,
    cell: usize,
    style: u16,
    commitments: usize,
    sums: usize,
) -> Result<Vec<usize>, TallyError> {
    let style = manifest.style(style).ok_or(TallyError::Shape)?;
    let first = cell.saturating_mul(manifest.columns());
    let columns = manifest.style_columns(style).into_iter();
    let places: Vec<usize> = columns.map(|column| first.saturating_add(column)).collect();
    if places.len() != commitments || places.iter().any(|place| *place >= sums) {
        return Err(TallyError::Shape);
    }
    Ok(places)
}

/// A trustee's running sums of its shares, per cell and column.
#[derive(Clone)]
pub struct ShareSums(Vec<(Scalar, Scalar)>);

impl ShareSums {
    /// Sums of nothing.
    #[must_use]
    pub fn new(manifest: &Manifest, cells: &Cells) -> Self {
        Self(alloc::vec![(Scalar::ZERO, Scalar::ZERO); cells.sums(manifest)])
    }

    /// Adds a ballot's share in that cell, with the voter's weight.
    ///
    /// # Errors
    /// [`TallyError::Shape`] when cell, style and share don't fit; nothing is added then.
    pub fn add(
        &mut self,
        manifest: &Manifest,
        cell: usize,
        style: u16,
        weight: u64,
        share: &Share,
    ) -> Result<(), TallyError> {
        let places = places(manifest, cell, style, share.pairs().len(), self.0.len())?;
        let weight = Scalar::from(weight);
        for (place, (f, g)) in places.into_iter().zip(share.pairs()) {
            if let Some(sum) = self.0.get_mut(place) {
                sum.0 += weight * f;
                sum.1 += weight * g;
            }
        }
        Ok(())
    }

    /// The sums as they are published.
    #[must_use]
    pub fn columns(&self) -> Columns {
        BoundedVec::truncate_from(
            self.0.iter().map(|(f, g)| (ScalarBytes::of(f), ScalarBytes::of(g))).collect(),
        )
    }
}

/// The sums of the commitments, per cell and column: what the openings must open. Per unit while the cells are not
/// known.
#[derive(Clone)]
pub struct CommitmentSums(Vec<RistrettoPoint>);

impl CommitmentSums {
    /// Sums of nothing.
    #[must_use]
    pub fn new(manifest: &Manifest, cells: usize) -> Self {
        Self(alloc::vec![RistrettoPoint::identity(); cells.saturating_mul(manifest.columns())])
    }

    /// Adds a ballot's commitments in that cell, with the voter's weight. Variable time; commitments are public.
    ///
    /// # Errors
    /// [`TallyError::Shape`] when cell, style and commitments don't fit; nothing is added then.
    pub fn add_vartime(
        &mut self,
        manifest: &Manifest,
        cell: usize,
        style: u16,
        weight: u64,
        commitments: &[RistrettoPoint],
    ) -> Result<(), TallyError> {
        let places = places(manifest, cell, style, commitments.len(), self.0.len())?;
        for (place, commitment) in places.into_iter().zip(commitments) {
            if let Some(sum) = self.0.get_mut(place) {
                *sum += multiply_vartime(weight, commitment);
            }
        }
        Ok(())
    }

    /// The sums that these encodings are. One that nobody voted on is the identity.
    ///
    /// # Errors
    /// [`TallyError::Shape`] if one is no point.
    pub fn from_encodings(sums: &[Point]) -> Result<Self, TallyError> {
        let points = sums.iter().map(|sum| CompressedRistretto(sum.0).decompress()).collect::<Option<_>>();
        points.map(Self).ok_or(TallyError::Shape)
    }

    /// The encodings of the points.
    #[must_use]
    pub fn encodings(&self) -> Vec<Point> {
        self.0.iter().map(Point::of).collect()
    }

    /// The sums of the cells, when these are those of the units.
    #[must_use]
    pub fn join(&self, manifest: &Manifest, cells: &Cells) -> Self {
        Self(cells.join(manifest.columns(), &self.0, |sum, more| *sum += more))
    }

    /// Adds the commitments of many ballots, on all cores where the crate may use them. Variable time. `None` if
    /// a commitment is no point or a place is not there.
    #[must_use]
    pub fn add_all(mut self, additions: &[Addition]) -> Option<Self> {
        let places = self.0.len();
        let sum_of = |additions: &[Addition]| {
            let mut sums = alloc::vec![RistrettoPoint::identity(); places];
            for Addition { weight, places, commitments } in additions {
                if places.len() != commitments.len() {
                    return None;
                }
                for (place, commitment) in places.iter().zip(commitments) {
                    *sums.get_mut(usize::from(*place))? +=
                        multiply_vartime(*weight, &commitment.decompress().ok()?);
                }
            }
            Some(sums)
        };
        #[cfg(feature = "parallel")]
        let parts: Option<Vec<Vec<RistrettoPoint>>> = {
            use rayon::prelude::*;
            additions.par_chunks(64).map(sum_of).collect()
        };
        #[cfg(not(feature = "parallel"))]
        let parts: Option<Vec<Vec<RistrettoPoint>>> = additions.chunks(64).map(sum_of).collect();
        for part in parts? {
            self.0.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        Some(self)
    }

    /// Takes a ballot's commitments out again, because a later ballot replaced it or it is excluded.
    ///
    /// # Errors
    /// [`TallyError::Shape`] when cell, style and commitments don't fit; nothing is taken out then.
    pub fn remove_vartime(
        &mut self,
        manifest: &Manifest,
        cell: usize,
        style: u16,
        weight: u64,
        commitments: &[Point],
    ) -> Result<(), TallyError> {
        let negated = commitments.iter().map(|point| point.decompress().map(|point| -point));
        let negated = negated.collect::<Result<Vec<_>, _>>().map_err(|_| TallyError::Shape)?;
        self.add_vartime(manifest, cell, style, weight, &negated)
    }

    /// Adds other sums, of as many cells.
    pub fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(sum, more)| *sum += more);
    }

    /// The points.
    #[must_use]
    pub fn points(&self) -> &[RistrettoPoint] {
        &self.0
    }
}

/// The sums of the commitments and of the dealings, per cell and column: what every trustee's contribution must fit
/// (spec 7.4). Only trustees have dealings.
#[derive(Clone)]
pub struct DealtSums {
    threshold: usize,
    /// For each cell and column Σ w·C, then Σ w·D_m for m = 1 … t − 1.
    sums: Vec<Vec<RistrettoPoint>>,
}

impl DealtSums {
    /// Sums of nothing.
    #[must_use]
    pub fn new(manifest: &Manifest, cells: &Cells) -> Self {
        let threshold = usize::from(manifest.threshold);
        let none = alloc::vec![RistrettoPoint::identity(); threshold];
        Self { threshold, sums: alloc::vec![none; cells.sums(manifest)] }
    }

    /// Adds a ballot's commitments and dealing in that cell, with the voter's weight. Variable time; both are independent of the
    /// vote.
    ///
    /// # Errors
    /// [`TallyError::Shape`] when cell, style, commitments and dealing don't fit; nothing is added then.
    pub fn add_vartime(
        &mut self,
        manifest: &Manifest,
        cell: usize,
        style: u16,
        weight: u64,
        commitments: &[Point],
        dealing: &Dealing,
    ) -> Result<(), TallyError> {
        let places = places(manifest, cell, style, commitments.len(), self.sums.len())?;
        let degree = self.threshold.saturating_sub(1);
        if dealing.0.len() != places.len().saturating_mul(degree) {
            return Err(TallyError::Shape);
        }
        let committed: Vec<RistrettoPoint> = commitments
            .iter()
            .map(Point::decompress)
            .collect::<Result<_, _>>()
            .map_err(|_| TallyError::Shape)?;
        let dealt = dealing.points().map_err(|_| TallyError::Shape)?;
        let mut dealt = dealt.iter();
        for (place, commitment) in places.into_iter().zip(&committed) {
            let own = core::iter::once(commitment).chain(dealt.by_ref().take(degree));
            for (sum, point) in self.sums.get_mut(place).into_iter().flatten().zip(own) {
                *sum += multiply_vartime(weight, point);
            }
        }
        Ok(())
    }

    /// These sums and others together.
    #[must_use]
    pub fn merge(mut self, other: &Self) -> Self {
        let own = self.sums.iter_mut().flatten();
        own.zip(other.sums.iter().flatten()).for_each(|(sum, more)| *sum += more);
        self
    }

    /// Whether a contribution is that of its trustee: `F·B + G·B̃ = Σ_m i^m·S_m` for every sum.
    #[must_use]
    pub fn fit(&self, contribution: &Contribution) -> bool {
        let x = Scalar::from(contribution.trustee);
        contribution.sums.len() == self.sums.len()
            && contribution.sums.iter().zip(&self.sums).all(|((f, g), sums)| {
                let expected =
                    sums.iter().rev().fold(RistrettoPoint::identity(), |value, sum| value * x + sum);
                let opened = f.scalar().ok().zip(g.scalar().ok()).map(|(f, g)| commit(f, g));
                opened.is_some_and(|opened| opened == expected)
            })
    }
}

/// A ballot's commitments as they are added to the sums.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Addition {
    /// The voter's weight.
    pub weight: u64,
    /// The places of the sums, in the order of the commitments.
    pub places: Vec<u16>,
    /// The commitments.
    pub commitments: Vec<Point>,
}

/// The turnout of one contest in one cell: what bounds its totals there.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Turnout {
    /// Counted ballots with this contest.
    pub ballots: u32,
    /// Their weights together.
    pub weight: u64,
}

/// The turnout of every contest, in manifest order, cell by cell. Per unit while the cells are not known.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Turnouts(pub BoundedVec<Turnout, ConstU32<MAX_SUMS>>);

impl Turnouts {
    /// Turnouts of nothing.
    #[must_use]
    pub fn new(manifest: &Manifest, cells: usize) -> Self {
        let contests = cells.saturating_mul(manifest.contests.len());
        Self(BoundedVec::truncate_from(alloc::vec![Turnout::default(); contests]))
    }

    /// Counts a ballot in that cell.
    ///
    /// # Errors
    /// [`TallyError::Shape`] when cell and style don't fit.
    pub fn add(
        &mut self,
        manifest: &Manifest,
        cell: usize,
        style: u16,
        weight: u64,
    ) -> Result<(), TallyError> {
        self.change(manifest, cell, style, |turnout| {
            turnout.ballots = turnout.ballots.saturating_add(1);
            turnout.weight = turnout.weight.saturating_add(weight);
        })
    }

    /// Counts a ballot out again.
    ///
    /// # Errors
    /// [`TallyError::Shape`] when cell and style don't fit.
    pub fn remove(
        &mut self,
        manifest: &Manifest,
        cell: usize,
        style: u16,
        weight: u64,
    ) -> Result<(), TallyError> {
        self.change(manifest, cell, style, |turnout| {
            turnout.ballots = turnout.ballots.saturating_sub(1);
            turnout.weight = turnout.weight.saturating_sub(weight);
        })
    }

    fn change(
        &mut self,
        manifest: &Manifest,
        cell: usize,
        style: u16,
        change: impl Fn(&mut Turnout),
    ) -> Result<(), TallyError> {
        let first = cell.saturating_mul(manifest.contests.len());
        for contest in &manifest.style(style).ok_or(TallyError::Shape)?.contests {
            let place = first.saturating_add(usize::from(*contest));
            change(self.0.get_mut(place).ok_or(TallyError::Shape)?);
        }
        Ok(())
    }

    /// The turnouts of the cells, when these are those of the units.
    #[must_use]
    pub fn join(&self, manifest: &Manifest, cells: &Cells) -> Self {
        let joined = cells.join(manifest.contests.len(), &self.0, |turnout, more| {
            turnout.ballots = turnout.ballots.saturating_add(more.ballots);
            turnout.weight = turnout.weight.saturating_add(more.weight);
        });
        Self(BoundedVec::truncate_from(joined))
    }
}

/// The result of an election.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct ElectionResult {
    /// The openings (T, R) of every sum, cell by cell.
    pub openings: Columns,
    /// Ballots and weights per cell and contest.
    pub turnout: Turnouts,
    /// The trustees whose contributions gave the openings, ascending.
    pub contributors: BoundedVec<u8, ConstU32<MAX_TRUSTEES>>,
}

/// Why a tally does not stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TallyError {
    /// Numbers of cells, columns, commitments or shares that don't fit each other.
    #[error("7.5.1: cells and columns do not fit the manifest")]
    Shape,
    /// Not t different trustees in ascending order.
    #[error("7.5.2: exactly t different trustees in ascending order must contribute")]
    Contributors,
    /// A sum that is not a canonical scalar.
    #[error("7.5.3: a contribution of trustee {0} is not a canonical scalar")]
    Scalar(u8),
    /// An opening that does not open its sum.
    #[error("7.5.4: the opening of column {column} in cell {cell} does not open the sum of the commitments: at least one of these contributions is wrong")]
    Opening {
        /// The cell, counted from 0.
        cell: usize,
        /// The column, counted from 0.
        column: usize,
    },
    /// A total beyond what the turnout allows.
    #[error("7.5.5: the total of contest {contest} in cell {cell} passes what its ballots can hold")]
    Total {
        /// The cell, counted from 0.
        cell: usize,
        /// The contest, counted from 0.
        contest: usize,
    },
}

/// Interpolates the openings from exactly t contributions, given as (trustee, sums) ascending, all of the same length.
///
/// # Errors
/// [`TallyError`], naming the trustee or the shape.
pub fn reconstruct(manifest: &Manifest, contributions: &[(u8, &Columns)]) -> Result<Columns, TallyError> {
    let ascending = contributions.windows(2).all(|pair| matches!(pair, [a, b] if a.0 < b.0));
    let known = contributions.iter().all(|(i, _)| *i >= 1 && usize::from(*i) <= manifest.trustees.len());
    if !ascending || !known || contributions.len() != usize::from(manifest.threshold) {
        return Err(TallyError::Contributors);
    }
    let indices: Vec<u8> = contributions.iter().map(|(trustee, _)| *trustee).collect();
    let sums = contributions.first().map_or(0, |(_, sums)| sums.len());
    let mut openings = alloc::vec![(Scalar::ZERO, Scalar::ZERO); sums];
    for ((trustee, sums), coefficient) in contributions.iter().zip(lagrange(&indices, 0)) {
        if sums.len() != openings.len() {
            return Err(TallyError::Shape);
        }
        for (opening, (f, g)) in openings.iter_mut().zip(sums.iter()) {
            let scalar = |bytes: &ScalarBytes| bytes.scalar().map_err(|_| TallyError::Scalar(*trustee));
            opening.0 += coefficient * scalar(f)?;
            opening.1 += coefficient * scalar(g)?;
        }
    }
    Ok(BoundedVec::truncate_from(
        openings.iter().map(|(t, r)| (ScalarBytes::of(t), ScalarBytes::of(r))).collect(),
    ))
}

/// The total of every option of every contest, in manifest order.
pub type Counts = Vec<Vec<u64>>;

/// What every option of every contest was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// In each cell.
    pub cells: Vec<Counts>,
    /// In all cells together: in the election.
    pub election: Counts,
}

impl ElectionResult {
    /// The digest that the board certifies (spec 7.6).
    #[must_use]
    pub fn digest(&self, eid: &Eid, root: &Digest) -> Digest {
        transcript::result(eid, root, &self.encode())
    }

    /// Checks every opening against the sums and every total against the turnout, and gives the
    /// totals. This is the check that the result stands on.
    ///
    /// # Errors
    /// [`TallyError`], naming cell and column or contest.
    pub fn verify(
        &self,
        manifest: &Manifest,
        cells: &Cells,
        sums: &CommitmentSums,
    ) -> Result<Totals, TallyError> {
        if !self.fits(manifest, cells) || sums.points().len() != self.openings.len() {
            return Err(TallyError::Shape);
        }
        for (place, ((t, r), sum)) in self.openings.iter().zip(sums.points()).enumerate() {
            let opened = t.scalar().ok().zip(r.scalar().ok()).map(|(t, r)| commit(t, r));
            if !opened.is_some_and(|opened| (opened - sum).is_identity()) {
                let columns = manifest.columns().max(1);
                let (cell, column) =
                    (place.checked_div(columns).unwrap_or(0), place.checked_rem(columns).unwrap_or(0));
                return Err(TallyError::Opening { cell, column });
            }
        }
        self.totals(manifest, cells)
    }

    fn fits(&self, manifest: &Manifest, cells: &Cells) -> bool {
        cells.fit(manifest)
            && self.openings.len() == cells.sums(manifest)
            && self.turnout.0.len() == cells.len().saturating_mul(manifest.contests.len())
    }

    /// The totals, checked against the turnout but not against the commitments.
    ///
    /// # Errors
    /// [`TallyError::Total`] or [`TallyError::Shape`].
    pub fn totals(&self, manifest: &Manifest, cells: &Cells) -> Result<Totals, TallyError> {
        if !self.fits(manifest, cells) {
            return Err(TallyError::Shape);
        }
        let (columns, contests) = (manifest.columns(), manifest.contests.len());
        let openings = self.openings.chunks(columns.max(1));
        let turnouts = self.turnout.0.chunks(contests.max(1));
        let of_cell = |(cell, (openings, turnouts))| cell_totals(manifest, cell, openings, turnouts);
        let cells: Vec<Counts> = openings.zip(turnouts).enumerate().map(of_cell).collect::<Result<_, _>>()?;
        let mut election: Counts =
            manifest.contests.iter().map(|contest| alloc::vec![0; contest.len()]).collect();
        for (cell, counts) in cells.iter().enumerate() {
            for (contest, (all, more)) in election.iter_mut().zip(counts).enumerate() {
                for (total, more) in all.iter_mut().zip(more) {
                    *total = total.checked_add(*more).ok_or(TallyError::Total { cell, contest })?;
                }
            }
        }
        Ok(Totals { cells, election })
    }
}

/// The totals of one cell from its openings per column, checked against its turnout per contest.
fn cell_totals(
    manifest: &Manifest,
    cell: usize,
    openings: &[(ScalarBytes, ScalarBytes)],
    turnouts: &[Turnout],
) -> Result<Counts, TallyError> {
    let mut out = Vec::new();
    for (index, (contest, turnout)) in manifest.contests.iter().zip(turnouts).enumerate() {
        let wrong = TallyError::Total { cell, contest: index };
        let openings = openings.get(manifest.contest_columns(index)).ok_or(TallyError::Shape)?;
        let mut totals: Vec<u64> =
            openings.iter().map(|(t, _)| t.as_u64()).collect::<Option<_>>().ok_or(wrong)?;
        let sum = |totals: &[u64]| totals.iter().try_fold(0u64, |sum, total| sum.checked_add(*total));
        let limit = |value: u32| turnout.weight.checked_mul(u64::from(value));
        if contest.last_is_computed() {
            let all = limit(contest.rule.min_sum).ok_or(wrong)?;
            let rest = sum(&totals).and_then(|sum| all.checked_sub(sum)).ok_or(wrong)?;
            totals.push(rest);
        }
        let each = limit(contest.rule.max_each).ok_or(wrong)?;
        let (least, most) =
            (limit(contest.rule.min_sum).ok_or(wrong)?, limit(contest.rule.max_sum).ok_or(wrong)?);
        let together = sum(&totals).ok_or(wrong)?;
        if totals.iter().any(|total| *total > each) || together < least || together > most {
            return Err(wrong);
        }
        out.push(totals);
    }
    Ok(out)
}

/// Anyone may ask the chain to finalize the tally from these contributions.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Finalize {
    /// The election.
    pub eid: Eid,
    /// Exactly t trustees, ascending, whose contributions are on the chain.
    pub contributors: BoundedVec<u8, ConstU32<MAX_TRUSTEES>>,
}
