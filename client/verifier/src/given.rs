//! What the reader of a record knows beforehand, as options of a command line.

use clap::Args;
use psephos_protocol::{
    board::Board,
    finality::{MAX_PROOF_BYTES, SUFFIX},
    ids::{Eid, Genesis},
    keys::PublicKey,
};
use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use crate::Options;

/// What a record is compared with.
#[derive(Args)]
pub struct Given {
    /// The chain that you know: its genesis hash in hexadecimal.
    #[arg(long, value_name = "HEX")]
    genesis: Option<Genesis>,
    /// The election that you expect: its identifier in hexadecimal.
    #[arg(long, value_name = "HEX")]
    election: Option<Eid>,
    /// The finality proof of the record [default: the file with its name and .finality, if there is one].
    #[arg(long, value_name = "FILE")]
    finality: Option<PathBuf>,
    /// The chain's board that you know: K:KEY,KEY,… with K the threshold and the members' keys in order,
    /// or a file with that.
    #[arg(long, value_name = "FILE|K:KEYS")]
    board: Option<String>,
}

impl Given {
    /// The options with which this record is verified.
    ///
    /// # Errors
    /// What is wrong with an option, or can't be read.
    pub fn options(&self, record: &Path) -> Result<Options, String> {
        let board = self.board.as_deref().map(board).transpose()?;
        let finality = self.finality(record)?;
        Ok(Options { genesis: self.genesis, board, eid: self.election, finality })
    }

    /// The finality proof that was named, or that lies beside the record.
    fn finality(&self, record: &Path) -> Result<Option<Vec<u8>>, String> {
        let mut beside = record.as_os_str().to_owned();
        beside.push(SUFFIX);
        let beside = PathBuf::from(beside);
        let path = match &self.finality {
            Some(path) => path,
            None if beside.is_file() => &beside,
            None => return Ok(None),
        };
        let mut bytes = Vec::new();
        // One more than there may be, so that what is too long is found to be.
        File::open(path)
            .and_then(|file| file.take((MAX_PROOF_BYTES as u64).saturating_add(1)).read_to_end(&mut bytes))
            .map_err(|error| format!("can't read the finality proof {}: {error}", path.display()))?;
        Ok(Some(bytes))
    }
}

/// A board from `K:KEY,KEY,…`, or from a file with that, over lines if it likes.
fn board(text: &str) -> Result<Board, String> {
    let path = Path::new(text);
    let text = if path.is_file() {
        fs::read_to_string(path)
            .map_err(|error| format!("can't read the board {}: {error}", path.display()))?
    } else {
        text.to_owned()
    };
    let usage = || String::from("--board: expected K:KEY,KEY,… or a file with that");
    let (threshold, keys) = text.split_once(':').ok_or_else(usage)?;
    let threshold = threshold.trim().parse().map_err(|_| usage())?;
    let separator = |c: char| c == ',' || c.is_whitespace();
    let keys = keys.split(separator).filter(|key| !key.is_empty()).map(str::parse);
    let members = keys.collect::<Result<Vec<PublicKey>, _>>().map_err(|error| format!("--board: {error}"))?;
    let members = members.try_into().map_err(|_| String::from("--board: at most 16 members"))?;
    let board = Board { members, threshold };
    board.validate().map_err(|error| format!("--board: {error}"))?;
    Ok(board)
}
