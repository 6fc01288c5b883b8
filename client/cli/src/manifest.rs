//! The manifest as the board writes it: TOML, from which the protocol's [`Manifest`] is made.

use bounded_collections::{BoundedVec, Get};
use psephos_client::keystore::PublicKeyFile;
use psephos_protocol::{
    board::Board,
    bounds::{self, Text, KEM_PUBLIC_KEY_BYTES, MAX_TEXT},
    contest::{Contest, Rule},
    keys::PublicKey,
    manifest::{least_quorum, Manifest, Style, Trustee},
    range_proof::GENERATORS_DIGEST,
};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use crate::{error::CliError, times};

/// Bytes of the largest file that is read.
const MAX_BYTES: u64 = 1024 * 1024;

/// The format, for `--help`.
pub const FORMAT: &str = r#"The manifest (TOML):
  title           = "Council 2026"
  opens_at        = "2026-05-01T08:00:00+02:00"  # or "now", "+30m"
  closes_at       = "2026-05-31T18:00:00+02:00"
  early_close     = false       # may the board close before closes_at?
  by_unit         = false       # open totals per reporting unit?
  max_voters      = 10000       # the roll's limit
  max_ballots     = 8           # per voter, the last one counts
  privacy_minimum = 10          # smaller groups of ballots are never opened
  small_groups_public = false   # ... unless this says that their votes are public
  units           = ["North", "South"]   # reporting units; default ["All"]
  weights         = [1]                  # weights a voter may have; default [1]
  threshold       = 2           # trustees who open the tally
  quorum          = 3           # trustees who vouch; default the least allowed
  trustees        = ["trustee-1.pub.json", "..."]   # from `psephos trustee init`
  registrars      = ["registrar-1.pub.json"]        # from `psephos registrar keygen`

  [board]
  members   = ["board-1.pub.json", "..."]           # from `psephos board keygen`
  threshold = 2

  [[contests]]
  title     = "President"
  options   = ["Ada", "Grace", "Blank"]
  rule      = "plurality"       # "approval", {choose = [1, 3]}, {cumulative = 5}, {score = 10},
  undervote = false             # {range = {max_each = 2, min_sum = 0, max_sum = 4}}

  [[styles]]                    # default: one style with all contests
  name     = "All"
  contests = ["President"]
Files are relative to the manifest."#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestToml {
    title: String,
    opens_at: String,
    closes_at: String,
    #[serde(default)]
    early_close: bool,
    #[serde(default)]
    by_unit: bool,
    max_voters: u32,
    #[serde(default = "eight")]
    max_ballots: u8,
    #[serde(default = "ten")]
    privacy_minimum: u32,
    #[serde(default)]
    small_groups_public: bool,
    #[serde(default = "all")]
    units: Vec<String>,
    #[serde(default = "one")]
    weights: Vec<u64>,
    threshold: u8,
    quorum: Option<u8>,
    trustees: Vec<PathBuf>,
    registrars: Vec<PathBuf>,
    board: BoardToml,
    contests: Vec<ContestToml>,
    #[serde(default)]
    styles: Vec<StyleToml>,
}

fn eight() -> u8 {
    8
}
fn ten() -> u32 {
    10
}
fn all() -> Vec<String> {
    vec!["All".into()]
}
fn one() -> Vec<u64> {
    vec![1]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BoardToml {
    members: Vec<PathBuf>,
    threshold: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContestToml {
    title: String,
    options: Vec<String>,
    rule: RuleToml,
    #[serde(default)]
    undervote: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RuleToml {
    Plurality,
    Approval,
    Choose([u32; 2]),
    Cumulative(u32),
    Score(u32),
    Range { max_each: u32, min_sum: u32, max_sum: u32 },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StyleToml {
    name: String,
    contests: Vec<String>,
}

/// Reads a manifest and checks every rule of the protocol.
///
/// # Errors
/// [`CliError::Input`] naming file, field and limit.
pub fn load(path: &Path) -> Result<Manifest, CliError> {
    let text = read_bounded(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    parse(&text, folder, times::now()).map_err(|error| CliError::file(path, error))
}

fn parse(text: &str, folder: &Path, now: u64) -> Result<Manifest, String> {
    let toml: ManifestToml = toml::from_str(text).map_err(|error| error.to_string())?;
    toml.manifest(folder, now)
}

impl ManifestToml {
    fn manifest(&self, folder: &Path, now: u64) -> Result<Manifest, String> {
        distinct("contests[].title", self.contests.iter().map(|contest| contest.title.as_str()))?;
        distinct("units", self.units.iter().map(String::as_str))?;
        distinct("styles[].name", self.styles.iter().map(|style| style.name.as_str()))?;
        let trustees = self.trustees(folder)?;
        let least = least_quorum(trustees.len(), self.threshold);
        let manifest = Manifest {
            version: psephos_protocol::VERSION,
            title: text("title", &self.title)?,
            contests: bounded("contests", each("contests", &self.contests, ContestToml::contest)?)?,
            styles: bounded("styles", self.styles()?)?,
            units: bounded("units", each("units", &self.units, |unit| text("name", unit))?)?,
            weights: bounded("weights", self.weights.clone())?,
            max_voters: self.max_voters,
            privacy_minimum: self.privacy_minimum,
            small_groups_public: self.small_groups_public,
            max_ballots: self.max_ballots,
            threshold: self.threshold,
            quorum: self.quorum.unwrap_or(u8::try_from(least).unwrap_or(u8::MAX)),
            trustees: bounded("trustees", trustees)?,
            board: Board {
                members: bounded("board.members", keys("board.members", folder, &self.board.members)?)?,
                threshold: self.board.threshold,
            },
            registrars: bounded("registrars", keys("registrars", folder, &self.registrars)?)?,
            opens_at: times::parse(&self.opens_at, now).map_err(|error| format!("opens_at: {error}"))?,
            closes_at: times::parse(&self.closes_at, now).map_err(|error| format!("closes_at: {error}"))?,
            early_close: self.early_close,
            by_unit: self.by_unit,
            rehearsal: None,
            generators: GENERATORS_DIGEST,
        };
        manifest.validate().map_err(|error| error.to_string())?;
        if manifest.closes_at <= now {
            return Err(format!("closes_at: {} is past; nobody could vote", times::show(manifest.closes_at)));
        }
        Ok(manifest)
    }

    fn styles(&self) -> Result<Vec<Style>, String> {
        if self.styles.is_empty() {
            let contests = bounded("contests", (0..self.contests.len()).map(|index| index as u16).collect())?;
            return Ok(vec![Style { name: text("styles[0].name", "All")?, contests }]);
        }
        each("styles", &self.styles, |style| {
            let mut contests = each("contests", &style.contests, |title| {
                self.contests
                    .iter()
                    .position(|contest| contest.title == *title)
                    .and_then(|index| u16::try_from(index).ok())
                    .ok_or_else(|| format!("there is no contest titled {title:?}"))
            })?;
            contests.sort_unstable();
            Ok(Style { name: text("name", &style.name)?, contests: bounded("contests", contests)? })
        })
    }

    fn trustees(&self, folder: &Path) -> Result<Vec<Trustee>, String> {
        each("trustees", &self.trustees, |path| {
            let file = public_key_file(&folder.join(path))?;
            let kem = file.kem.as_deref().ok_or_else(|| {
                format!(
                    "{}: has no `kem` key; a trustee's file comes from `psephos trustee init`",
                    path.display()
                )
            })?;
            let kem = hex::decode(kem)
                .ok()
                .filter(|kem| kem.len() == KEM_PUBLIC_KEY_BYTES as usize)
                .ok_or_else(|| {
                    format!("{}: `kem` must be {KEM_PUBLIC_KEY_BYTES} bytes in hexadecimal", path.display())
                })?;
            Ok(Trustee {
                name: text("name", &file.name)?,
                signing: key_of(path, &file)?,
                kem: bounded("kem", kem)?,
            })
        })
    }
}

impl ContestToml {
    fn contest(&self) -> Result<Contest, String> {
        distinct("options", self.options.iter().map(String::as_str))?;
        let options: BoundedVec<Text, _> =
            bounded("options", each("options", &self.options, |option| text("name", option))?)?;
        let count = self.options.len() as u32;
        let mut rule = match self.rule {
            RuleToml::Plurality => Rule::plurality(),
            RuleToml::Approval => Rule::approval(count),
            RuleToml::Choose([least, most]) => Rule::choose(least, most),
            RuleToml::Cumulative(points) => Rule::cumulative(points),
            RuleToml::Score(most) => Rule::score(most, count),
            RuleToml::Range { max_each, min_sum, max_sum } => Rule { max_each, min_sum, max_sum },
        };
        if self.undervote {
            rule.min_sum = 0;
        }
        Ok(Contest { title: text("title", &self.title)?, options, rule })
    }
}

/// Applies `make` to each item; its error is prefixed by list and place, counted from 0 as the protocol does.
fn each<T, U>(field: &str, items: &[T], make: impl Fn(&T) -> Result<U, String>) -> Result<Vec<U>, String> {
    items
        .iter()
        .enumerate()
        .map(|(index, item)| make(item).map_err(|error| format!("{field}[{index}]: {error}")))
        .collect()
}

fn text(field: &str, value: &str) -> Result<Text, String> {
    if value.trim().is_empty() {
        return Err(format!("{field}: must not be empty"));
    }
    if value.chars().any(char::is_control) {
        return Err(format!("{field}: has a control character, such as a line break; leave it out"));
    }
    bounds::text(value).map_err(|bytes| format!("{field}: has {bytes} bytes, the most is {MAX_TEXT}"))
}

fn bounded<T, S: Get<u32>>(field: &str, items: Vec<T>) -> Result<BoundedVec<T, S>, String> {
    let given = items.len();
    BoundedVec::try_from(items).map_err(|_| format!("{field}: {given} are given, the most is {}", S::get()))
}

fn distinct<'a>(field: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{field}: {name:?} is given twice"));
        }
    }
    Ok(())
}

fn keys(field: &str, folder: &Path, paths: &[PathBuf]) -> Result<Vec<PublicKey>, String> {
    each(field, paths, |path| key_of(path, &public_key_file(&folder.join(path))?))
}

fn key_of(path: &Path, file: &PublicKeyFile) -> Result<PublicKey, String> {
    file.signing.parse().map_err(|error| format!("{}: `signing`: {error}", path.display()))
}

/// Reads the public half of a key.
///
/// # Errors
/// What is wrong with the file.
pub fn public_key_file(path: &Path) -> Result<PublicKeyFile, String> {
    let text = read_bounded(path).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| {
        format!(
            "{}: not a public key file ({error}); it has the fields name, signing and, for trustees, kem",
            path.display()
        )
    })
}

/// Reads a text file of at most 1 MiB.
///
/// # Errors
/// [`CliError::Input`] naming the file.
pub fn read_bounded(path: &Path) -> Result<String, CliError> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| CliError::file(path, error))?;
    let read = file.take(MAX_BYTES + 1).read_to_string(&mut text);
    read.map_err(|error| CliError::file(path, error))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(CliError::file(path, "is larger than 1 MiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use psephos_client::keystore::{KeyFile, KeyRole};
    use rand_core::OsRng;

    const NOW: u64 = 1_780_000_000_000;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let roles = [
            ("trustee", KeyRole::Trustee, 4),
            ("board", KeyRole::Board, 3),
            ("registrar", KeyRole::Registrar, 1),
        ];
        for (name, role, count) in roles {
            for index in 1..=count {
                let key = KeyFile::generate(role, &format!("{name} {index}"), &mut OsRng).public_file();
                let path = folder.path().join(format!("{name}-{index}.pub.json"));
                std::fs::write(path, serde_json::to_string(&key).unwrap()).unwrap();
            }
        }
        folder
    }

    fn example() -> String {
        r#"
title = "Council"
opens_at = "now"
closes_at = "+30m"
early_close = true
max_voters = 100
units = ["North", "South"]
weights = [1, 3]
threshold = 2
trustees = ["trustee-1.pub.json", "trustee-2.pub.json", "trustee-3.pub.json", "trustee-4.pub.json"]
registrars = ["registrar-1.pub.json"]
[board]
members = ["board-1.pub.json", "board-2.pub.json", "board-3.pub.json"]
threshold = 2
[[contests]]
title = "President"
options = ["Ada", "Grace", "Blank"]
rule = "plurality"
[[contests]]
title = "Budget"
options = ["Bikes", "Trees"]
rule = { cumulative = 5 }
[[styles]]
name = "Full"
contests = ["Budget", "President"]
"#
        .into()
    }

    #[test]
    fn the_example_of_the_help_is_a_manifest() {
        let folder = folder();
        let example = FORMAT
            .lines()
            .filter(|line| line.starts_with("  "))
            .map(|line| line.replace(r#", "...""#, ""))
            .collect::<Vec<_>>()
            .join("\n")
            .replace(
                r#"["trustee-1.pub.json"]"#,
                r#"["trustee-1.pub.json","trustee-2.pub.json","trustee-3.pub.json"]"#,
            )
            .replace(r#"["board-1.pub.json"]"#, r#"["board-1.pub.json","board-2.pub.json"]"#);
        let now = times::parse("2026-04-01T00:00:00Z", 0).unwrap();
        let manifest = parse(&example, folder.path(), now).unwrap();
        assert_eq!(manifest.contests[0].rule, Rule::plurality());
    }

    #[test]
    fn toml_becomes_the_protocols_manifest() {
        let folder = folder();
        let manifest = parse(&example(), folder.path(), NOW).unwrap();
        assert_eq!((manifest.opens_at, manifest.closes_at), (NOW, NOW + 1_800_000));
        assert_eq!((manifest.threshold, manifest.quorum), (2, 3));
        assert_eq!(manifest.contests[1].rule, Rule::cumulative(5));
        // Contests of a style are in ballot order, however they are written.
        assert_eq!(manifest.styles[0].contests.to_vec(), [0, 1]);
        assert_eq!(bounds::show(&manifest.trustees[3].name), "trustee 4");
    }

    #[test]
    fn a_missing_style_means_all_contests_and_undervote_lowers_the_sum() {
        let folder = folder();
        let text = example()
            .split("[[styles]]")
            .next()
            .unwrap()
            .replace("\"plurality\"", "\"plurality\"\nundervote = true");
        let manifest = parse(&text, folder.path(), NOW).unwrap();
        assert_eq!(manifest.styles[0].contests.to_vec(), [0, 1]);
        assert_eq!(manifest.contests[0].rule, Rule::plurality_or_none());
    }

    #[test]
    fn every_mistake_names_its_field() {
        let folder = folder();
        let cases = [
            (
                "title = \"Council\"",
                format!("title = \"{}\"", "x".repeat(257)),
                "title: has 257 bytes, the most is 256",
            ),
            ("title = \"Council\"", "title = \"\"".into(), "title: must not be empty"),
            ("\"now\"", "\"noon\"".into(), "opens_at: \"noon\" is no time"),
            ("\"+30m\"", "\"now\"".into(), "closes_at: must be later than opens_at"),
            ("\"plurality\"", "\"borda\"".into(), "unknown variant `borda`"),
            ("\"plurality\"", "{ choose = [2, 1] }".into(), "contests[0].rule"),
            ("\"Grace\"", "\"Ada\"".into(), "contests[0]: options: \"Ada\" is given twice"),
            (
                "\"Budget\", \"President\"",
                "\"Mayor\"".into(),
                "styles[0]: contests[0]: there is no contest titled \"Mayor\"",
            ),
            ("\"trustee-4.pub.json\"", "\"trustee-1.pub.json\"".into(), "trustees[3]"),
            (
                "\"trustee-4.pub.json\"",
                "\"board-1.pub.json\"".into(),
                "trustees[3]: board-1.pub.json: has no `kem` key",
            ),
            ("\"trustee-4.pub.json\"", "\"nobody.json\"".into(), "trustees[3]: "),
            ("threshold = 2\ntrustees", "threshold = 4\ntrustees".into(), "t < n"),
            ("max_voters = 100", "max_voters = 0".into(), "max_voters"),
            ("max_voters = 100", "max_voter = 100".into(), "unknown field `max_voter`"),
            ("weights = [1, 3]", "weights = [3, 1]".into(), "weights: must be ascending"),
            ("\"South\"]", "\"North\"]".into(), "units: \"North\" is given twice"),
            (
                "members = [\"board-1.pub.json\", ",
                "members = [\"registrar-1.pub.json\", ".into(),
                "one key may have one role",
            ),
        ];
        for (from, to, expected) in cases {
            let text = example().replacen(from, &to, 1);
            assert_ne!(text, example(), "{from}");
            let error = parse(&text, folder.path(), NOW).unwrap_err();
            assert!(error.contains(expected), "{from} -> {to}: {error}");
        }
        let past = example()
            .replace("\"now\"", "\"2020-01-01T00:00:00Z\"")
            .replace("\"+30m\"", "\"2020-01-02T00:00:00Z\"");
        assert!(parse(&past, folder.path(), NOW).unwrap_err().contains("is past"));
    }
}
