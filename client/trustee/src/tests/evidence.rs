//! Evidence (spec 7.7): what a trustee publishes names the liar to anybody who has the record, and nobody else.

use codec::{Decode, Encode};
use psephos_protocol::{
    agreement::AcceptedSet,
    ballot::{CastBallot, TrackingCode},
    board::Action,
    evidence::{Dealt, EvidenceHeader, MAGIC},
    tally::Contribution,
    testing::{accepted_set, Counted, Params},
};
use psephos_verifier::{
    evidence::{Dispute, EvidenceError, Finding},
    Options,
};
use rand_core::OsRng;
use std::fs;
use tempfile::TempDir;

use super::{
    faults::record::{params, World, CAST, CERTIFY, CONTRIBUTE, FINALIZE, RECAST},
    *,
};
use crate::{
    evidence::{accuse, write, EvidenceError as NotWritten},
    store::{Deposited, Keep},
};

/// The options that three voters choose.
const CHOICES: [usize; 3] = [1, 2, 1];

/// An election that is over, and the store of an honest trustee.
struct Scene {
    world: World,
    set: AcceptedSet,
    store: Arc<Store>,
    folder: TempDir,
}

impl Scene {
    /// The trustees 1 to 3 contributed, with their shares of all ballots; the store lacks the first `lost`.
    async fn new(number: u32, lost: usize) -> Self {
        let mut world = World::voted(&Params { number, ..params() }, |_| ());
        world.cast.clear();
        world.blocks[CAST].clear();
        world.blocks[RECAST].clear();
        let folder = tempfile::tempdir().unwrap();
        let store = store(&world.fixture, folder.path());
        for (voter, choice) in CHOICES.into_iter().enumerate() {
            let votes = world.votes(choice);
            let fixture = &mut world.fixture;
            let mut signed = fixture.sign(voter, 1, &votes);
            let deposits = fixture.deposits(&mut signed);
            let receipts: Vec<_> = (1..=3).map(|index| fixture.receipt(index, &signed.hash)).collect();
            if voter >= lost {
                let deposited =
                    Deposited { deposit: deposits[usize::from(INDEX) - 1].encode(), receipt: receipts[0] };
                let credential = signed.ballot.ballot.statement.credential;
                let keep = Keep { eid: fixture.election.eid, ballot: signed.hash, credential, deposited };
                store.keep(keep).await.unwrap();
            }
            let cast = CastBallot { signed: signed.ballot, receipts: receipts.try_into().unwrap() };
            world.blocks[CAST].push(Message::Cast(cast.clone()));
            world.cast.push(Counted { cast, hash: signed.hash, shares: signed.shares, weight: 1, unit: 0 });
        }
        world.tally();
        let set = accepted_set(&world.cast);
        Self { world, set, store, folder }
    }

    /// Trustee `liar` contributed what trustee 4 should have.
    fn lie(&mut self, liar: u8) {
        let counted = std::mem::take(&mut self.world.cast);
        let fixture = &mut self.world.fixture;
        let sums = fixture.contribute(4, &counted).sums;
        let key = &fixture.trustees[usize::from(liar) - 1].signing;
        let lie = Contribution::sign(&fixture.election, liar, key, self.set.root(), sums, &mut OsRng);
        self.world.blocks[CONTRIBUTE][usize::from(liar) - 1] = Message::Contribute(lie);
        self.world.cast = counted;
    }

    fn dispute(&self) -> Result<Dispute, EvidenceError> {
        Dispute::of_record(self.world.bytes().as_slice(), &Options::default())
    }

    /// The evidence that the trustee writes.
    fn evidence(&self) -> Vec<u8> {
        let path = self.folder.path().join("evidence");
        let (header, ballots) = (self.header(), self.set.iter().map(|(_, accepted)| accepted.ballot));
        write(&self.store, &header, ballots, &path).unwrap();
        fs::read(path).unwrap()
    }

    fn header(&self) -> EvidenceHeader {
        EvidenceHeader::of(self.world.fixture.election.eid, &self.set)
    }

    /// The same, with something changed in its dealings.
    fn changed(&self, change: impl FnOnce(&mut Vec<Dealt>)) -> Result<Vec<Finding>, EvidenceError> {
        let evidence = self.evidence();
        let head = (MAGIC, self.header()).encode();
        let mut rest = evidence.strip_prefix(head.as_slice()).unwrap();
        let mut dealt: Vec<Dealt> = (0..self.set.len()).map(|_| Dealt::decode(&mut rest).unwrap()).collect();
        assert!(rest.is_empty());
        change(&mut dealt);
        let changed = dealt.iter().fold(head, |bytes, one| [bytes, one.encode()].concat());
        self.dispute().unwrap().judge(changed.as_slice())
    }

    /// The codes of the set's ballots, in its order.
    fn codes(&self) -> Vec<TrackingCode> {
        self.set.iter().map(|(_, accepted)| TrackingCode::of(&accepted.ballot)).collect()
    }
}

fn wrong(findings: &[Finding]) -> Vec<u8> {
    findings.iter().filter(|finding| !finding.fits).map(|finding| finding.trustee).collect()
}

#[tokio::test]
async fn evidence_and_record_name_the_liar() {
    let mut scene = Scene::new(1, 0).await;
    let findings = scene.dispute().unwrap().judge(scene.evidence().as_slice()).unwrap();
    let named: Vec<(u8, &str, bool)> =
        findings.iter().map(|found| (found.trustee, found.name.as_str(), found.fits)).collect();
    assert_eq!(named, [(1, "Trustee 1", true), (2, "Trustee 2", true), (3, "Trustee 3", true)]);
    scene.lie(3);
    let findings = scene.dispute().unwrap().judge(scene.evidence().as_slice()).unwrap();
    assert_eq!(wrong(&findings), [3]);
}

#[tokio::test]
async fn where_no_result_came_out_the_liars_are_named() {
    let mut scene = Scene::new(1, 0).await;
    scene.lie(1);
    scene.lie(3);
    for place in [FINALIZE, CERTIFY] {
        scene.world.blocks[place].clear();
    }
    let reason = b"too many contributed something wrong".to_vec().try_into().unwrap();
    scene.world.act(CERTIFY, Action::Void { eid: scene.world.fixture.election.eid, reason });
    let findings = scene.dispute().unwrap().judge(scene.evidence().as_slice()).unwrap();
    assert_eq!(wrong(&findings), [1, 3]);
}

#[tokio::test]
async fn a_changed_dealing_is_refused_and_its_ballot_named() {
    let scene = Scene::new(1, 0).await;
    assert!(scene.changed(|_| ()).is_ok());
    for (place, code) in scene.codes().into_iter().enumerate() {
        let of_another = scene.changed(|dealt| dealt[place].dealing = dealt[(place + 1) % 3].dealing.clone());
        assert!(matches!(of_another, Err(EvidenceError::Dealing(named)) if named == code), "{of_another:?}");
        let altered = scene.changed(|dealt| dealt[place].dealing.0[0].0[0] ^= 1);
        assert!(matches!(altered, Err(EvidenceError::Dealing(named)) if named == code), "{altered:?}");
    }
}

#[tokio::test]
async fn a_missing_ballot_is_refused_and_named() {
    let scene = Scene::new(1, 0).await;
    let codes = scene.codes();
    for (place, code) in codes.iter().enumerate().take(2) {
        let left_out = scene.changed(|dealt| drop(dealt.remove(place)));
        let next = codes[place + 1];
        assert!(
            matches!(left_out, Err(EvidenceError::Ballot { found, expected }) if (found, expected) == (next, *code)),
            "{left_out:?}"
        );
    }
    // The last one: the file ends where it is due.
    assert!(matches!(scene.changed(|dealt| drop(dealt.pop())), Err(EvidenceError::Format)));
    let twice = scene.changed(|dealt| dealt[1] = dealt[0].clone());
    assert!(
        matches!(twice, Err(EvidenceError::Ballot { expected, .. }) if expected == codes[1]),
        "{twice:?}"
    );
    let more = scene.changed(|dealt| dealt.push(dealt[0].clone()));
    assert!(matches!(more, Err(EvidenceError::Format)));
}

#[tokio::test]
async fn evidence_of_another_election_or_set_is_refused() {
    let (scene, other) = (Scene::new(1, 0).await, Scene::new(2, 0).await);
    let (expected, found) = (scene.header().eid, other.header().eid);
    let refused = scene.dispute().unwrap().judge(other.evidence().as_slice());
    assert!(
        matches!(refused, Err(EvidenceError::Election { found: f, expected: e }) if (f, e) == (found, expected)),
        "{refused:?}"
    );
    let smaller = EvidenceHeader { ballots: 2, ..scene.header() };
    let differing = EvidenceHeader { root: other.header().root, ..scene.header() };
    for header in [smaller, differing] {
        let refused = scene.dispute().unwrap().judge((MAGIC, header).encode().as_slice());
        assert!(matches!(refused, Err(EvidenceError::Set { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn only_a_whole_file_of_this_version_is_evidence() {
    let scene = Scene::new(1, 0).await;
    let (dispute, evidence) = (scene.dispute().unwrap(), scene.evidence());
    for length in 0..evidence.len() {
        let cut = dispute.judge(&evidence[..length]);
        assert!(matches!(cut, Err(EvidenceError::Format)), "{length}: {cut:?}");
    }
    for place in [0, MAGIC.len()] {
        let mut other = evidence.clone();
        other[place] ^= 4;
        assert!(matches!(dispute.judge(other.as_slice()), Err(EvidenceError::Format)));
    }
    assert!(matches!(dispute.judge(scene.world.bytes().as_slice()), Err(EvidenceError::Format)), "a record");
}

#[tokio::test]
async fn a_record_that_does_not_hold_or_opens_nothing_decides_nothing() {
    let mut scene = Scene::new(1, 0).await;
    let certified = std::mem::take(&mut scene.world.blocks[CERTIFY]);
    assert!(matches!(scene.dispute(), Err(EvidenceError::Record(_))), "it has no end");
    scene.world.blocks[CERTIFY] = certified;
    assert!(scene.dispute().is_ok());
    let reason = b"nobody contributes".to_vec().try_into().unwrap();
    for place in [CONTRIBUTE, FINALIZE, CERTIFY] {
        scene.world.blocks[place].clear();
    }
    scene.world.act(CERTIFY, Action::Void { eid: scene.world.fixture.election.eid, reason });
    assert!(matches!(scene.dispute(), Err(EvidenceError::NoSet)));
}

#[tokio::test]
async fn the_daemon_writes_evidence_if_it_has_every_ballot() {
    let scene = Scene::new(1, 0).await;
    let eid = scene.world.fixture.election.eid;
    let path = accuse(&scene.store, scene.folder.path(), &eid, &scene.set, &[3]).unwrap();
    assert_eq!(fs::read(path).unwrap(), scene.evidence());
    let scene = Scene::new(1, 1).await;
    assert_eq!(accuse(&scene.store, scene.folder.path(), &eid, &scene.set, &[3]), None);
    let lost = TrackingCode::of(&scene.world.cast[0].hash);
    let path = scene.folder.path().join("evidence");
    let ballots = scene.set.iter().map(|(_, accepted)| accepted.ballot);
    let written = write(&scene.store, &scene.header(), ballots, &path);
    assert!(matches!(written, Err(NotWritten::Missing(code)) if code == lost), "{written:?}");
    assert!(!path.exists());
}
