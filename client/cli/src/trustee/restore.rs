//! `psephos trustee restore`: the same key file again, from the recovery sheet or from a backup.

use clap::Args;
use psephos_client::{
    keystore::{fingerprint, read_private, KeyFile, KeyRole, Root, WordsError, WORDS},
    open_election,
};
use serde_json::json;
use std::{
    io::{self, BufRead, IsTerminal, Read},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

use super::index_of;
use crate::{
    context::{find_election, Context},
    error::CliError,
    keys,
    output::fields,
};

/// What to type, for `--help`.
pub const EXAMPLES: &str = "Examples:
  psephos trustee restore --name 'Court of Audit' --out trustee.key            # asks for the words
  psephos trustee restore --name 'Court of Audit' --out trustee.key --election EID
  psephos trustee restore --name 'Court of Audit' --out trustee.key --sheet-words-file words.txt
  psephos trustee restore --backup trustee.backup.age --identity age.txt --out trustee.key

Words may be typed in any case, over several lines, and with their numbers. Compare the
fingerprint with the one on the sheet. The key file gets a new passphrase; the sheet stays as
good as before.";

/// Bytes of the longest list of words that is read.
const MAX_BYTES: u64 = 4 * 1024;

/// A key file to make again.
#[derive(Args)]
pub struct RestoreArgs {
    /// The key file to make; its public half goes beside it, as NAME.pub.json.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The holder's name, as it stands on the sheet; a backup has it.
    #[arg(long, required_unless_present = "backup", conflicts_with = "backup")]
    name: Option<String>,
    /// A file with the 24 words, readable by you alone; without it they are asked for.
    #[arg(long, value_name = "FILE", conflicts_with = "backup")]
    sheet_words_file: Option<PathBuf>,
    /// The backup that `trustee init --backup-to` made.
    #[arg(long, value_name = "FILE", requires = "identity")]
    backup: Option<PathBuf>,
    /// The age identity that the backup is for, as `age-keygen` made it, readable by you alone.
    #[arg(long, value_name = "FILE", requires = "backup")]
    identity: Option<PathBuf>,
    /// Write nothing unless this election names the key: its identifier, or the first digits.
    #[arg(long, value_name = "EID")]
    election: Option<String>,
    /// Leave the secret unencrypted: for development only.
    #[arg(long)]
    insecure_plaintext: bool,
}

/// Makes the key file again.
///
/// # Errors
/// [`CliError::Input`] naming the wrong word, or what is in the way; nothing is written then.
pub async fn run(args: RestoreArgs, context: &Context) -> Result<(), CliError> {
    if args.out.exists() {
        return Err(keys::taken(&args.out));
    }
    let key = match (&args.backup, &args.identity, args.name) {
        (Some(backup), Some(identity), _) => KeyFile::load_backup(backup, KeyRole::Trustee, identity)?,
        (_, _, name) => {
            let name = name.unwrap_or_default();
            keys::check_name(&name)?;
            KeyFile::trustee(&name, root(args.sheet_words_file.as_deref())?)
        }
    };
    let trustee = match &args.election {
        Some(name) => {
            let chain = context.chain().await?;
            let eid = find_election(&chain, Some(name)).await?;
            let index = index_of(&open_election(&chain, &eid).await?, &key)?;
            Some((eid, index))
        }
        None => None,
    };
    let protection = keys::protection(&args.out, args.insecure_plaintext, context)?;
    let progress = context.out.spinner("encrypting the key");
    let written = keys::write(&key, &args.out, &protection);
    progress.finish_and_clear();
    let public = written?;
    let print = fingerprint(&key.public());
    let value = json!({
        "key": args.out, "public_file": keys::public_path(&args.out), "name": public.name,
        "signing": public.signing, "fingerprint": print,
        "election": trustee.map(|(eid, _)| eid.to_string()), "trustee": trustee.map(|(_, index)| index),
    });
    context.out.result(&value, || {
        let next = match trustee {
            Some((eid, index)) => format!("It is the key of trustee {index} of election {eid}."),
            None => "Compare the fingerprint with the one on the sheet.".into(),
        };
        format!(
            "{}\n{next}",
            fields(&[
                ("Key file", args.out.display().to_string()),
                ("Trustee", public.name.clone()),
                ("Public key", public.signing.clone()),
                ("Fingerprint", print),
            ])
        )
    })
}

fn root(file: Option<&Path>) -> Result<Root, CliError> {
    let text = match file {
        Some(path) => {
            let bytes = read_private(path)?;
            let text = std::str::from_utf8(&bytes).map_err(|error| CliError::file(path, error))?;
            Zeroizing::new(text.to_owned())
        }
        None => ask(io::stdin().is_terminal())?,
    };
    Root::from_words(&text).map_err(|error| match (&error, file) {
        (WordsError::Count(0), None) => CliError::Input(
            "no words were given: type those of the recovery sheet, or give --sheet-words-file".into(),
        ),
        (_, Some(path)) => CliError::file(path, error),
        (_, None) => CliError::input(error),
    })
}

/// Reads words from stdin: at a terminal until there are 24 or an empty line, otherwise to the end.
fn ask(terminal: bool) -> Result<Zeroizing<String>, CliError> {
    if terminal {
        eprintln!(
            "The {WORDS} words of the recovery sheet, as many in a line as you like; an empty line ends:"
        );
    }
    read_words(io::stdin().lock().take(MAX_BYTES), terminal).map_err(CliError::input)
}

fn read_words(mut input: impl BufRead, stop_early: bool) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(MAX_BYTES as usize));
    loop {
        let before = text.len();
        let read = input.read_line(&mut text)?;
        let ended = stop_early && text.get(before..).is_some_and(|line| line.trim().is_empty());
        let words = text.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).count();
        if read == 0 || ended || (stop_early && words >= WORDS) {
            return Ok(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_read_until_there_are_enough_words_and_a_pipe_to_its_end() {
        let many = "1. a 2. b c\n".repeat(10);
        let read = |stop_early| read_words(many.as_bytes(), stop_early).unwrap().lines().count();
        assert_eq!((read(true), read(false)), (8, 10));
        let short = "a b\n\nc\n";
        assert_eq!(*read_words(short.as_bytes(), true).unwrap(), "a b\n\n");
        assert_eq!(*read_words(short.as_bytes(), false).unwrap(), short);
    }
}
