//! The result of a verified record with what the manifest says about it: for those who publish it in another form.

use psephos_protocol::election::Election;
use std::{
    io::{self, Read},
    ops::Range,
};

use crate::{
    report::{Outcome, Report},
    verify_and_keep, Options,
};

/// A result that was verified and certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Results {
    /// The election.
    pub election: Election,
    /// When voting opened, in ms since the Unix epoch: as the manifest says, or as it was postponed.
    pub opens_at: u64,
    /// When voting closed: as the manifest says, or as it was postponed or extended. Not when the board closed it before.
    pub closes_at: u64,
    /// The time of the record's last block, which certified the result.
    pub certified_at: u64,
    /// The reporting units of each cell, by their places in the manifest.
    pub cells: Vec<Range<u16>>,
    /// The report, with the totals.
    pub report: Report,
}

/// Verifies a record for its result.
///
/// # Errors
/// When the source can't be read. The inner error is the report of a record that does not hold, or of an election that
/// was voided.
pub fn results(source: impl Read, options: &Options) -> io::Result<Result<Results, Box<Report>>> {
    let (report, found) = verify_and_keep(
        source,
        options,
        |_| (),
        |replay| {
            let replay = replay?;
            let (running, last) = (replay.running.as_ref()?, replay.headers.last()?);
            let cells = running.tally.result()?.cells.units().collect();
            Some((running.election.clone(), running.opens_at, running.closes_at, last.time, cells))
        },
    )?;
    let certified = report.verified() && matches!(report.outcome, Some(Outcome::Certified { .. }));
    Ok(match found.filter(|_| certified) {
        Some((election, opens_at, closes_at, certified_at, cells)) => {
            Ok(Results { election, opens_at, closes_at, certified_at, cells, report })
        }
        None => Err(Box::new(report)),
    })
}
