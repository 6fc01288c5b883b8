//! Audits (spec 5.5) and the seed of a ballot (spec 5.1).

use psephos_protocol::{
    ballot::{prepare, AuditError, AuditOpening, Ballot, Ballotpaper, Choices, PrepareError, Seed},
    ids::Anchor,
    testing::{Fixture, Params},
};
use std::collections::BTreeSet;

const VOTE: [u32; 3] = [0, 1, 0];

fn opening(fixture: &Fixture, paper: Ballotpaper, vote: [u32; 3], seed: u8) -> AuditOpening {
    let choices = Choices(vec![vote.to_vec()]);
    AuditOpening { eid: fixture.election.eid, paper, choices, seed: Seed::from_bytes([seed; 64]) }
}

fn ballot(fixture: &Fixture, paper: Ballotpaper, vote: [u32; 3], seed: u8) -> Ballot {
    let opening = opening(fixture, paper, vote, seed);
    let choices = Choices(opening.choices.0.clone());
    let prepared = prepare(&fixture.election, &fixture.generators, paper, choices, opening.seed.clone());
    prepared.expect("a valid vote").ballot().clone()
}

#[test]
fn the_right_opening_passes() {
    let mut fixture = Fixture::new(&Params::default());
    let prepared = fixture.prepare(0, 1, &[VOTE.to_vec()]).unwrap();
    let (hash, code, shown) = (prepared.hash(), prepared.tracking_code(), prepared.ballot().clone());
    let opening = prepared.audit();
    let choices = opening.check(&fixture.election, &fixture.generators, &hash).unwrap();
    assert_eq!(choices.0, [VOTE.to_vec()]);
    assert_eq!(opening.rebuild(&fixture.election, &fixture.generators).unwrap(), shown);
    assert!(code.matches(&hash));
    // On another device, from a file.
    let copy = AuditOpening::from_bytes(&opening.to_bytes()).unwrap();
    assert!(copy.check(&fixture.election, &fixture.generators, &hash).is_ok());
}

#[test]
fn a_cheat_is_found() {
    let fixture = Fixture::new(&Params::default());
    let paper = fixture.paper(0, 1);
    let shown = ballot(&fixture, paper, VOTE, 1).hash();
    let check = |opening: AuditOpening| {
        opening.check(&fixture.election, &fixture.generators, &shown).map(|_| ()).map_err(|error| match error
        {
            AuditError::Mismatch { shown: of, rebuilt } => of == shown && rebuilt != shown,
            _ => false,
        })
    };
    assert_eq!(check(opening(&fixture, paper, VOTE, 1)), Ok(()));
    // The device shows the ballot of one vote and reveals another, or other randomness or context.
    assert_eq!(check(opening(&fixture, paper, [1, 0, 0], 1)), Err(true));
    assert_eq!(check(opening(&fixture, paper, VOTE, 2)), Err(true));
    for other in papers(&fixture) {
        assert_eq!(check(opening(&fixture, other, VOTE, 1)), Err(true), "{other:?}");
    }
}

#[test]
fn an_opening_is_of_one_election_and_a_valid_vote() {
    let fixture = Fixture::new(&Params::default());
    let paper = fixture.paper(0, 1);
    let shown = ballot(&fixture, paper, VOTE, 1).hash();
    let next = Fixture::new(&Params { number: 2, ..Params::default() });
    let of_one = opening(&fixture, paper, VOTE, 1);
    let verdict = of_one.check(&next.election, &next.generators, &shown).err();
    assert_eq!(verdict, Some(AuditError::Election));
    let invalid = opening(&fixture, paper, [1, 1, 0], 1);
    let verdict = invalid.check(&fixture.election, &fixture.generators, &shown).err();
    assert!(matches!(verdict, Some(AuditError::Choices(PrepareError::Vote { contest: 0, .. }))));
}

/// Papers that differ in one thing from that of voter 0's first ballot.
fn papers(fixture: &Fixture) -> Vec<Ballotpaper> {
    let paper = fixture.paper(0, 1);
    vec![
        Ballotpaper { sequence: 2, ..paper },
        Ballotpaper { credential: fixture.voters[1].key.public(), ..paper },
        Ballotpaper { anchor: Anchor { number: 11, ..paper.anchor }, ..paper },
        Ballotpaper { anchor: Anchor { hash: [11; 32], ..paper.anchor }, ..paper },
        Ballotpaper { expiry: 101, ..paper },
    ]
}

#[test]
fn one_seed_twice_shows_nothing() {
    // Were r the same in two ballots, C − C' would be (v − v')·B: a table of few values.
    let fixture = Fixture::new(&Params::default());
    let paper = fixture.paper(0, 1);
    let mut ballots = vec![ballot(&fixture, paper, VOTE, 1), ballot(&fixture, paper, [1, 0, 0], 1)];
    ballots.extend(papers(&fixture).into_iter().map(|paper| ballot(&fixture, paper, VOTE, 1)));
    let next = Fixture::new(&Params { number: 2, ..Params::default() });
    ballots.push(ballot(&next, paper, VOTE, 1));
    let mut differences = BTreeSet::new();
    for value in -1i32..=1 {
        let size = curve25519_dalek::scalar::Scalar::from(value.unsigned_abs());
        let scalar = if value < 0 { -size } else { size };
        differences.insert((scalar * curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT).compress().0);
    }
    for (index, one) in ballots.iter().enumerate() {
        for other in &ballots[index + 1..] {
            assert_ne!(one.statement.dealing, other.statement.dealing);
            for c in &one.statement.commitments {
                for d in &other.statement.commitments {
                    let difference = c.decompress().unwrap() - d.decompress().unwrap();
                    assert!(!differences.contains(&difference.compress().0));
                }
            }
        }
    }
    // The very same again is the same, or nobody could audit.
    assert_eq!(ballot(&fixture, paper, VOTE, 1), ballots[0]);
}

#[test]
fn an_audit_file_has_one_encoding() {
    let fixture = Fixture::new(&Params::default());
    let bytes = opening(&fixture, fixture.paper(0, 1), VOTE, 1).to_bytes();
    let parse = |bytes: &[u8]| AuditOpening::from_bytes(bytes).map(|opening| opening.to_bytes());
    assert_eq!(parse(&bytes), Ok(bytes.clone()));
    for length in 0..bytes.len() {
        assert_eq!(parse(&bytes[..length]), Err(AuditError::Encoding));
    }
    assert_eq!(parse(&[bytes.as_slice(), &[0]].concat()), Err(AuditError::Encoding));
    assert_eq!(parse(&vec![0; 20_001]), Err(AuditError::Encoding));
    let mut version = bytes;
    version[0] += 1;
    assert_eq!(parse(&version), Err(AuditError::Encoding));
}
