//! `psephos board rehearse`: an election that counts for nothing, by the trustees of one that does (spec 3.8), from
//! its creation to its verified record, with one trustee held back.
//!
//! All keys but those of the members who begin it are made up, and held in memory alone. Its board is one of them,
//! so that nothing waits for people once it is created, and those members, so that they can void what was cut off.

use bounded_collections::BoundedVec;
use futures::{stream, StreamExt, TryStreamExt};
use psephos_client::{
    board::{self, actions},
    keystore::KeyFile,
    open_election, record, tally,
    voter::{Delivered, RecordedVote, Voting},
    Chain, TrusteeEndpoints,
};
use psephos_protocol::{
    ballot::Choices,
    board::{Action, Board},
    bounds::{show, Text, MAX_BOARD, MAX_TEXT, PROPOSAL_LIFETIME},
    contest::{Contest, Rule},
    election::Election,
    ids::{Digest, Eid},
    keys::PublicKey,
    manifest::{Manifest, Style},
    state::Phase,
    tally::Counts,
};
use psephos_verifier::{
    report::{Failure, Step},
    verify, Options, Report, Verdict,
};
use rand_core::{OsRng, RngCore};
use serde_json::json;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    future::Future,
    io::BufReader,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{approve_with, approved_text, args::RehearseArgs, open_keys};
use crate::{
    bench::{keyring::Keyring, stage},
    context::Context,
    error::CliError,
    manifest, show as text, times,
};

/// Finalized blocks that people may take: members to approve, trustees to accept. A week at 2 s a block.
const PEOPLE: u32 = PROPOSAL_LIFETIME;
/// Finalized blocks that programs may take for a step: ten minutes.
const PROGRAMS: u32 = 300;
/// For how long voting stays open unless it is closed: twice what people may take, in ms.
const OPEN: u64 = 14 * 24 * 60 * 60 * 1_000;
/// Voters who vote at a time.
const AT_ONCE: usize = 8;
/// For how long a trustee that was not needed for a ballot is waited for.
const DELIVERIES: Duration = Duration::from_secs(60);
/// How long voiding what failed may take.
const VOIDING: Duration = Duration::from_secs(60);
/// The options that the voters spread over.
const OPTIONS: [&str; 3] = ["First", "Second", "Third"];
/// What the title begins with.
const TITLE: &str = "REHEARSAL of ";
const AGAIN: &str = "then rehearse again";

/// Rehearses.
///
/// # Errors
/// [`CliError`] naming the step that failed, and what to do.
pub async fn run(args: &RehearseArgs, context: &Context) -> Result<(), CliError> {
    let real = manifest::load(&args.manifest)?;
    let keys = open_keys(&args.key, context)?;
    let mut seed = [0; 32];
    OsRng.fill_bytes(&mut seed);
    let keyring = Keyring(seed);
    let members: Vec<PublicKey> = keys.iter().map(KeyFile::public).collect();
    let manifest = rehearsal(&real, args.hold_back, &keyring, &members, args.voters)?;
    let chain = context.chain().await?;
    let (action, eid) = actions::create_election(&chain, manifest).await?;
    create(&chain, &keys, &action, context).await?;
    let election = open_election(&chain, &eid).await?;
    context.out.note(&format!("{}Election {eid}\n", text::banner(&election.manifest)));
    let rehearsal = Rehearsal { chain, election, keyring, args, context };
    let outcome = tokio::select! {
        outcome = rehearsal.play() => outcome,
        _ = tokio::signal::ctrl_c() => Err(CliError::Refused("interrupted: rehearse again when it suits".into())),
    };
    if outcome.is_err() {
        rehearsal.void().await;
    }
    outcome
}

/// The manifest of a rehearsal by the trustees of another.
fn rehearsal(
    real: &Manifest,
    hold_back: Option<u8>,
    keyring: &Keyring,
    members: &[PublicKey],
    voters: u32,
) -> Result<Manifest, CliError> {
    let trustees = real.trustees.len();
    let last = if usize::from(real.quorum) == trustees { 0 } else { trustees };
    let held = hold_back.unwrap_or(u8::try_from(last).map_err(CliError::input)?);
    // A member who is a trustee, too, can't be on the board as well.
    let one_role = |key: &&PublicKey| real.trustees.iter().all(|trustee| trustee.signing != **key);
    let own = [keyring.board().public()];
    let mut board: Vec<PublicKey> = own.iter().chain(members.iter().filter(one_role)).copied().collect();
    let mut seen = BTreeSet::new();
    board.retain(|key| seen.insert(*key));
    board.truncate(MAX_BOARD as usize);
    let opens_at = times::now();
    let manifest = Manifest {
        title: name(&format!("{TITLE}{}", show(&real.title))),
        contests: BoundedVec::truncate_from(vec![Contest {
            title: name("Rehearsal"),
            options: BoundedVec::truncate_from(OPTIONS.map(name).to_vec()),
            rule: Rule::plurality(),
        }]),
        styles: BoundedVec::truncate_from(vec![Style {
            name: name("All"),
            contests: BoundedVec::truncate_from(vec![0]),
        }]),
        units: BoundedVec::truncate_from(vec![name("All")]),
        weights: BoundedVec::truncate_from(vec![1]),
        max_voters: voters,
        privacy_minimum: 1,
        small_groups_public: false,
        max_ballots: 1,
        board: Board { members: BoundedVec::truncate_from(board), threshold: 1 },
        registrars: BoundedVec::truncate_from(vec![keyring.registrar().public()]),
        opens_at,
        closes_at: opens_at.saturating_add(OPEN),
        early_close: true,
        by_unit: false,
        rehearsal: Some(held),
        ..real.clone()
    };
    manifest.validate().map_err(CliError::input)?;
    Ok(manifest)
}

/// A name as the manifest holds it, cut where it is too long.
fn name(value: &str) -> Text {
    let mut end = value.len().min(MAX_TEXT as usize);
    while !value.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    BoundedVec::truncate_from(value.get(..end).unwrap_or_default().as_bytes().to_vec())
}

/// What the voters vote, in all.
fn expected(voters: u32) -> Counts {
    let votes = |option| (0..voters).filter(|voter| choice(*voter) == option).count() as u64;
    vec![(0..OPTIONS.len()).map(votes).collect()]
}

/// The option of a voter.
fn choice(voter: u32) -> usize {
    voter as usize % OPTIONS.len()
}

/// The members whose keys are here approve, and the others are waited for.
async fn create(chain: &Chain, keys: &[KeyFile], action: &Action, context: &Context) -> Result<(), CliError> {
    let failed = step("the chain's board did not create the rehearsal", AGAIN);
    let Action::CreateElection { number, .. } = action else { return Ok(()) };
    let approved = approve_with(chain, keys, action, context).await.map_err(&failed)?;
    if !approved.in_effect {
        context.out.note(&approved_text(&approved, action));
        let progress = context.out.spinner("waiting for the other members of the chain's board");
        let created = chain.wait_finalized("the chain's board's approval", PEOPLE, || async {
            // In this order: the number is taken by this very creation, too.
            let taken = chain.next_number().await? > *number;
            match board::in_effect(chain, action).await? {
                true => Ok(Some(())),
                false if taken => Err(CliError::Refused("another election was created first".into())),
                false => Ok(None),
            }
        });
        let created = created.await;
        progress.finish_and_clear();
        created.map_err(&failed)?;
    }
    context.out.note("created by the chain's board");
    Ok(())
}

/// What failed and what to do, around an error.
fn step(what: &'static str, next: &'static str) -> impl Fn(CliError) -> CliError {
    move |error| error.reword(|text| format!("{what}: {text}. Next: {next}"))
}

/// A rehearsal that was created.
struct Rehearsal<'a> {
    chain: Chain,
    election: Election,
    keyring: Keyring,
    args: &'a RehearseArgs,
    context: &'a Context,
}

impl Rehearsal<'_> {
    fn eid(&self) -> &Eid {
        &self.election.eid
    }

    /// Says what is done.
    fn tell(&self, what: &str) {
        self.context.out.note(what);
    }

    /// Does something that takes a while.
    async fn during<T>(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<T, CliError>>,
    ) -> Result<T, CliError> {
        let progress = self.context.out.spinner(what);
        let outcome = work.await;
        progress.finish_and_clear();
        outcome
    }

    /// A trustee as people know it.
    fn trustee(&self, index: u8) -> String {
        let name = self.election.trustee(index).map(|trustee| show(&trustee.name)).unwrap_or_default();
        format!("trustee {index} ({name})")
    }

    fn trustees(&self, all: impl IntoIterator<Item = u8>) -> String {
        all.into_iter().map(|index| self.trustee(index)).collect::<Vec<_>>().join(", ")
    }

    /// From the acceptances to the verified record.
    async fn play(&self) -> Result<(), CliError> {
        let (chain, eid, keyring) = (&self.chain, self.eid(), &self.keyring);
        self.accepted().await.map_err(step("not every trustee accepted", AGAIN))?;
        self.tell("every trustee has accepted");
        let voters = self.args.voters;
        stage::enroll(chain, &self.election, keyring, voters, &self.context.out)
            .await
            .map_err(step("the roll was not made", AGAIN))?;
        self.tell(&format!("{voters} voters that are made up are on the roll"));
        self.during("freezing and opening", stage::open(chain, eid, keyring))
            .await
            .map_err(step("voting did not open", AGAIN))?;
        self.tell("the roll is frozen and voting is open");
        let taken = "see that the daemon of each trustee runs and is reached (`psephos trustee doctor` there), then rehearse again";
        self.vote().await.map_err(step("the ballots were not all cast and taken", taken))?;
        self.tell(&format!(
            "{voters} ballots are recorded, and all who take part in the tally have their shares"
        ));
        self.during("closing", stage::close(chain, eid, keyring))
            .await
            .map_err(step("voting did not close", AGAIN))?;
        self.tell("voting is closed");
        let logs = "look at the logs of the trustees that take part, then rehearse again";
        let tallied = self.during("waiting for the trustees to declare, agree and contribute", async {
            Ok(tally::tally(chain, eid, PROGRAMS).await?)
        });
        let tallied = tallied.await.map_err(step("there is no result", logs))?;
        let agreements = chain.tally(eid).await?.agreements;
        let agreed: Vec<u8> = agreements.into_iter().map(|(trustee, _)| trustee).collect();
        let contributors = tallied.result.contributors.to_vec();
        self.tell(&format!(
            "agreed by {}; opened by {}",
            self.trustees(agreed.clone()),
            self.trustees(contributors.clone())
        ));
        let report =
            "keep the chain's data and report this as a fault of the software; don't hold the election";
        self.compare(&tallied.totals.election).map_err(step("the chain's totals are wrong", report))?;
        let folder = tempfile::tempdir().map_err(CliError::input)?;
        let digest =
            self.verify_draft(folder.path()).await.map_err(step("the record does not verify", report))?;
        self.tell("the totals are the votes, and the record verifies up to here");
        let certified = self.during("certifying", async {
            let action = actions::certify(chain, eid).await?;
            Ok(board::approve(chain, &keyring.board(), action).await?)
        });
        certified.await.map_err(step("the result was not certified", AGAIN))?;
        self.verify_whole(folder.path()).await.map_err(step("the record does not verify", report))?;
        let (asked, last) = chain.rehearsed(&self.election.manifest.team()).await?;
        if last != Some(*eid) {
            return Err(step("the chain has not noted the rehearsal", report)(CliError::Integrity(
                last.map_or("it has none of this team".into(), |eid| format!("its last one is {eid}")),
            )));
        }
        let held = self.election.manifest.rehearsal.filter(|held| *held > 0);
        let without = held.map(|held| format!(" without {}", self.trustee(held))).unwrap_or_default();
        let value = json!({
            "election": eid.to_string(), "held_back": held, "ballots": voters, "totals": tallied.totals.election,
            "agreed": agreed, "contributors": contributors, "result": digest.to_string(), "verified": true,
            "required": asked,
        });
        self.context.out.result(&value, || {
            let then = match asked {
                true => "Elections with these trustees, this threshold and quorum may be frozen now.",
                false => "This chain freezes elections without rehearsals, too.",
            };
            format!(
                "rehearsed: {voters} ballots were tallied{without} as they were cast, and the record verifies.\n\
                 {then}\nTo look at it: psephos audit result {eid}"
            )
        })
    }

    /// Waits until every trustee has accepted, and says who has not.
    async fn accepted(&self) -> Result<(), CliError> {
        let (eid, said) = (self.eid(), RefCell::new(Vec::new()));
        let all = 1..=u8::try_from(self.election.manifest.trustees.len()).map_err(CliError::input)?;
        let waiting = self.chain.wait_finalized("the trustees' acceptances", PEOPLE, || async {
            let state = self.chain.election(eid).await?.state;
            match state.phase {
                Phase::Setup => {}
                Phase::Void => return Err(CliError::Refused("somebody voided the rehearsal".into())),
                _ => return Ok(Some(())),
            }
            let missing: Vec<u8> = all.clone().filter(|index| !state.accepted.contains(index)).collect();
            if said.borrow().is_empty() {
                self.tell(&format!(
                    "each trustee reads it and accepts:\n  psephos trustee accept --key THEIR.key --election {eid}"
                ));
            }
            if *said.borrow() != missing {
                self.tell(&format!("waiting for {}", self.trustees(missing.clone())));
                said.replace(missing);
            }
            Ok(None)
        });
        self.during("waiting for acceptances", waiting).await
    }

    /// Where the trustees are that get shares: all but the one that is held back.
    async fn endpoints(&self) -> Result<TrusteeEndpoints, CliError> {
        let manifest = &self.election.manifest;
        let taking_part: Vec<u8> =
            (1u8..).take(manifest.trustees.len()).filter(|index| manifest.takes_part(*index)).collect();
        let missing_in = |known: &TrusteeEndpoints| -> Vec<u8> {
            let has = |index: &u8| known.iter().any(|(known, _)| known == *index);
            taking_part.iter().filter(|index| !has(index)).copied().collect()
        };
        let known = match &self.args.trustees.trustees {
            Some(file) => TrusteeEndpoints::load(file)?,
            None => {
                let stated = self.chain.wait_finalized("the trustees' addresses", PROGRAMS, || async {
                    let stated = TrusteeEndpoints::stated(&self.chain, self.eid()).await?;
                    Ok::<_, CliError>(missing_in(&stated).is_empty().then_some(stated))
                });
                match stated.await {
                    Err(CliError::Unreachable(_)) => {
                        TrusteeEndpoints::stated(&self.chain, self.eid()).await?
                    }
                    stated => stated?,
                }
            }
        };
        let missing = missing_in(&known);
        if !missing.is_empty() {
            return Err(CliError::Unreachable(format!(
                "no address is known of {}: start the daemon with --public-url",
                self.trustees(missing)
            )));
        }
        let kept = known.iter().filter(|(index, _)| taking_part.contains(index));
        Ok(TrusteeEndpoints::new(kept.map(|(index, url)| (index, url.to_owned())))?)
    }

    /// All voters vote; every trustee that takes part must have its shares.
    async fn vote(&self) -> Result<(), CliError> {
        let endpoints = self.during("waiting for the trustees' addresses", self.endpoints()).await?;
        let voting = Voting::new(self.chain.clone(), self.election.clone(), &endpoints)?;
        let progress = self.context.out.bar(u64::from(self.args.voters), "voting");
        let recorded: Vec<RecordedVote> = stream::iter(0..self.args.voters)
            .map(|voter| {
                let (voting, progress, key) = (&voting, &progress, self.keyring.voter(voter));
                async move {
                    let vote = (0..OPTIONS.len()).map(|option| u32::from(option == choice(voter))).collect();
                    let prepared = voting.prepare(&key.public(), Choices(vec![vote])).await?;
                    let recorded = voting.cast(prepared, &key).await?;
                    progress.inc(1);
                    Ok::<_, CliError>(recorded)
                }
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        progress.finish_and_clear();
        let mut without: BTreeMap<u8, String> = BTreeMap::new();
        for vote in recorded {
            for (trustee, outcome) in vote.deliveries.finish(DELIVERIES).await {
                let reason = match outcome {
                    Some(Ok(Delivered::Taken)) => continue,
                    Some(Ok(Delivered::Left(_))) => "was away".into(),
                    Some(Err(error)) => error.to_string(),
                    None => "did not answer in time".into(),
                };
                without.insert(trustee, reason);
            }
        }
        if without.is_empty() {
            return Ok(());
        }
        let each = without.iter().map(|(index, reason)| format!("{}: {reason}", self.trustee(*index)));
        Err(CliError::Unreachable(each.collect::<Vec<_>>().join("; ")))
    }

    fn compare(&self, totals: &Counts) -> Result<(), CliError> {
        let cast = expected(self.args.voters);
        if *totals == cast {
            return Ok(());
        }
        Err(CliError::Integrity(format!("the votes were {cast:?}, and the totals are {totals:?}")))
    }

    /// Verifies what there is of the record before the certification. Gives the digest of its result.
    async fn verify_draft(&self, folder: &Path) -> Result<Digest, CliError> {
        let path = folder.join("draft.psephos");
        record::draft(&self.chain, self.eid(), &path).await?;
        let report = self.report(path).await?;
        let up_to_openings = Step::Definition.number()..=Step::Openings.number();
        let passed = report
            .checks
            .iter()
            .filter(|check| up_to_openings.contains(&check.number))
            .all(|check| check.verdict == Verdict::Passed);
        let only_the_end_is_missing = report.failure.as_ref().is_some_and(Failure::is_early_end);
        match report.result {
            Some(result) if passed && only_the_end_is_missing => Ok(result),
            _ => Err(CliError::Integrity(report.summary())),
        }
    }

    /// Verifies the whole record.
    async fn verify_whole(&self, folder: &Path) -> Result<(), CliError> {
        let path = folder.join("record.psephos");
        record::export(&self.chain, self.eid(), &path, |_| ()).await?;
        let report = self.report(path).await?;
        report.verified().then_some(()).ok_or_else(|| CliError::Integrity(report.summary()))
    }

    /// What the verifier says of a record, its totals compared with the votes.
    async fn report(&self, path: PathBuf) -> Result<Report, CliError> {
        let options = Options {
            genesis: Some(self.chain.genesis()),
            board: Some(self.chain.chain_board().await?),
            eid: Some(*self.eid()),
            finality: fs::read(record::finality_path(&path)).ok(),
            ..Options::default()
        };
        let verified = tokio::task::spawn_blocking(move || {
            let file = File::open(&path).map_err(|error| CliError::file(&path, error))?;
            verify(BufReader::new(file), &options).map_err(|error| CliError::file(&path, error))
        });
        let report =
            self.during("verifying the record", async { verified.await.map_err(CliError::input)? }).await?;
        let totals = |contest: &psephos_verifier::report::ContestTotals| {
            contest.options.iter().map(|(_, total)| *total).collect()
        };
        self.compare(&report.contests.iter().map(totals).collect())?;
        Ok(report)
    }

    /// Voids what did not come to its end, so that it takes no place among the chain's elections.
    async fn void(&self) {
        let eid = self.eid();
        let voided = async {
            if matches!(self.chain.election(eid).await?.state.phase, Phase::Certified | Phase::Void) {
                return Ok(false);
            }
            let action = actions::void(eid, "this rehearsal did not come to its end")?;
            board::approve(&self.chain, &self.keyring.board(), action).await?;
            Ok::<_, CliError>(true)
        };
        match tokio::time::timeout(VOIDING, voided).await {
            Ok(Ok(true)) => self.tell("the rehearsal was voided"),
            Ok(Ok(false)) => {}
            _ => self.context.out.warn(&format!(
                "the rehearsal could not be voided; do it with\n  psephos board void --election {eid} --reason 'a rehearsal that was cut off' --key YOUR.key"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use psephos_protocol::testing::{Fixture, Params};

    const VOTERS: u32 = 8;

    fn made(real: &Manifest, hold_back: Option<u8>, members: &[PublicKey]) -> Result<Manifest, CliError> {
        rehearsal(real, hold_back, &Keyring([1; 32]), members, VOTERS)
    }

    #[test]
    fn a_rehearsal_has_the_team_of_the_real_election_and_nothing_else_of_it() {
        let real = Fixture::new(&Params::default()).election.manifest;
        let member = real.board.members[0];
        let manifest = made(&real, None, &[member, member]).unwrap();
        assert_eq!((manifest.team(), manifest.rehearsal), (real.team(), Some(4)));
        assert!(show(&manifest.title).starts_with(TITLE));
        let own = Keyring([1; 32]).board().public();
        assert_eq!(manifest.board, Board { members: vec![own, member].try_into().unwrap(), threshold: 1 });
        assert_ne!(manifest.registrars, real.registrars);
        // A member who is a trustee has that role alone.
        let manifest = made(&real, Some(2), &[real.trustees[0].signing]).unwrap();
        assert_eq!((manifest.board.members.to_vec(), manifest.rehearsal), (vec![own], Some(2)));
    }

    #[test]
    fn who_is_held_back_is_a_trustee_that_can_be_missing() {
        let real = Fixture::new(&Params::default()).election.manifest;
        for wrong in [0, 5] {
            assert!(made(&real, Some(wrong), &[]).unwrap_err().to_string().contains("held back"));
        }
        let all = Fixture::new(&Params { quorum: 4, ..Params::default() }).election.manifest;
        assert_eq!(made(&all, None, &[]).unwrap().rehearsal, Some(0));
        assert!(made(&all, Some(4), &[]).is_err());
    }

    #[test]
    fn a_long_title_is_cut_between_letters() {
        for length in 240..260 {
            let cut = show(&name(&format!("{TITLE}{}", "x".repeat(length - TITLE.len()) + "ëë")));
            assert!(cut.len() <= 256 && !cut.contains('\u{fffd}') && cut.starts_with(TITLE), "{cut}");
        }
    }

    #[test]
    fn every_option_is_voted_for() {
        assert_eq!(expected(8), [[3, 3, 2]]);
        assert_eq!(expected(1), [[1, 0, 0]]);
    }
}
