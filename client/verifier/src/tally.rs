//! Checks 11 and 13 to 15: what the trustees sign and the totals that come out.

use std::{collections::BTreeMap, ops::Range};

use psephos_protocol::{
    agreement::{Agreement, SetStatement},
    bounds::show,
    cells::Cells,
    election::Election,
    ids::{Anchor, Digest},
    keys::verify_signature,
    manifest::Manifest,
    tally::{reconstruct, Contribution, Counts, ElectionResult, Finalize, TallyError, Totals, Turnout},
};

use crate::{
    ballots::Ballots,
    report::{CellTotals, ContestTotals, Failure, Party, Step},
};

/// The trustees' acts after the close.
#[derive(Default)]
pub(crate) struct Tally {
    agreements: BTreeMap<u8, SetStatement>,
    contributions: BTreeMap<u8, Contribution>,
    result: Option<Stands>,
}

/// A result that stands.
pub(crate) struct Stands {
    pub(crate) digest: Digest,
    pub(crate) result: ElectionResult,
    pub(crate) cells: Cells,
    pub(crate) totals: Totals,
}

impl Tally {
    /// A trustee signs a set; `expected` is the one that the replay recomputed. Another root is evidence
    /// against that trustee and stops nothing; the closing block and the count are plain to everyone.
    pub(crate) fn agree(
        &mut self,
        election: &Election,
        expected: &SetStatement,
        agreement: &Agreement,
        object: &str,
    ) -> Result<(), Failure> {
        let (trustee, statement) = (agreement.trustee, agreement.statement);
        let fail = |party, reason: String| Failure::new(Step::Agreement, party, object, reason);
        let own = || Party::Trustees(vec![trustee]);
        if !agreement.verify(election, verify_signature) {
            return Err(fail(
                Party::Validators,
                format!("the agreement is not signed by trustee {trustee} of this election"),
            ));
        }
        if let Some(before) = self.agreements.get(&trustee) {
            // The same once more is sent by anybody.
            let again = *before == statement;
            let (party, what) = if again { (Party::Validators, "this") } else { (own(), "another") };
            return Err(fail(party, format!("trustee {trustee} signed {what} set before")));
        }
        if statement.closing != expected.closing {
            let Anchor { number, hash } = statement.closing;
            let other = expected.closing;
            let reason = format!(
                "trustee {trustee} closes with block {number} {}, and voting ended with block {} {}",
                Digest(hash),
                other.number,
                Digest(other.hash)
            );
            return Err(fail(own(), reason));
        }
        if statement.ballots != expected.ballots {
            let (signed, count) = (statement.ballots, expected.ballots);
            return Err(fail(
                own(),
                format!("trustee {trustee} signed a set of {signed} ballots, and {count} count"),
            ));
        }
        if statement.log != expected.log {
            let reason = format!(
                "trustee {trustee} signed the log of ballots {}, and that of this record is {}",
                statement.log, expected.log
            );
            return Err(fail(own(), reason));
        }
        self.agreements.insert(trustee, statement);
        Ok(())
    }

    /// Whether a quorum of trustees has signed the expected set; an error if one has signed another. Nothing is
    /// agreed where two sets have one, as may be below the manifest's quorum.
    pub(crate) fn agreed(&self, quorum: u8, expected: &SetStatement, object: &str) -> Result<bool, Failure> {
        let mut sets: BTreeMap<Digest, Vec<u8>> = BTreeMap::new();
        for (trustee, statement) in &self.agreements {
            sets.entry(statement.root).or_default().push(*trustee);
        }
        sets.retain(|_, trustees| trustees.len() >= usize::from(quorum));
        match (sets.pop_first(), sets.is_empty()) {
            (Some((root, _)), true) if root == expected.root => Ok(true),
            (Some((root, trustees)), true) => Err(Failure::new(
                Step::Agreement,
                Party::Trustees(trustees),
                object,
                format!(
                    "a quorum signed the root {root}, and that of the counted ballots is {}",
                    expected.root
                ),
            )),
            _ => Ok(false),
        }
    }

    /// The trustees who signed the expected root, and those who signed another.
    pub(crate) fn signers(&self, expected: &SetStatement) -> (Vec<u8>, Vec<u8>) {
        let trustees = |same: bool| {
            let of =
                self.agreements.iter().filter(|(_, statement)| (statement.root == expected.root) == same);
            of.map(|(trustee, _)| *trustee).collect()
        };
        (trustees(true), trustees(false))
    }

    /// A trustee contributes to the opening of the agreed set.
    pub(crate) fn contribute(
        &mut self,
        election: &Election,
        cells: &Cells,
        agreed: &SetStatement,
        contribution: Contribution,
        object: &str,
    ) -> Result<(), Failure> {
        let trustee = contribution.trustee;
        let fail = |party, reason: String| Failure::new(Step::Contributions, party, object, reason);
        let own = || Party::Trustees(vec![trustee]);
        if !contribution.verify(election, verify_signature) {
            return Err(fail(
                Party::Validators,
                format!("the contribution is not signed by trustee {trustee} of this election"),
            ));
        }
        let (pairs, sums) = (contribution.sums.len(), cells.sums(&election.manifest));
        if pairs != sums {
            return Err(fail(
                own(),
                format!("the contribution of trustee {trustee} has {pairs} pairs, and there are {sums} sums"),
            ));
        }
        if contribution.root != agreed.root {
            return Err(fail(
                own(),
                format!("trustee {trustee} contributed to the set {}", contribution.root),
            ));
        }
        let canonical = |bytes: &psephos_protocol::group::ScalarBytes| bytes.scalar().is_ok();
        if !contribution.sums.iter().all(|(f, g)| canonical(f) && canonical(g)) {
            return Err(fail(
                own(),
                format!("the contribution of trustee {trustee} has a non-canonical scalar"),
            ));
        }
        if let Some(before) = self.contributions.get(&trustee) {
            let again = (before.root, &before.sums) == (contribution.root, &contribution.sums);
            let (party, what) = if again { (Party::Validators, "this") } else { (own(), "something else") };
            return Err(fail(party, format!("trustee {trustee} contributed {what} before")));
        }
        self.contributions.insert(trustee, contribution);
        Ok(())
    }

    /// The contributions, by trustee.
    pub(crate) fn contributions(&self) -> impl Iterator<Item = &Contribution> + '_ {
        self.contributions.values()
    }

    /// How many trustees contributed.
    pub(crate) fn contributed(&self) -> usize {
        self.contributions.len()
    }

    /// Opens the sums with the contributions that `finalize` names.
    pub(crate) fn finalize(
        &mut self,
        election: &Election,
        ballots: &Ballots,
        agreed: &SetStatement,
        finalize: &Finalize,
        object: &str,
    ) -> Result<(), Failure> {
        let fail = |party, reason: String| Failure::new(Step::Openings, party, object, reason);
        let mut named = Vec::new();
        for trustee in &finalize.contributors {
            let contribution = self
                .contributions
                .get(trustee)
                .ok_or_else(|| fail(Party::Validators, format!("trustee {trustee} has not contributed")))?;
            named.push((*trustee, &contribution.sums));
        }
        let wrong = |error: TallyError| {
            let party = match error {
                TallyError::Contributors | TallyError::Shape => Party::Validators,
                TallyError::Scalar(trustee) => Party::Trustees(vec![trustee]),
                TallyError::Opening { .. } | TallyError::Total { .. } => {
                    Party::Trustees(finalize.contributors.to_vec())
                }
            };
            fail(party, error.to_string())
        };
        let manifest = &election.manifest;
        let openings = reconstruct(manifest, &named).map_err(wrong)?;
        let contributors = finalize.contributors.clone();
        let cells = ballots.cells(election);
        let turnout = ballots.turnout(election, &cells);
        let result = ElectionResult { openings, turnout, contributors };
        let totals = result.verify(manifest, &cells, &ballots.sums(election, &cells)).map_err(wrong)?;
        let digest = result.digest(&election.eid, &agreed.root);
        self.result = Some(Stands { digest, result, cells, totals });
        Ok(())
    }

    /// The result that stands.
    pub(crate) fn result(&self) -> Option<&Stands> {
        self.result.as_ref()
    }
}

impl Stands {
    /// The election's totals by contest and option.
    pub(crate) fn contests(&self, election: &Election) -> Vec<ContestTotals> {
        let manifest = &election.manifest;
        let turnout = self.result.turnout.join(manifest, &Cells::all(manifest));
        contests(manifest, &self.totals.election, &turnout.0)
    }

    /// The totals of each cell; none where there is one alone.
    pub(crate) fn cells(&self, election: &Election) -> Vec<CellTotals> {
        let manifest = &election.manifest;
        if self.cells.len() == 1 {
            return Vec::new();
        }
        let name =
            |unit: u16| manifest.units.get(usize::from(unit)).map(|name| show(name)).unwrap_or_default();
        let turnouts = self.result.turnout.0.chunks(manifest.contests.len().max(1));
        let cells = self.cells.units().zip(&self.totals.cells).zip(turnouts);
        let totals = |((units, counts), turnouts): ((Range<u16>, &Counts), &[Turnout])| CellTotals {
            units: units.map(name).collect(),
            contests: contests(manifest, counts, turnouts),
        };
        cells.map(totals).collect()
    }
}

fn contests(manifest: &Manifest, counts: &Counts, turnouts: &[Turnout]) -> Vec<ContestTotals> {
    let contests = manifest.contests.iter().zip(counts).zip(turnouts);
    contests
        .map(|((contest, totals), turnout)| ContestTotals {
            title: show(&contest.title),
            ballots: turnout.ballots,
            weight: turnout.weight,
            options: contest.options.iter().map(|option| show(option)).zip(totals.iter().copied()).collect(),
        })
        .collect()
}
