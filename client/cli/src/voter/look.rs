//! What a voter sees on the chain: status and tracking. All of it is proved; a node can only be silent or behind.

use psephos_client::{keystore::KeyRole, Standing};
use psephos_protocol::{
    ballot::TrackingCode, bounds::show, election::Election, ids::Digest, keys::PublicKey, state::Phase,
};
use serde_json::{json, Map, Value};

use super::{
    args::{TrackArgs, Whose},
    election,
};
use crate::{context::Context, error::CliError, output::fields, times};

/// How old the last block that is proved may be without a word, in ms: as long as finality may rest before clients
/// say so.
const STALE: u64 = 120_000;

fn credential(whose: &Whose, context: &Context) -> Result<PublicKey, CliError> {
    match (&whose.credential, &whose.key) {
        (Some(credential), _) => Ok(*credential),
        (None, Some(path)) => Ok(context.key(path, KeyRole::Voter)?.public()),
        (None, None) => Err(CliError::Input("give --key or --credential".into())),
    }
}

/// The credential, the election, and how the one stands in the other.
async fn standing(whose: &Whose, context: &Context) -> Result<(PublicKey, Election, Standing), CliError> {
    let credential = credential(whose, context)?;
    let (chain, election) = election(whose.election.as_deref(), context).await?;
    let standing = chain.proved_final().await?.standing(&election, &credential).await?;
    warn_of_age(&standing, context);
    Ok((credential, election, standing))
}

/// Says so when what is proved may be out of date, which nothing but a clock can show.
pub fn warn_of_age(standing: &Standing, context: &Context) {
    if let Some(warning) = age(standing, times::now()) {
        context.out.warn(&warning);
    }
}

fn age(standing: &Standing, now: u64) -> Option<String> {
    // Nothing changes any more.
    if matches!(standing.election.phase, Phase::Certified | Phase::Void) {
        return None;
    }
    let (block, time) = (standing.block.number, times::show(standing.time));
    let seconds = |ms: u64| ms / 1_000;
    match (now.checked_sub(standing.time), standing.time.checked_sub(now)) {
        (Some(old), _) if old > STALE => Some(format!(
            "the last block that is proved, {block} of {time}, is {} s old: what came after it is not in this answer. \
             Ask another node, unless the chain stands still or this device's clock is wrong",
            seconds(old)
        )),
        (_, Some(ahead)) if ahead > STALE => Some(format!(
            "the last block that is proved, {block} of {time}, is {} s ahead of this device's clock, which must be \
             wrong: whether this answer is out of date can't be seen",
            seconds(ahead)
        )),
        _ => None,
    }
}

/// Where an answer is proved, for people.
pub fn proved(standing: &Standing) -> String {
    format!("final block {} of {}", standing.block.number, times::show(standing.time))
}

/// Where an answer is proved, for programs.
pub fn proved_json(standing: &Standing) -> Map<String, Value> {
    let value = json!({
        "proved_at": standing.block.number, "proved_hash": Digest(standing.block.hash).to_string(),
        "proved_time": times::show(standing.time), "phase": standing.election.phase.to_string(),
    });
    value.as_object().cloned().unwrap_or_default()
}

fn with(mut fields: Map<String, Value>, more: &Value) -> Value {
    fields.extend(more.as_object().cloned().unwrap_or_default());
    Value::Object(fields)
}

/// What the roll says of a credential.
pub async fn status(whose: &Whose, context: &Context) -> Result<(), CliError> {
    let (credential, election, standing) = standing(whose, context).await?;
    let (eid, manifest, phase) = (election.eid, &election.manifest, standing.election.phase);
    let Some(voter) = &standing.voter else {
        return Err(CliError::Refused(format!(
            "credential {credential} is not on the electoral roll of election {eid} (phase {phase}, {}): register first",
            proved(&standing)
        )));
    };
    let style = manifest.style(voter.style).map(|style| show(&style.name)).unwrap_or_default();
    let code = standing.ballot.as_ref().map(|ballot| TrackingCode::of(&ballot.hash).to_string());
    let counts = code.as_ref().filter(|_| !standing.excluded && phase != Phase::Void);
    let value = json!({
        "election": eid.to_string(), "credential": credential.to_string(),
        "entry": voter.entry, "weight": voter.weight, "style": style, "ballots": voter.ballots,
        "ballots_left": manifest.max_ballots.saturating_sub(voter.ballots), "tracking_code": code,
        "counts": counts.is_some(), "excluded": standing.excluded,
    });
    context.out.result(&with(proved_json(&standing), &value), || {
        fields(&[
            ("Election", format!("{} ({phase})", show(&manifest.title))),
            ("Credential", credential.to_string()),
            ("Roll entry", format!("{}, weight {}, ballot style \"{style}\"", voter.entry, voter.weight)),
            ("Ballots", format!("{} of {} cast", voter.ballots, manifest.max_ballots)),
            (
                "Counts",
                match (&code, counts) {
                    (None, _) => "no ballot yet".into(),
                    (Some(_), Some(code)) => code.clone(),
                    (Some(code), None) if standing.excluded => format!("not {code}, which is excluded"),
                    (Some(code), None) => format!("not {code}, as the election is void"),
                },
            ),
            ("Proved at", proved(&standing)),
        ])
    })
}

/// Compares a tracking code with that of the ballot that counts.
pub async fn track(args: &TrackArgs, context: &Context) -> Result<(), CliError> {
    let code: TrackingCode = args.code.parse().map_err(CliError::input)?;
    let (credential, election, standing) = standing(&args.whose, context).await?;
    let at = proved(&standing);
    let Some(ballot) = &standing.ballot else {
        return Err(CliError::Refused(format!(
            "no ballot is recorded for credential {credential} ({at}); wait some seconds if it was just cast"
        )));
    };
    let last = TrackingCode::of(&ballot.hash);
    let counts = code == last && !standing.excluded && standing.election.phase != Phase::Void;
    let value = json!({
        "election": election.eid.to_string(), "credential": credential.to_string(), "tracking_code": last.to_string(),
        "ballot": ballot.hash.to_string(), "sequence": ballot.caster.sequence, "matches": code == last, "counts": counts,
    });
    context.out.result(&with(proved_json(&standing), &value), || match (code == last, counts) {
        (true, true) => format!("Recorded, and the one that counts: {last} (proved at {at})."),
        (true, false) => format!("Recorded: {last} (proved at {at})."),
        (false, _) => {
            format!("The last ballot of this credential has another code: {last} (proved at {at}).")
        }
    })?;
    if code != last {
        return Err(CliError::Refused(
            "the ballot that counts for this credential has another tracking code: you cast a later one, or somebody \
             else has your key"
                .into(),
        ));
    }
    match counts {
        true => Ok(()),
        false if standing.excluded => Err(CliError::Refused(super::check::EXCLUDED.into())),
        false => Err(CliError::Refused(super::check::VOID.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use psephos_protocol::{ids::Anchor, state::ElectionState};

    const TIME: u64 = 1_780_000_000_000;

    fn standing(phase: Phase) -> Standing {
        let election = ElectionState {
            number: 0,
            phase,
            created: 1,
            opens_at: 0,
            closes_at: 1,
            accepted: Default::default(),
            batches: 0,
            confirmed: 0,
            entries: 0,
            voters: 0,
            roll: Default::default(),
            ballots: 0,
            counted: 0,
            ballot_log: Default::default(),
            closing: None,
            summed: false,
            withheld: false,
            conflict: false,
            excluded: 0,
            lowered: None,
            agreed: None,
            certified: None,
            void: None,
        };
        let block = Anchor { number: 77, hash: [1; 32] };
        Standing { block, time: TIME, election, voter: None, ballot: None, excluded: false }
    }

    #[test]
    fn an_answer_that_may_be_out_of_date_says_so() {
        let of = |phase, now| age(&standing(phase), now);
        assert_eq!(of(Phase::Open, TIME), None);
        assert_eq!(of(Phase::Open, TIME + STALE), None);
        assert_eq!(of(Phase::Open, TIME - STALE), None);
        let old = of(Phase::Open, TIME + 3_600_000).unwrap();
        assert!(old.contains("77 of 2026-05-28") && old.contains("3600 s old"), "{old}");
        let ahead = of(Phase::Closed, TIME - 3_600_000).unwrap();
        assert!(ahead.contains("3600 s ahead"), "{ahead}");
        assert_eq!(of(Phase::Certified, TIME + 3_600_000), None, "nothing changes any more");
    }
}
