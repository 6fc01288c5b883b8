//! The list of eligible persons: CSV with the columns `identifier`, and if wanted `weight`, `style`, `unit`.

use psephos_protocol::{
    bounds::{show, MAX_TEXT},
    manifest::Manifest,
};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    io::Read,
};

/// Problems that are shown of one list.
const SHOWN: usize = 20;

/// A person who may vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The identifier in the official register. Only a salted hash of it is published.
    pub identifier: String,
    /// The voter's weight; the manifest's least where the list says none.
    pub weight: u64,
    /// The index of the ballot style; the manifest's first where the list says none.
    pub style: u16,
    /// The index of the reporting unit; the manifest's first where the list says none.
    pub unit: u16,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not CSV, or not UTF-8.
    #[error("not readable as CSV in UTF-8: {0}")]
    Unreadable(String),
    /// A column that is none of the four.
    #[error("unknown column {0:?}: the columns are identifier, weight, style and unit")]
    UnknownColumn(String),
    /// A column is there twice.
    #[error("column {0:?} is there twice")]
    ColumnTwice(String),
    /// There is no column of identifiers.
    #[error("the first line must name the columns, and `identifier` among them")]
    NoIdentifiers,
    /// More or fewer fields than columns.
    #[error("{fields} fields and {columns} columns: quote fields that hold a comma")]
    Fields {
        /// Fields of the line.
        fields: usize,
        /// Columns of the list.
        columns: usize,
    },
    /// No identifier.
    #[error("no identifier")]
    NoIdentifier,
    /// An identifier that is too long.
    #[error("an identifier of {0} bytes; the most is 256")]
    LongIdentifier(usize),
    /// An identifier that is there before.
    #[error("identifier {identifier:?} is on line {first} already")]
    Duplicate {
        /// The identifier.
        identifier: String,
        /// The line that has it first.
        first: u64,
    },
    /// Not one of the manifest's weights.
    #[error("weight {given:?} is not one of the manifest's: {weights}")]
    Weight {
        /// As given.
        given: String,
        /// The manifest's weights.
        weights: String,
    },
    /// Not one of the manifest's styles.
    #[error("style {given:?} is neither name nor index of one of the manifest's: {styles}")]
    Style {
        /// As given.
        given: String,
        /// The manifest's styles.
        styles: String,
    },
    /// Not one of the manifest's units.
    #[error("unit {given:?} is neither name nor index of one of the manifest's: {units}")]
    Unit {
        /// As given.
        given: String,
        /// The manifest's units.
        units: String,
    },
    /// More persons than the manifest allows.
    #[error("more than the {0} voters that the manifest allows (max_voters)")]
    TooMany(u32),
    /// Nobody.
    #[error("the list has no person")]
    Nobody,
}

/// A problem and its line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct RollError {
    /// The line of the file, counted from 1.
    pub line: u64,
    /// What is wrong.
    pub problem: Problem,
}

/// Everything that is wrong with a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollErrors(pub Vec<RollError>);

impl fmt::Display for RollErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the list of persons has {} errors; nothing was done:", self.0.len())?;
        self.0.iter().take(SHOWN).try_for_each(|error| write!(f, "\n  {error}"))?;
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n  … and {more} more"),
        }
    }
}

impl std::error::Error for RollErrors {}

/// The place of each column in a line.
#[derive(Default)]
struct Columns {
    places: BTreeMap<&'static str, usize>,
    count: usize,
}

impl Columns {
    const NAMES: [&'static str; 4] = ["identifier", "weight", "style", "unit"];

    fn of(header: &csv::StringRecord, errors: &mut Vec<RollError>) -> Self {
        let mut columns = Self { count: header.len(), ..Self::default() };
        let mut error = |problem| errors.push(RollError { line: 1, problem });
        for (place, name) in header.iter().enumerate() {
            match Self::NAMES.iter().find(|known| known.eq_ignore_ascii_case(name)) {
                None => error(Problem::UnknownColumn(name.into())),
                Some(known) if columns.places.contains_key(known) => error(Problem::ColumnTwice(name.into())),
                Some(known) => drop(columns.places.insert(known, place)),
            }
        }
        if !columns.places.contains_key("identifier") {
            error(Problem::NoIdentifiers);
        }
        columns
    }

    /// The field of a column, if the list has it and the line says something there.
    fn field<'a>(&self, name: &str, record: &'a csv::StringRecord) -> Option<&'a str> {
        record.get(*self.places.get(name)?).filter(|field| !field.is_empty())
    }
}

/// Reads and checks a list against the manifest. Nothing is taken unless everything is right.
///
/// # Errors
/// [`RollErrors`] with every problem of every line.
pub fn read_persons(manifest: &Manifest, list: impl Read) -> Result<Vec<Person>, RollErrors> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(list);
    let mut errors = Vec::new();
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => {
            return Err(RollErrors(vec![RollError {
                line: 1,
                problem: Problem::Unreadable(error.to_string()),
            }]))
        }
    };
    let columns = Columns::of(&header, &mut errors);
    if !errors.is_empty() {
        return Err(RollErrors(errors));
    }
    let names = Names::of(manifest);
    let mut persons = Vec::new();
    let mut lines: HashMap<String, u64> = HashMap::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                errors.push(RollError { line, problem: Problem::Unreadable(error.to_string()) });
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if persons.len() as u64 >= u64::from(manifest.max_voters) {
            errors.push(RollError { line, problem: Problem::TooMany(manifest.max_voters) });
            break;
        }
        let mut error = |problem| errors.push(RollError { line, problem });
        if record.len() != columns.count {
            error(Problem::Fields { fields: record.len(), columns: columns.count });
            continue;
        }
        let identifier = columns.field("identifier", &record).unwrap_or_default();
        match lines.get(identifier) {
            _ if identifier.is_empty() => error(Problem::NoIdentifier),
            _ if identifier.len() > MAX_TEXT as usize => error(Problem::LongIdentifier(identifier.len())),
            Some(first) => error(Problem::Duplicate { identifier: identifier.into(), first: *first }),
            None => drop(lines.insert(identifier.into(), line)),
        }
        let mut take = |found: Result<u64, Problem>| found.map_err(&mut error).unwrap_or_default();
        let weight = take(names.weight(columns.field("weight", &record)));
        let style = take(names.style(columns.field("style", &record)).map(u64::from)) as u16;
        let unit = take(names.unit(columns.field("unit", &record)).map(u64::from)) as u16;
        persons.push(Person { identifier: identifier.into(), weight, style, unit });
    }
    if persons.is_empty() && errors.is_empty() {
        errors.push(RollError { line: 1, problem: Problem::Nobody });
    }
    if errors.is_empty() {
        Ok(persons)
    } else {
        Err(RollErrors(errors))
    }
}

/// What a list may name.
struct Names {
    weights: Vec<u64>,
    styles: Vec<String>,
    units: Vec<String>,
}

impl Names {
    fn of(manifest: &Manifest) -> Self {
        Self {
            weights: manifest.weights.to_vec(),
            styles: manifest.styles.iter().map(|style| show(&style.name)).collect(),
            units: manifest.units.iter().map(|unit| show(unit)).collect(),
        }
    }

    fn weight(&self, given: Option<&str>) -> Result<u64, Problem> {
        let Some(given) = given else { return Ok(self.weights.first().copied().unwrap_or_default()) };
        given.parse().ok().filter(|weight| self.weights.contains(weight)).ok_or_else(|| Problem::Weight {
            given: given.into(),
            weights: self.weights.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        })
    }

    fn style(&self, given: Option<&str>) -> Result<u16, Problem> {
        index(&self.styles, given).map_err(|given| Problem::Style { given, styles: self.styles.join(", ") })
    }

    fn unit(&self, given: Option<&str>) -> Result<u16, Problem> {
        index(&self.units, given).map_err(|given| Problem::Unit { given, units: self.units.join(", ") })
    }
}

/// The index of a name, or of an index; 0 where nothing is given.
fn index(names: &[String], given: Option<&str>) -> Result<u16, String> {
    let Some(given) = given else { return Ok(0) };
    names
        .iter()
        .position(|name| name == given)
        .or_else(|| given.parse().ok().filter(|index| *index < names.len()))
        .and_then(|index| u16::try_from(index).ok())
        .ok_or_else(|| given.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use psephos_protocol::testing::{name, Fixture, Params};

    /// Weights 1 and 3, styles All and Half, units Everywhere and Abroad, at most four voters.
    fn manifest() -> Manifest {
        let params = Params { voters: vec![1, 3], ..Params::default() };
        let fixture = Fixture::with(&params, |manifest| {
            let mut half = manifest.styles[0].clone();
            half.name = name("Half");
            manifest.styles.try_push(half).unwrap();
            manifest.units.try_push(name("Abroad")).unwrap();
            manifest.max_voters = 4;
        });
        fixture.election.manifest
    }

    fn problems(list: &str) -> Vec<(u64, Problem)> {
        let errors = read_persons(&manifest(), list.as_bytes()).unwrap_err();
        errors.0.into_iter().map(|error| (error.line, error.problem)).collect()
    }

    #[test]
    fn names_and_indices_and_defaults_are_understood() {
        let list = "identifier,unit,style,weight\n A-1 ,Abroad,1,3\n\"B, Jr\",,Half,\nC,1,,1\n";
        let persons = read_persons(&manifest(), list.as_bytes()).unwrap();
        let person = |identifier: &str, weight, style, unit| Person {
            identifier: identifier.into(),
            weight,
            style,
            unit,
        };
        assert_eq!(persons, [person("A-1", 3, 1, 1), person("B, Jr", 1, 1, 0), person("C", 1, 0, 1)]);
        let short = read_persons(&manifest(), "Identifier\nX\n".as_bytes()).unwrap();
        assert_eq!(short, [person("X", 1, 0, 0)]);
    }

    #[test]
    fn every_problem_of_every_line_is_reported_at_once() {
        let list = "identifier,weight,style,unit\nC,1\nA,2,All,Nowhere\n,1,,\nB,1,Quarter,0\nA,1,2,2\n";
        let found = problems(list);
        let lines: Vec<u64> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 3, 3, 4, 5, 6, 6, 6]);
        assert_eq!(found[0].1, Problem::Fields { fields: 2, columns: 4 });
        assert!(
            matches!(&found[1].1, Problem::Weight { given, weights } if given == "2" && weights == "1, 3")
        );
        assert!(matches!(&found[2].1, Problem::Unit { given, .. } if given == "Nowhere"));
        assert_eq!(found[3].1, Problem::NoIdentifier);
        assert!(matches!(&found[4].1, Problem::Style { styles, .. } if styles == "All, Half"));
        assert_eq!(found[5].1, Problem::Duplicate { identifier: "A".into(), first: 3 });
        assert!(matches!(found[6].1, Problem::Style { .. }));
        assert!(matches!(found[7].1, Problem::Unit { .. }));
    }

    #[test]
    fn a_wrong_header_and_a_wrong_size_are_problems() {
        assert_eq!(problems("name,weight\nA,1\n")[0], (1, Problem::UnknownColumn("name".into())));
        assert_eq!(problems("weight\n1\n"), [(1, Problem::NoIdentifiers)]);
        assert_eq!(
            problems("identifier,Identifier\nA,B\n"),
            [(1, Problem::ColumnTwice("Identifier".into()))]
        );
        assert_eq!(problems("identifier\n"), [(1, Problem::Nobody)]);
        assert_eq!(problems("identifier\nA\nB\nC\nD\nE\nF\n"), [(6, Problem::TooMany(4))]);
        let long = format!("identifier\n{}\n", "x".repeat(257));
        assert_eq!(problems(&long), [(2, Problem::LongIdentifier(257))]);
        let broken = [b"identifier\nA\n".as_slice(), &[0xff, 0xfe, b'\n']].concat();
        let errors = read_persons(&manifest(), broken.as_slice()).unwrap_err();
        assert!(matches!(errors.0[0], RollError { line: 3, problem: Problem::Unreadable(_) }));
    }
}
