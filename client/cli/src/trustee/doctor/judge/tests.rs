use super::*;
use psephos_protocol::{
    ids::{Anchor, Digest, Eid},
    testing::{Fixture, Params},
};
use psephos_trustee::store::Identity;
use std::{collections::BTreeMap, path::PathBuf};

fn verdicts(checks: &[Check]) -> Vec<Verdict> {
    // Whatever is not right comes with what to do.
    for check in checks {
        assert_eq!(check.fix.is_none(), check.verdict == Verdict::Ok, "{check}");
    }
    checks.iter().map(|check| check.verdict).collect()
}

fn verdict(check: &Check) -> Verdict {
    verdicts(std::slice::from_ref(check))[0]
}

use Verdict::{Ok as Fine, Problem, Warning};

fn healthy(endpoint: &str, number: u32) -> NodeHealth {
    NodeHealth {
        endpoint: endpoint.into(),
        genesis: Genesis([1; 32]),
        finalized: Anchor { number, hash: [0; 32] },
        best: number + 2,
        syncing: false,
        peers: 3,
    }
}

fn away(endpoint: &str) -> Result<NodeHealth, NodeFailure> {
    Err(NodeFailure { endpoint: endpoint.into(), reason: "refused".into() })
}

#[test]
fn nodes_are_judged_by_the_others() {
    assert_eq!(verdicts(&nodes(&[Ok(healthy("a", 100)), Ok(healthy("b", 99))])), [Fine, Fine]);
    assert_eq!(verdicts(&nodes(&[Ok(healthy("a", 100)), Ok(healthy("b", 100 + LAG + 1))])), [Warning, Fine]);
    assert_eq!(verdicts(&nodes(&[Ok(healthy("a", 100)), Ok(healthy("b", 100 + LAG))])), [Fine, Fine]);
    assert_eq!(verdicts(&nodes(&[away("a"), Ok(healthy("b", 9))])), [Warning, Fine]);
    assert_eq!(verdicts(&nodes(&[away("a"), away("b")])), [Problem, Problem]);
    let other = NodeHealth { genesis: Genesis([2; 32]), ..healthy("b", 100) };
    assert_eq!(verdicts(&nodes(&[Ok(healthy("a", 100)), Ok(other)])), [Fine, Problem]);
    let syncing = NodeHealth { syncing: true, ..healthy("a", 100) };
    assert_eq!(verdicts(&nodes(&[Ok(syncing)])), [Warning]);
    let stalled = NodeHealth { best: 100 + LAG + 1, ..healthy("a", 100) };
    assert!(nodes(&[Ok(stalled)])[0].fix.as_ref().unwrap().contains("two thirds"));
}

#[test]
fn a_clock_behind_the_chain_is_a_problem_and_an_old_block_may_be_one() {
    let now = 1_000_000_000;
    assert_eq!(verdict(&clock(now, now)), Fine);
    assert_eq!(verdict(&clock(now + DRIFT, now)), Fine);
    assert_eq!(verdict(&clock(now + DRIFT + 1, now)), Problem);
    assert_eq!(verdict(&clock(now - DRIFT - 1, now)), Warning);
}

fn state(phase: Phase, ballots: u32, counted: u32) -> ElectionState {
    ElectionState {
        number: 0,
        phase,
        created: 1,
        opens_at: 0,
        closes_at: 1,
        accepted: vec![1].try_into().unwrap(),
        batches: 1,
        confirmed: 1,
        entries: 7,
        voters: 7,
        roll: Digest::default(),
        ballots,
        counted,
        ballot_log: Digest::default(),
        closing: None,
        summed: false,
        withheld: false,
        conflict: false,
        excluded: 0,
        lowered: None,
        agreed: None,
        certified: None,
        void: None,
    }
}

#[test]
fn missing_shares_are_found_by_number() {
    let state = state(Phase::Open, 10, 8);
    for (kept, expected) in [(11, Fine), (10, Fine), (9, Warning), (8, Warning), (7, Problem), (0, Problem)] {
        assert_eq!(verdict(&shares("T", &state, kept, "the store")), expected, "{kept}");
    }
}

#[test]
fn an_election_waits_for_its_acceptance() {
    let fixture = Fixture::new(&Params::default());
    let of = |phase, index| verdict(&duty(&fixture.election, &state(phase, 0, 0), index));
    assert_eq!((of(Phase::Setup, 1), of(Phase::Setup, 2), of(Phase::Open, 2)), (Fine, Warning, Fine));
    assert_eq!(verdict(&not_served("T", &state(Phase::Open, 0, 0), 1, "e")), Problem);
    assert_eq!(verdict(&not_served("T", &state(Phase::Setup, 0, 0), 2, "e")), Warning);
}

#[test]
fn the_room_needed_is_that_of_the_roll() {
    let fixture = Fixture::new(&Params::default());
    let limit = u64::from(fixture.election.manifest.max_voters);
    assert_eq!(roll(&fixture.election, &state(Phase::Registration, 0, 0)), limit);
    assert_eq!(roll(&fixture.election, &state(Phase::Frozen, 0, 0)), 7);

    let of = |free, used, voters| verdict(&room(&Room { free: Ok(free), used, voters }));
    let (voters, whole) = (100_000, 100_000 * 8 * 1024);
    assert_eq!(of(whole, 0, voters), Fine);
    assert_eq!(of(whole - 1, 0, voters), Warning);
    assert_eq!(of(whole - 1, 1, voters), Fine);
    assert_eq!(of(whole / 2 - 1, 0, voters), Problem);
    assert_eq!(of(LEAST_ROOM - 1, 0, 0), Problem);
    assert_eq!(verdict(&room(&Room { free: Err("no".into()), used: 0, voters: 1 })), Warning);
    assert_eq!(
        (bytes(1), bytes(10 * 1024 * 1024), bytes(1 << 40)),
        ("1 KiB".into(), "10 MiB".into(), "1024 GiB".into())
    );
}

fn status(name: &str, finalized: u32) -> Result<TrusteeStatus, String> {
    Ok(TrusteeStatus { name: name.into(), version: "1".into(), finalized, tls: None, served: vec![] })
}

#[test]
fn a_daemon_is_needed_while_an_election_runs() {
    let of = |asked, locked, answer, serving| {
        let asked = Daemon { url: "http://a".into(), asked, locked, answer };
        verdict(&daemon(&asked, Some("Ada"), Some(100), serving))
    };
    let silent = || Err("refused".to_owned());
    assert_eq!(of(false, false, status("Ada", 100 - LAG), true), Fine);
    assert_eq!(of(false, false, status("Ada", 99 - LAG), true), Warning);
    assert_eq!(of(false, false, status("Bob", 100), true), Warning);
    assert_eq!(of(true, false, silent(), false), Problem);
    assert_eq!(of(false, true, silent(), true), Warning);
    assert_eq!(of(false, false, silent(), true), Problem);
    assert_eq!(of(false, false, silent(), false), Warning);
    assert_eq!(verdict(&other_trustee("T", 1, 2, "http://a")), Problem);
}

#[test]
fn a_store_belongs_to_one_key_on_one_chain() {
    let (key, genesis) = (PublicKey([1; 32]), Genesis([2; 32]));
    let there = |writable| {
        let identity = Identity { genesis, signing: key };
        let look = Look { identity, deposits: BTreeMap::from([(Eid([0; 32]), 5)]), bytes: 9 };
        Ok(Store { look: Some(look), folder: true, writable })
    };
    let of = |found: Result<Store, StoreError>, key, genesis| {
        verdict(&store(Path::new("d"), &found, (key, genesis)))
    };
    assert_eq!(of(there(true), Some(key), Some(genesis)), Fine);
    assert_eq!(of(there(true), None, None), Fine);
    assert_eq!(of(there(false), Some(key), Some(genesis)), Problem);
    assert_eq!(of(there(true), Some(PublicKey([9; 32])), Some(genesis)), Problem);
    assert_eq!(of(there(true), Some(key), Some(Genesis([9; 32]))), Problem);
    let empty = |folder| Ok(Store { look: None, folder, writable: true });
    assert_eq!((of(empty(true), Some(key), None), of(empty(false), Some(key), None)), (Fine, Warning));
    let path = PathBuf::from("d");
    assert_eq!(of(Err(StoreError::InUse(path.clone())), Some(key), None), Fine);
    assert_eq!(of(Err(StoreError::NotClosed(path.clone())), Some(key), None), Warning);
    assert_eq!(of(Err(StoreError::Failed { path, reason: "r".into() }), Some(key), None), Problem);
}
