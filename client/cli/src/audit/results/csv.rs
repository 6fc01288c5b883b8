//! The result as a table of numbers, one a row.

use psephos_protocol::bounds::show;
use psephos_verifier::results::Results;

use super::{places, Place};
use crate::error::CliError;

/// The columns. `contest`, `option` and `cell` are counted from 1, and empty where a row is of none.
const COLUMNS: [&str; 8] =
    ["kind", "contest", "contest_title", "option", "option_name", "cell", "units", "value"];

/// The table: of each place and contest the votes of each option and the turnout, then the roll of each unit.
///
/// # Errors
/// None that a table in memory has.
pub fn table(results: &Results) -> Result<String, CliError> {
    let mut table = ::csv::Writer::from_writer(Vec::new());
    table.write_record(COLUMNS).map_err(CliError::input)?;
    let mut row = |cells: [&str; 8]| table.write_record(cells).map_err(CliError::input);
    let units = &results.election.manifest.units;
    for Place { cell, units: range, contests } in places(results) {
        let names: Vec<String> = units.get(range).unwrap_or_default().iter().map(|unit| show(unit)).collect();
        let cell_number = cell.map(|cell| cell.to_string()).unwrap_or_default();
        // All units have no list, which may be long.
        let names = if cell.is_some() { names.join("; ") } else { String::new() };
        for (contest, totals) in (1..).zip(contests) {
            let (contest, title) = (u32::to_string(&contest), totals.title.as_str());
            for (option, (name, votes)) in (1..).zip(&totals.options) {
                let (option, votes) = (u32::to_string(&option), votes.to_string());
                row(["votes", &contest, title, &option, name, &cell_number, &names, &votes])?;
            }
            let (ballots, weight) = (totals.ballots.to_string(), totals.weight.to_string());
            row(["ballots", &contest, title, "", "", &cell_number, &names, &ballots])?;
            row(["weight", &contest, title, "", "", &cell_number, &names, &weight])?;
        }
    }
    for unit in &results.report.units {
        for (kind, value) in
            [("entries", unit.entries), ("registered", unit.registered), ("voted", unit.voted)]
        {
            row([kind, "", "", "", "", "", &unit.name, &value.to_string()])?;
        }
    }
    let bytes = table.into_inner().map_err(CliError::input)?;
    String::from_utf8(bytes).map_err(CliError::input)
}
