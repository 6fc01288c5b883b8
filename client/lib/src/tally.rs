//! The tally (spec 7.5): finding t right contributions, finalizing, and naming wrong ones.

use bounded_collections::BoundedVec;
use psephos_protocol::{
    cells::Cells,
    election::Election,
    ids::{Digest, Eid},
    keys::verify_signature,
    manifest::Manifest,
    refusal::Refusal,
    state::Phase,
    tally::{
        reconstruct, Columns, CommitmentSums, Contribution, ElectionResult, Finalize, TallyError, Totals,
        Turnouts,
    },
    wire::Message,
};
use std::collections::BTreeSet;

use crate::{
    chain::Chain,
    election::{open_election, ElectionError},
    error::ChainError,
};

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FinalizeError {
    /// The chain could not be asked, or did not take the message.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The election can't be worked with.
    #[error(transparent)]
    Election(#[from] ElectionError),
    /// The election can't be tallied.
    #[error("election {eid} can't be tallied: {refusal}")]
    Blocked {
        /// The election.
        eid: Eid,
        /// Why.
        refusal: Refusal,
    },
    /// The election was voided.
    #[error("election {eid} was voided: {reason}")]
    Void {
        /// The election.
        eid: Eid,
        /// The board's reason.
        reason: String,
    },
    /// The result on the chain does not verify.
    #[error("the result on the chain does not verify, {0}: verify the election record")]
    WrongResult(#[from] TallyError),
}

/// A verified result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tallied {
    /// The result on the chain.
    pub result: ElectionResult,
    /// The cells that were opened.
    pub cells: Cells,
    /// The totals.
    pub totals: Totals,
    /// The root of the set that was opened.
    pub root: Digest,
    /// What the result says of the contributions.
    pub verdict: Verdict,
}

/// How the trustees' contributions stand to the result, each list ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// They lie on one polynomial with the result.
    pub consistent: Vec<u8>,
    /// They don't, and at most q − t trustees lie (the protocol's assumption): these are wrong.
    pub wrong: Vec<u8>,
    /// They don't, and too few contributed to say which side is right.
    pub undecided: Vec<u8>,
}

/// A subset of contributions that opens the sums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// The result that they give.
    pub result: ElectionResult,
    /// Its totals.
    pub totals: Totals,
}

/// Searches t contributions whose openings open the sums; none if there are no such yet. Tries all
/// subsets, in the order of the trustees.
#[must_use]
pub fn solve(
    manifest: &Manifest,
    cells: &Cells,
    sums: &CommitmentSums,
    turnout: &Turnouts,
    contributions: &[Contribution],
) -> Option<Solution> {
    let mut sorted: Vec<&Contribution> = contributions.iter().collect();
    sorted.sort_unstable_by_key(|contribution| contribution.trustee);
    subsets(&sorted, usize::from(manifest.threshold)).into_iter().find_map(|subset| {
        let subset: Vec<&Contribution> = subset.into_iter().copied().collect();
        let openings = reconstruct(manifest, &named(&subset)).ok()?;
        let contributors = subset.iter().map(|contribution| contribution.trustee).collect::<Vec<_>>();
        let contributors = BoundedVec::try_from(contributors).ok()?;
        let result = ElectionResult { openings, turnout: turnout.clone(), contributors };
        let totals = result.verify(manifest, cells, sums).ok()?;
        Some(Solution { result, totals })
    })
}

/// Says which contributions agree with a verified result.
///
/// The sharing polynomial of a sum has degree t − 1, so the right opening at 0 and any t − 1 honest
/// contributions fix it. A contribution lies on the contributors' polynomial if and only if it can take
/// the place of one of them without changing the openings. When q − 1 or more contributions lie on one
/// polynomial through the right opening, at least t − 1 of them are honest, because at most q − t lie: it
/// is the right polynomial, and what lies off it is wrong. With fewer, nobody is accused.
#[must_use]
pub fn judge(manifest: &Manifest, result: &ElectionResult, contributions: &[Contribution]) -> Verdict {
    let of = |trustee: &u8| contributions.iter().find(|contribution| contribution.trustee == *trustee);
    let subset: Vec<&Contribution> = result.contributors.iter().filter_map(of).collect();
    let mut verdict = Verdict::default();
    let mut off = Vec::new();
    for contribution in contributions {
        let is_consistent = result.contributors.contains(&contribution.trustee)
            || swap_first(manifest, &subset, contribution)
                .is_some_and(|openings| openings == result.openings);
        let list = if is_consistent { &mut verdict.consistent } else { &mut off };
        list.push(contribution.trustee);
    }
    verdict.consistent.sort_unstable();
    off.sort_unstable();
    if verdict.consistent.len().saturating_add(1) >= usize::from(manifest.quorum) {
        verdict.wrong = off;
    } else {
        verdict.undecided = off;
    }
    verdict
}

/// The openings that the subset gives when another contribution takes the place of its first.
fn swap_first(manifest: &Manifest, subset: &[&Contribution], other: &Contribution) -> Option<Columns> {
    let (_, rest) = subset.split_first()?;
    let mut swapped: Vec<&Contribution> = rest.to_vec();
    swapped.push(other);
    swapped.sort_unstable_by_key(|contribution| contribution.trustee);
    reconstruct(manifest, &named(&swapped)).ok()
}

fn named<'a>(contributions: &[&'a Contribution]) -> Vec<(u8, &'a Columns)> {
    contributions.iter().map(|contribution| (contribution.trustee, &contribution.sums)).collect()
}

/// All subsets of this size of the first 16 items, in their order: at most 2^16.
#[must_use]
pub fn subsets<T>(items: &[T], size: usize) -> Vec<Vec<&T>> {
    let count = items.len().min(16);
    let mut places: Vec<Vec<usize>> = (0u32..1 << count)
        .filter(|mask| mask.count_ones() as usize == size)
        .map(|mask| (0..count).filter(|place| mask & (1 << place) != 0).collect())
        .collect();
    places.sort_unstable();
    places
        .into_iter()
        .map(|subset| subset.into_iter().filter_map(|place| items.get(place)).collect())
        .collect()
}

/// Waits for contributions that open the sums, finalizes with them, and verifies the result that the
/// chain then has; at most `blocks` finalized blocks. An election that is tallied already is verified.
///
/// # Errors
/// [`FinalizeError::Blocked`] or [`FinalizeError::Void`] when there can be no result, [`ChainError::Timeout`]
/// when the trustees are not ready in time.
pub async fn tally(chain: &Chain, eid: &Eid, blocks: u32) -> Result<Tallied, FinalizeError> {
    let election = open_election(chain, eid).await?;
    let submitted = std::sync::atomic::AtomicBool::new(false);
    chain
        .wait_finalized("a result (t right contributions after q trustees agreed)", blocks, || async {
            let state = chain.election(eid).await?.state;
            match state.phase {
                Phase::Tallied | Phase::Certified => return finished(chain, &election).await.map(Some),
                Phase::Void => {
                    let reason =
                        state.void.map(|reason| psephos_protocol::bounds::show(&reason)).unwrap_or_default();
                    return Err(FinalizeError::Void { eid: *eid, reason });
                }
                _ if state.withheld => {
                    return Err(FinalizeError::Blocked { eid: *eid, refusal: Refusal::Withheld })
                }
                Phase::Agreed => {}
                _ => return Ok(None),
            }
            if submitted.load(std::sync::atomic::Ordering::Relaxed) {
                return Ok(None);
            }
            if let Some(solution) = attempt(chain, &election).await? {
                let message =
                    Message::Finalize(Finalize { eid: *eid, contributors: solution.result.contributors });
                match chain.submit(&message).await {
                    // Somebody else may have been first.
                    Ok(()) | Err(ChainError::Superseded | ChainError::SeenBefore) => {
                        submitted.store(true, std::sync::atomic::Ordering::Relaxed);
                    }
                    Err(ChainError::Refused(Refusal::WrongPhase)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(None)
        })
        .await
}

/// Tries the contributions that are on the chain.
async fn attempt(chain: &Chain, election: &Election) -> Result<Option<Solution>, FinalizeError> {
    let view = chain.tally(&election.eid).await?;
    let (Some(cells), Some(sums), Some(turnout)) = (view.cells, view.sums, view.turnout) else {
        return Ok(None);
    };
    let sums = CommitmentSums::from_encodings(&sums)?;
    let signed = signed(election, view.contributions);
    let manifest = election.manifest.clone();
    let solved = move || solve(&manifest, &cells, &sums, &turnout, &signed);
    Ok(tokio::task::spawn_blocking(solved).await.ok().flatten())
}

/// The contributions that their trustees signed; a node can't slip in others.
fn signed(election: &Election, contributions: Vec<Contribution>) -> Vec<Contribution> {
    let mut seen = BTreeSet::new();
    contributions
        .into_iter()
        .filter(|contribution| {
            contribution.verify(election, verify_signature) && seen.insert(contribution.trustee)
        })
        .collect()
}

/// Verifies the result on the chain against its sums.
async fn finished(chain: &Chain, election: &Election) -> Result<Tallied, FinalizeError> {
    let (view, state) = (chain.tally(&election.eid).await?, chain.election(&election.eid).await?.state);
    let (Some(result), Some(cells), Some(sums), Some(agreed)) =
        (view.result, view.cells, view.sums, state.agreed)
    else {
        return Err(FinalizeError::WrongResult(TallyError::Shape));
    };
    let totals = result.verify(&election.manifest, &cells, &CommitmentSums::from_encodings(&sums)?)?;
    let verdict = judge(&election.manifest, &result, &signed(election, view.contributions));
    Ok(Tallied { result, cells, totals, root: agreed.root, verdict })
}

#[cfg(test)]
mod tests {
    use super::*;
    use psephos_protocol::{
        group::ScalarBytes,
        testing::{Counted, Fixture, Params},
    };

    /// n = 4, t = 2, q = 3: one trustee may lie.
    fn election() -> (Fixture, Vec<Counted>) {
        let mut fixture = Fixture::new(&Params { voters: vec![1, 1, 3], ..Params::default() });
        let votes = [[1, 0, 0], [0, 1, 0], [0, 1, 0]];
        let ballots = (0..3).map(|voter| fixture.cast(voter, 1, &[votes[voter].to_vec()])).collect();
        (fixture, ballots)
    }

    fn contributions(fixture: &mut Fixture, ballots: &[Counted], trustees: &[u8]) -> Vec<Contribution> {
        trustees.iter().map(|trustee| fixture.contribute(*trustee, ballots)).collect()
    }

    fn turnout(fixture: &Fixture, ballots: &[Counted], given: &[Contribution]) -> Turnouts {
        fixture.result(ballots, &given[..2]).turnout
    }

    fn lie(contribution: &mut Contribution) {
        contribution.sums[0].0 = ScalarBytes([9; 32]);
    }

    fn trustees(solution: &Solution) -> Vec<u8> {
        solution.result.contributors.to_vec()
    }

    #[test]
    fn honest_contributions_give_the_totals() {
        let (mut fixture, ballots) = election();
        let given = contributions(&mut fixture, &ballots, &[3, 1]);
        let ascending = contributions(&mut fixture, &ballots, &[1, 3]);
        let turnout = turnout(&fixture, &ballots, &ascending);
        let manifest = &fixture.election.manifest;
        let solution =
            solve(manifest, &fixture.cells(&ballots), &fixture.sums(&ballots), &turnout, &given).unwrap();
        assert_eq!(trustees(&solution), [1, 3]);
        assert_eq!(solution.totals.election, vec![vec![1, 4, 0]]);
    }

    #[test]
    fn a_lying_contribution_is_gone_around_and_named() {
        for liar in 0..4 {
            let (mut fixture, ballots) = election();
            let mut given = contributions(&mut fixture, &ballots, &[1, 2, 3, 4]);
            let turnout = turnout(&fixture, &ballots, &given);
            lie(&mut given[liar]);
            let manifest = &fixture.election.manifest;
            let solution =
                solve(manifest, &fixture.cells(&ballots), &fixture.sums(&ballots), &turnout, &given).unwrap();
            let named = given[liar].trustee;
            assert!(!trustees(&solution).contains(&named));
            assert_eq!(solution.totals.election, vec![vec![1, 4, 0]]);
            let verdict = judge(manifest, &solution.result, &given);
            assert_eq!((verdict.wrong, verdict.undecided), (vec![named], vec![]));
            assert_eq!(verdict.consistent.len(), 3);
        }
    }

    /// A contribution whose values stand in each other's cells is as wrong as any.
    #[test]
    fn contributions_are_judged_in_every_cell() {
        let params = Params { units: vec![0, 1, 1], by_unit: true, ..Params::default() };
        let mut fixture = Fixture::new(&params);
        let votes = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
        let ballots: Vec<_> = (0..3).map(|voter| fixture.cast(voter, 1, &[votes[voter].to_vec()])).collect();
        let mut given = contributions(&mut fixture, &ballots, &[1, 2, 3, 4]);
        let turnout = turnout(&fixture, &ballots, &given);
        given[1].sums.iter_mut().into_slice().rotate_left(2);
        // Wrong in the second cell alone, and one cell short.
        for other in [0, 1] {
            let mut given = given.clone();
            match other {
                0 => {}
                _ => given[1].sums.truncate(2),
            }
            let (manifest, cells) = (&fixture.election.manifest, fixture.cells(&ballots));
            let solution = solve(manifest, &cells, &fixture.sums(&ballots), &turnout, &given).unwrap();
            assert_eq!(trustees(&solution), [1, 3]);
            assert_eq!(solution.totals.cells, [vec![vec![1, 0, 0]], vec![vec![0, 1, 1]]]);
            let verdict = judge(manifest, &solution.result, &given);
            assert_eq!((verdict.consistent, verdict.wrong), (vec![1, 3, 4], vec![2]));
        }
    }

    #[test]
    fn without_t_right_contributions_there_is_no_solution() {
        let (mut fixture, ballots) = election();
        let mut given = contributions(&mut fixture, &ballots, &[1, 2]);
        let turnout = turnout(&fixture, &ballots, &given);
        lie(&mut given[1]);
        let (manifest, cells) = (&fixture.election.manifest, fixture.cells(&ballots));
        let sums = fixture.sums(&ballots);
        assert_eq!(solve(manifest, &cells, &sums, &turnout, &given), None);
        assert_eq!(solve(manifest, &cells, &sums, &turnout, &given[..1]), None);
        assert_eq!(solve(manifest, &cells, &sums, &turnout, &[]), None);
    }

    /// n = 7, t = 3, q = 5: two trustees may lie. The three contributors alone may hold two liars whose
    /// errors cancel, so that an honest trustee would look wrong: nobody is accused before a fourth agrees.
    #[test]
    fn nobody_is_accused_before_it_is_decided() {
        let params = Params { trustees: 7, threshold: 3, quorum: 5, ..Params::default() };
        let mut fixture = Fixture::new(&params);
        let ballots: Vec<_> = (0..3).map(|voter| fixture.cast(voter, 1, &[vec![1, 0, 0]])).collect();
        let mut given = contributions(&mut fixture, &ballots, &[1, 2, 3, 4, 5]);
        let turnout = fixture.result(&ballots, &given[..3]).turnout;
        lie(&mut given[3]);
        let (manifest, cells) = (&fixture.election.manifest, fixture.cells(&ballots));
        let sums = fixture.sums(&ballots);
        let solution = solve(manifest, &cells, &sums, &turnout, &given).unwrap();
        let early = judge(manifest, &solution.result, &given[..4]);
        assert_eq!((early.consistent, early.wrong, early.undecided), (vec![1, 2, 3], vec![], vec![4]));
        let late = judge(manifest, &solution.result, &given);
        assert_eq!((late.consistent, late.wrong, late.undecided), (vec![1, 2, 3, 5], vec![4], vec![]));
    }
}
