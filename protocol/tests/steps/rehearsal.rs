//! Rehearsals (spec 3.8): who is held back does not tally, and a team is its keys, in order, with t and q.

use psephos_protocol::{
    declaration::Missing,
    ids::{Anchor, BallotHash},
    keys::verify_signature,
    manifest::Manifest,
    repair::{Ask, PeerRequest},
    testing::{accepted_set, name, set_statement, Fixture, Params},
};
use std::collections::BTreeSet;

const CLOSING: Anchor = Anchor { number: 50, hash: [5; 32] };

fn rehearsal(held: u8) -> Fixture {
    Fixture::with(&Params::default(), |manifest| manifest.rehearsal = Some(held))
}

#[test]
fn who_is_held_back_neither_declares_nor_agrees_nor_contributes() {
    for held in 1..=4 {
        let mut fixture = rehearsal(held);
        let ballots = [fixture.cast(0, 1, &[vec![0, 1, 0]])];
        assert_eq!(accepted_set(&ballots).len(), 1);
        for trustee in 1..=4 {
            let declaration = fixture.declare(trustee, CLOSING, Missing::Listed(Default::default()));
            let agreement = fixture.agree(trustee, set_statement(&ballots, CLOSING));
            let contribution = fixture.contribute(trustee, &ballots);
            let election = &fixture.election;
            let tallies = [
                declaration.verify(election, verify_signature),
                agreement.verify(election, verify_signature),
                contribution.verify(election, verify_signature),
            ];
            assert_eq!(tallies, [trustee != held; 3], "trustee {trustee}, {held} held back");
        }
    }
}

#[test]
fn who_is_held_back_accepts_vouches_and_asks_as_all_do() {
    let mut fixture = rehearsal(2);
    let ballot = BallotHash([9; 32]);
    let (acceptance, receipt) = (fixture.accept(2), fixture.receipt(2, &ballot));
    let announcement = fixture.announce(2, 1, "https://two.example");
    let key = fixture.trustees[1].signing.clone();
    let ask = Ask::Dealt { ballots: vec![ballot].try_into().unwrap() };
    let request = PeerRequest::sign(&fixture.election, 2, &key, ask, &mut fixture.rng);
    let election = &fixture.election;
    assert!(acceptance.verify(election, verify_signature));
    assert!(receipt.verify(election, &ballot, verify_signature));
    assert!(announcement.verify(election, verify_signature));
    assert!(request.verify(election));
}

#[test]
fn a_team_is_its_keys_in_order_with_threshold_and_quorum() {
    let base = Fixture::new(&Params { trustees: 5, quorum: 4, ..Params::default() }).election.manifest;
    let team = |change: fn(&mut Manifest)| {
        let mut manifest = base.clone();
        change(&mut manifest);
        manifest.team()
    };
    // What the trustees' work does not depend on.
    let same: [fn(&mut Manifest); 5] = [
        |m| m.title = name("Other"),
        |m| m.rehearsal = Some(5),
        |m| m.board.threshold += 1,
        |m| m.closes_at += 1,
        |m| m.trustees[0].name = name("Other"),
    ];
    assert!(same.iter().all(|change| team(*change) == base.team()));
    let other: [fn(&mut Manifest); 7] = [
        |m| m.trustees[0].signing.0[0] ^= 1,
        |m| m.trustees[4].kem[1_215] ^= 1,
        |m| m.trustees.as_mut().swap(0, 1),
        |m| drop(m.trustees.pop()),
        |m| m.threshold += 1,
        |m| m.quorum += 1,
        |m| std::mem::swap(&mut m.threshold, &mut m.quorum),
    ];
    let teams: BTreeSet<_> = other.iter().map(|change| team(*change)).chain([base.team()]).collect();
    assert_eq!(teams.len(), other.len() + 1, "all differ");
}
