//! Agreement on the set (spec 7.2).

use codec::Encode;
use proptest::prelude::*;
use psephos_protocol::{
    agreement::{Acceptance, Accepted, AcceptedSet, Agreement, SetStatement},
    ids::{Anchor, BallotHash, Digest, Eid, Genesis},
    keys::{verify_signature, PublicKey},
    testing::{Fixture, Params},
    transcript::{accepted_leaf, accepted_node},
};
use std::collections::BTreeSet;

type Item = (PublicKey, Accepted);

fn item(number: u8) -> Item {
    let accepted = Accepted { sequence: 1, ballot: BallotHash([number; 32]), weight: 1, unit: 0 };
    (PublicKey([number; 32]), accepted)
}

fn root(items: &[Item]) -> Digest {
    let mut set = AcceptedSet::default();
    for (credential, accepted) in items {
        set.accept(*credential, *accepted);
    }
    set.root()
}

#[test]
fn every_size_has_a_root_of_its_own() {
    let roots: Vec<Digest> = (0..=33).map(|size| root(&(1..=size).map(item).collect::<Vec<_>>())).collect();
    let distinct: BTreeSet<&Digest> = roots.iter().collect();
    assert_eq!(distinct.len(), roots.len());
    assert_eq!(roots[0], Digest::default());
}

#[test]
fn the_tree_is_the_one_in_the_specification() {
    let leaf = |number| accepted_leaf(&item(number).encode());
    let node = |left: Digest, right: Digest| accepted_node(&left, &right);
    let (a, b, c, d, e) = (leaf(1), leaf(2), leaf(3), leaf(4), leaf(5));
    assert_eq!(root(&[item(1)]), a);
    assert_eq!(root(&[item(1), item(2)]), node(a, b));
    assert_eq!(root(&[item(1), item(2), item(3)]), node(node(a, b), c));
    let five = [1, 2, 3, 4, 5].map(item);
    assert_eq!(root(&five), node(node(node(a, b), node(c, d)), e));
    // Left is not right, and a node is no leaf of the same bytes.
    assert_ne!(node(a, b), node(b, a));
    assert_ne!(node(a, b), accepted_leaf(&[a.0, b.0].concat()));
}

#[test]
fn ballot_by_ballot_the_tree_is_that_of_level_by_level() {
    let level_by_level = |items: &[Item]| {
        let mut level: Vec<Digest> = items.iter().map(|item| accepted_leaf(&item.encode())).collect();
        while level.len() > 1 {
            let up = level.chunks(2).map(|pair| match pair {
                [left, right] => accepted_node(left, right),
                single => single[0],
            });
            level = up.collect();
        }
        level.first().copied().unwrap_or_default()
    };
    for size in 0..=130 {
        let items: Vec<Item> = (0..size).map(item).collect();
        assert_eq!(root(&items), level_by_level(&items), "of {size}");
    }
}

#[test]
fn every_field_counts() {
    let three = [1, 2, 3].map(item);
    let base = root(&three);
    for place in 0..3 {
        let changed = |change: fn(&mut Item)| {
            let mut items = three;
            change(&mut items[place]);
            root(&items)
        };
        assert_ne!(changed(|(credential, _)| credential.0[31] ^= 1), base);
        assert_ne!(changed(|(_, accepted)| accepted.sequence += 1), base);
        assert_ne!(changed(|(_, accepted)| accepted.ballot.0[0] ^= 1), base);
        assert_ne!(changed(|(_, accepted)| accepted.weight += 1), base);
    }
    // Two voters' ballots exchanged.
    let mut items = three;
    (items[0].1, items[1].1) = (items[1].1, items[0].1);
    assert_ne!(root(&items), base);
}

#[test]
fn the_last_ballot_of_a_credential_counts() {
    let mut set = AcceptedSet::default();
    let (credential, first) = item(1);
    let second = Accepted { sequence: 2, ..first };
    assert_eq!(set.accept(credential, first), None);
    assert_eq!(set.accept(credential, second), Some(first));
    assert_eq!(set.iter().collect::<Vec<_>>(), [(&credential, &second)]);
    assert_eq!(set.root(), root(&[(credential, second)]));
}

proptest! {
    #[test]
    fn order_does_not_matter(numbers in prop::collection::btree_set(any::<u8>(), 0..40), seed: u64) {
        let sorted: Vec<Item> = numbers.into_iter().map(item).collect();
        let mut shuffled = sorted.clone();
        let mut state = seed;
        for place in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(place, (state >> 33) as usize % (place + 1));
        }
        prop_assert_eq!(root(&sorted), root(&shuffled));
        for place in 0..sorted.len() {
            let mut fewer = sorted.clone();
            fewer.remove(place);
            prop_assert_ne!(root(&fewer), root(&sorted));
        }
    }
}

#[test]
fn an_agreement_is_of_one_trustee_set_and_election() {
    let mut fixture = Fixture::new(&Params::default());
    let statement = SetStatement {
        closing: Anchor { number: 50, hash: [5; 32] },
        root: Digest([6; 32]),
        ballots: 3,
        log: Digest([7; 32]),
    };
    let good = fixture.agree(2, statement);
    let holds = |agreement: Agreement| agreement.verify(&fixture.election, verify_signature);
    assert!(holds(good));
    for trustee in [0, 1, 3, 4, 5] {
        assert!(!holds(Agreement { trustee, ..good }));
    }
    let changes: [fn(&mut SetStatement); 4] =
        [|s| s.closing.number += 1, |s| s.closing.hash[0] ^= 1, |s| s.root.0[0] ^= 1, |s| s.ballots += 1];
    for change in changes {
        let mut statement = statement;
        change(&mut statement);
        assert!(!holds(Agreement { statement, ..good }));
    }
    assert!(!holds(Agreement { eid: Eid([0; 32]), ..good }));
    for params in
        [Params { number: 2, ..Params::default() }, Params { genesis: Genesis([8; 32]), ..Params::default() }]
    {
        let mut again = Fixture::new(&params);
        let replayed = Agreement { eid: fixture.election.eid, ..again.agree(2, statement) };
        assert!(!holds(replayed));
    }
}

#[test]
fn an_acceptance_is_of_one_trustee_and_election() {
    let mut fixture = Fixture::new(&Params::default());
    let good = fixture.accept(2);
    let holds = |acceptance: Acceptance| acceptance.verify(&fixture.election, verify_signature);
    assert!(holds(good));
    for trustee in [0, 1, 3, 5] {
        assert!(!holds(Acceptance { trustee, ..good }));
    }
    assert!(!holds(Acceptance { eid: Eid([0; 32]), ..good }));
    let mut again = Fixture::new(&Params { number: 2, ..Params::default() });
    assert!(!holds(Acceptance { eid: fixture.election.eid, ..again.accept(2) }));
}
