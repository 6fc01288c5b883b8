//! `psephos trustee init`: the key file, its recovery sheet, and a backup for somebody else.

use clap::Args;
use psephos_client::keystore::{create_private, fingerprint, KeyFile, KeyRole, Protection, Recipient};
use rand_core::OsRng;
use serde_json::json;
use std::path::PathBuf;

use super::sheet;
use crate::{
    context::Context,
    error::CliError,
    keys::{self, NewKey},
    output::fields,
};

/// What to type, for `--help`.
pub const EXAMPLES: &str = "Examples:
  psephos trustee init --name 'Court of Audit' --out trustee.key
  psephos trustee init --name 'Court of Audit' --out trustee.key --backup-to age1...
  psephos trustee init --name T1 --out t1.key --insecure-plaintext --no-sheet   # development

Make new keys for each election: they are deleted after the appeal period. Hand the public half,
trustee.pub.json, to the board. Print the recovery sheet, trustee.sheet.svg, and delete its file:
it is as secret as the key. Keep key, passphrase and sheet apart.";

/// A trustee's key to make.
#[derive(Args)]
pub struct InitArgs {
    #[command(flatten)]
    key: NewKey,
    /// Where the recovery sheet goes, a page to print, in SVG; NAME.sheet.svg beside the key file unless given.
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
    /// Make no recovery sheet.
    #[arg(long, conflicts_with = "sheet")]
    no_sheet: bool,
    /// Also write a copy, NAME.backup.age, that the holder of this age identity can open.
    #[arg(long, value_name = "age1...")]
    backup_to: Option<Recipient>,
}

/// Makes the files; none replaces another.
///
/// # Errors
/// [`CliError::Input`].
pub fn run(args: &InitArgs, context: &Context) -> Result<(), CliError> {
    let out = &args.key.out;
    let sheet =
        (!args.no_sheet).then(|| args.sheet.clone().unwrap_or_else(|| out.with_extension("sheet.svg")));
    let backup = args.backup_to.clone().map(|recipient| (out.with_extension("backup.age"), recipient));
    args.key.check(sheet.clone().into_iter().chain(backup.iter().map(|(path, _)| path.clone())))?;
    let protection = keys::protection(out, args.key.insecure_plaintext, context)?;
    let key = KeyFile::generate(KeyRole::Trustee, &args.key.name, &mut OsRng);
    // The key file comes last: a key that is there has its sheet and its backup.
    if let (Some(path), Some(root)) = (&sheet, key.root()) {
        let page = sheet::svg(&key, root).map_err(|_| CliError::file(path, "the page is too large"))?;
        create_private(path, page.as_bytes())?;
    }
    if let Some((path, recipient)) = &backup {
        key.create(path, &Protection::Recipient(recipient.clone()))?;
    }
    let progress = context.out.spinner("encrypting the key");
    let written = keys::write(&key, out, &protection);
    progress.finish_and_clear();
    let public = written?;
    if let Some(path) = &sheet {
        context.out.warn(&format!(
            "{} is as secret as the key, and not encrypted: print it, keep the page apart from the passphrase \
             and the store, and delete the file",
            path.display()
        ));
    }
    let backup = backup.map(|(path, _)| path);
    let print = fingerprint(&key.public());
    let public_file = keys::public_path(out);
    let value = json!({
        "key": out, "public_file": public_file, "name": public.name, "signing": public.signing,
        "fingerprint": print, "sheet": sheet, "backup": backup,
    });
    context.out.result(&value, || {
        let shown = |path: &PathBuf| path.display().to_string();
        let mut rows = vec![
            ("Key file", format!("{}  (secret: keep it, and a copy elsewhere)", shown(out))),
            ("Public half", shown(&public_file)),
            ("Public key", public.signing.clone()),
            ("Fingerprint", print),
        ];
        if let Some(path) = &sheet {
            rows.push(("Recovery sheet", format!("{}  (secret: print it, delete the file)", shown(path))));
        }
        if let Some(path) = &backup {
            rows.push(("Backup", format!("{}  (for the holder of the age identity)", shown(path))));
        }
        format!(
            "{}\nHand the public half to the board, which names it under `trustees` in the manifest.",
            fields(&rows)
        )
    })
}
