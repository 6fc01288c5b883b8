//! Trustees that are away, slow, restored, lost or lie: every combination within the bounds of spec 3.5 gives the
//! right result, and its record verifies. One fault more opens nothing.
//!
//! The chain is a list of blocks, and an auditor's verifier judges it: a message that the chain would refuse, or a
//! result that is wrong, fails a check. The trustees are the daemon's own code, and help each other over their doors.

#[path = "../../../verifier/tests/common/mod.rs"]
pub mod record;

use codec::Encode;
use jsonrpsee::{core::async_trait, server::Server, types::ErrorObjectOwned};
use psephos_client::{
    endpoints::TrusteeClient,
    tally::{judge, solve},
    trustee_api::{TrusteeApiServer, TrusteeStatus},
};
use psephos_protocol::{
    agreement::{AcceptedSet, SetStatement},
    ballot::{CastBallot, Signed},
    board::Action,
    bounds::LOWERED_QUORUM_WAIT,
    declaration::Missing,
    envelope::Deposit,
    repair::{split, Ask, PeerRequest},
    shares::Share,
    tally::{Contribution, Finalize, Turnout, Turnouts},
    testing::{set_statement, some_digest, Counted, Params},
};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha20Rng,
};
use rand_core::OsRng;
use record::{World, AGREE, CAST, CLOSES, DECLARE, FIRST, RECAST};
use std::{collections::BTreeSet, sync::atomic::AtomicBool};

use super::{team::Member, *};
use crate::{
    follow::{read, Follower},
    store::{Deposited, Keep},
    tally::{agree, contribute, declare, statement, wrong_contributions, TallyError},
};

/// How a trustee fails, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    None,
    /// Its receipts come after others sufficed, its acts after the others'.
    Slow,
    /// It was away while votes were cast; voters left its envelopes with peers.
    Away,
    /// Its disk is gone; its keys were restored.
    Restored,
    /// It is gone for ever.
    Lost,
    Lies(Lie),
}

/// What a liar does. All of them give receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lie {
    /// It keeps no share.
    KeepsNothing,
    /// It says that it has nothing, to have ballots excluded.
    ClaimsNothing,
    /// It signs another set.
    OtherSet,
    /// It contributes something else.
    WrongSums,
    /// It helps its peers to wrong shares, and signs nothing.
    WrongParts,
}

const LIES: [Lie; 5] =
    [Lie::KeepsNothing, Lie::ClaimsNothing, Lie::OtherSet, Lie::WrongSums, Lie::WrongParts];

impl Fault {
    fn lies(self) -> bool {
        matches!(self, Self::Lies(_))
    }

    /// Whether the trustee does its duty at the tally.
    fn serves(self) -> bool {
        !self.lies() && self != Self::Lost
    }

    /// Whether it signs the right set.
    fn signs(self) -> bool {
        self.serves() || self == Self::Lies(Lie::WrongSums)
    }
}

#[derive(Clone, Copy, Debug)]
struct Bounds {
    n: u8,
    t: u8,
    q: u8,
}

impl Bounds {
    fn within(self, faults: &[Fault]) -> bool {
        let count = |what: fn(&Fault) -> bool| faults.iter().filter(|fault| what(fault)).count();
        let lie = count(|fault| fault.lies());
        let without_shares = count(|fault| matches!(fault, Fault::Away | Fault::Restored | Fault::Lost));
        lie <= usize::from(self.q - self.t) && without_shares <= usize::from(self.n - self.q)
    }
}

/// One election of a size, with its ballots; replayed with many faults.
struct Stage {
    bounds: Bounds,
    world: World,
    /// What happened up to the last ballot, without ballots.
    before: Vec<Vec<Message>>,
    ballots: Vec<(Signed, Vec<Deposit>)>,
    chain: Answers,
}

/// What came out.
#[derive(Debug)]
struct Outcome {
    agreed: bool,
    lowered: bool,
    totals: Option<Vec<u64>>,
    named: BTreeSet<u8>,
}

/// Votes of three voters for the options of one contest.
const CHOICES: [usize; 3] = [1, 2, 1];
const TOTALS: [u64; 3] = [0, 2, 1];

impl Stage {
    fn new(bounds: Bounds) -> Self {
        let Bounds { n, t, q } = bounds;
        let params = Params { trustees: n, threshold: t, quorum: q, ..record::params() };
        let mut world = World::voted(&params, |_| ());
        let mut before = world.blocks.clone();
        before[CAST].clear();
        before[RECAST].clear();
        let mut ballots = Vec::new();
        for (voter, choice) in CHOICES.into_iter().enumerate() {
            let votes = world.votes(choice);
            let mut signed = world.fixture.sign(voter, 1, &votes);
            let deposits = world.fixture.deposits(&mut signed);
            ballots.push((signed, deposits));
        }
        let chain = Answers::of(&world.fixture);
        for (signed, _) in &ballots {
            let credential = signed.ballot.ballot.statement.credential;
            chain.recorded.lock().unwrap().insert(credential, signed.hash);
            chain.change(&credential, |voter| (voter.ballots, voter.sequence) = (1, 1));
        }
        Self { bounds, world, before, ballots, chain }
    }

    /// The ballots with receipts of q trustees, the slow ones' last.
    fn cast(&mut self, faults: &[Fault]) -> Vec<Counted> {
        let rank = |fault: Fault| match fault {
            Fault::Away | Fault::Lost => None,
            Fault::Slow => Some(1),
            _ => Some(0),
        };
        let mut able: Vec<(u8, u8)> =
            (1u8..).zip(faults).filter_map(|(index, fault)| Some((rank(*fault)?, index))).collect();
        able.sort_unstable();
        let mut vouchers: Vec<u8> =
            able.into_iter().take(usize::from(self.bounds.q)).map(|(_, index)| index).collect();
        vouchers.sort_unstable();
        let fixture = &mut self.world.fixture;
        let counted = self.ballots.iter().map(|(signed, _)| {
            let receipts: Vec<_> =
                vouchers.iter().map(|index| fixture.receipt(*index, &signed.hash)).collect();
            assert_eq!(receipts.len(), usize::from(self.bounds.q), "voters can vote");
            Counted {
                cast: CastBallot { signed: signed.ballot.clone(), receipts: receipts.try_into().unwrap() },
                hash: signed.hash,
                shares: signed.shares.clone(),
                weight: 1,
                unit: 0,
            }
        });
        counted.collect()
    }

    /// The state at the close.
    fn closed(&self, counted: &[Counted]) -> ElectionState {
        let mut closed = state(Phase::Closed);
        closed.ballots = counted.len() as u32;
        closed.counted = closed.ballots;
        closed.closing = Some(record::anchor(CLOSES));
        closed.summed = true;
        closed.ballot_log = set_statement(counted, record::anchor(CLOSES)).log;
        closed
    }

    /// Plays an election with these faults, to its certification if it comes so far; its record is verified then.
    async fn play(&mut self, faults: &[Fault]) -> Outcome {
        let Bounds { n, t, q } = self.bounds;
        let counted = self.cast(faults);
        let closed = self.closed(&counted);
        let mut blocks = self.before.clone();
        blocks[CAST] = counted.iter().map(|ballot| Message::Cast(ballot.cast.clone())).collect();
        let mut crew = Vec::new();
        for (index, fault) in (1..=n).zip(faults) {
            crew.push(Trustee::new(self, index, *fault).await);
        }
        let mut named = self.keep_shares(&crew).await;
        for trustee in &mut crew {
            trustee.read(&self.world, &blocks[..DECLARE], 0);
            let election = &trustee.member.served.election;
            let closing = record::anchor(CLOSES);
            trustee.set =
                trustee.follower.accepted_set(election, &self.chain, closing, &closed).await.unwrap();
        }

        let order = |fault: Fault| {
            (1u8..).zip(faults).filter(move |(_, other)| **other == fault).map(|(index, _)| index)
        };
        let slow: Vec<u8> = order(Fault::Slow).collect();
        let turns: Vec<usize> = (1..=n)
            .filter(|index| !slow.contains(index))
            .chain(slow.clone())
            .map(|i| usize::from(i) - 1)
            .collect();
        for turn in &turns {
            if let Some(message) = crew[*turn].declares(&mut self.world) {
                blocks[DECLARE].push(message);
            }
        }
        crew.iter_mut().for_each(|trustee| trustee.read(&self.world, &blocks[DECLARE..AGREE], DECLARE));

        let mut statements = Vec::new();
        for turn in &turns {
            let trustee = &mut crew[*turn];
            if !trustee.is_settled() {
                continue;
            }
            let right = statement(record::anchor(CLOSES), &trustee.set, closed.ballot_log);
            if let Some(message) = trustee.agrees(&mut self.world, right) {
                blocks[AGREE].push(message);
            }
            statements.push((*turn, right));
        }
        let signers = faults.iter().filter(|fault| fault.signs()).count();
        let mut place = AGREE + 1;
        let lowered = signers < usize::from(q) && signers >= usize::from(t) && !blocks[AGREE].is_empty();
        if lowered {
            // The board finds a way on; it holds a day later.
            let (eid, reason) =
                (self.world.fixture.election.eid, b"they are gone".to_vec().try_into().unwrap());
            let action = Action::LowerQuorum { eid, quorum: signers as u8, reason };
            for member in [0, 1] {
                let approval = self.world.fixture.approve(action.clone(), member);
                blocks[DECLARE].push(Message::Approve(approval));
            }
            blocks.truncate(AGREE + 1);
            place = DECLARE + LOWERED_QUORUM_WAIT as usize + 1;
            blocks.resize(place + 3, Vec::new());
            let anchors = anchors(blocks.len());
            for trustee in &mut crew {
                trustee.follower = Follower::new(FIRST);
                trustee.read_with(&self.world, &blocks[..place], 0, Some(&anchors));
            }
        } else {
            blocks.truncate(place);
            blocks.resize(place + 3, Vec::new());
            crew.iter_mut().for_each(|trustee| trustee.read(&self.world, &blocks[AGREE..place], AGREE));
        }
        let mut contributions: Vec<Contribution> = Vec::new();
        let mut refusals = Vec::new();
        for (turn, right) in statements {
            match crew[turn].contributes(&mut self.world, right, &counted) {
                Ok(Some(contribution)) => contributions.push(contribution),
                Ok(None) => {}
                Err(error) => refusals.push(error),
            }
        }
        let agreed = crew.iter().any(|trustee| {
            let statement = set_statement(&counted, record::anchor(CLOSES));
            let manifest = &self.world.fixture.election.manifest;
            trustee.follower.signers(&statement) >= usize::from(trustee.follower.quorum(manifest))
        });
        if !agreed {
            let said = |error: &TallyError| matches!(error, TallyError::NotAgreed { .. });
            assert!(refusals.iter().all(said), "{refusals:?}");
            assert!(
                contributions.iter().all(|made| faults[usize::from(made.trustee) - 1].lies()),
                "nothing is opened"
            );
            return Outcome { agreed, lowered, totals: None, named };
        }
        contributions.sort_by_key(|contribution| contribution.trustee);
        blocks[place] = contributions.iter().cloned().map(Message::Contribute).collect();
        // By the dealings, every trustee that has all ballots finds out who contributed something else.
        let liars: Vec<u8> = contributions
            .iter()
            .filter(|made| faults[usize::from(made.trustee) - 1] == Fault::Lies(Lie::WrongSums))
            .map(|made| made.trustee)
            .collect();
        for trustee in crew.iter().filter(|trustee| trustee.fault.serves()) {
            let Member { store, served, .. } = &trustee.member;
            let go = AtomicBool::new(false);
            let cells = trustee.follower.cells(&served.election.manifest, &trustee.set).unwrap();
            assert_eq!(
                wrong_contributions(store, served, &trustee.set, &cells, &contributions, &go),
                Ok(liars.clone())
            );
        }
        let totals = self.finish(&mut blocks, place, &counted, &contributions, &mut named);
        Outcome { agreed, lowered, totals, named }
    }

    /// What each trustee has when voting is over, and comes to from its peers. Gives who was found out.
    async fn keep_shares(&mut self, crew: &[Trustee]) -> BTreeSet<u8> {
        let eid = self.world.fixture.election.eid;
        for Trustee { member, fault, .. } in crew {
            let index = member.served.index;
            for (signed, deposits) in &self.ballots {
                let deposit = deposits[usize::from(index) - 1].encode();
                let keeps = matches!(fault, Fault::None | Fault::Slow)
                    || fault.lies() && *fault != Fault::Lies(Lie::KeepsNothing);
                if keeps {
                    let receipt = self.world.fixture.receipt(index, &signed.hash);
                    let credential = signed.ballot.ballot.statement.credential;
                    let deposited = Deposited { deposit, receipt };
                    let keep = Keep { eid, ballot: signed.hash, credential, deposited };
                    member.store.keep(keep).await.unwrap();
                }
            }
        }
        // Voters left what an absent trustee should have had with everybody who was there.
        for absent in crew.iter().filter(|trustee| trustee.fault == Fault::Away) {
            let index = absent.member.served.index;
            for (signed, deposits) in &self.ballots {
                let envelope = &deposits[usize::from(index) - 1].envelope.0;
                for peer in crew.iter().filter(|peer| peer.member.has(&signed.hash) && !peer.fault.lies()) {
                    peer.member.store.leave(&eid, index, &signed.hash, envelope).unwrap();
                }
            }
        }
        let wanted: Vec<BallotHash> = self.ballots.iter().map(|(signed, _)| signed.hash).collect();
        let mut named = BTreeSet::new();
        for trustee in crew.iter().filter(|trustee| matches!(trustee.fault, Fault::Away | Fault::Restored)) {
            let index = trustee.member.served.index;
            let there =
                crew.iter().filter(|peer| peer.member.served.index != index && peer.fault != Fault::Lost);
            let peers: Vec<TrusteeClient> = there.map(|peer| peer.door.clone()).collect();
            let found = trustee.member.recover_from(peers, &wanted, &[]).await;
            for liar in crew.iter().filter(|peer| peer.fault == Fault::Lies(Lie::WrongParts)) {
                let name = liar.member.served.index;
                let suspected = |reason: &String| {
                    reason.contains("gave a wrong part") && reason.contains(&name.to_string())
                };
                if found.reasons.iter().any(suspected) {
                    named.insert(name);
                }
            }
        }
        named
    }

    /// Finalizes and certifies; the verifier must find the record in order.
    fn finish(
        &mut self,
        blocks: &mut Vec<Vec<Message>>,
        place: usize,
        counted: &[Counted],
        contributions: &[Contribution],
        named: &mut BTreeSet<u8>,
    ) -> Option<Vec<u64>> {
        let (eid, manifest) = (self.world.fixture.election.eid, self.world.fixture.election.manifest.clone());
        let sums = self.world.fixture.sums(counted);
        let ballots = counted.len() as u32;
        let turnout = Turnouts(vec![Turnout { ballots, weight: u64::from(ballots) }].try_into().unwrap());
        let cells = self.world.fixture.cells(counted);
        let solution = solve(&manifest, &cells, &sums, &turnout, contributions)?;
        let verdict = judge(&manifest, &solution.result, contributions);
        named.extend(verdict.wrong);
        let contributors = solution.result.contributors.clone();
        blocks[place + 1] = vec![Message::Finalize(Finalize { eid, contributors })];
        let root = set_statement(counted, record::anchor(CLOSES)).root;
        let result = solution.result.digest(&eid, &root);
        for member in [0, 1] {
            let approval = self.world.fixture.approve(Action::Certify { eid, result }, member);
            blocks[place + 2].push(Message::Approve(approval));
        }
        self.world.blocks = std::mem::take(blocks);
        self.world.times = (0..self.world.blocks.len()).map(record::time).collect();
        let report = self.world.verify();
        assert!(report.verified(), "{report}");
        let detail = &report.checks[10].detail;
        if let Some((_, other)) = detail.split_once("; trustee") {
            named.extend(other.split(' ').filter_map(|word| word.trim_matches(',').parse::<u8>().ok()));
        }
        Some(report.contests[0].options.iter().map(|(_, total)| *total).collect())
    }
}

/// The places' anchors, each from the one before.
fn anchors(places: usize) -> Vec<Anchor> {
    let mut anchors = Vec::with_capacity(places);
    for place in 0..places {
        let before = anchors.last().map(|anchor: &Anchor| anchor.hash);
        anchors.push(record::anchor_after(before, place));
    }
    anchors
}

/// A trustee of the crew: the daemon's own parts, and how it fails.
struct Trustee {
    member: Member,
    fault: Fault,
    follower: Follower,
    /// The set that it rebuilt at the closing block.
    set: AcceptedSet,
    /// Where its peers reach it.
    door: TrusteeClient,
    _server: Option<jsonrpsee::server::ServerHandle>,
}

impl Trustee {
    async fn new(stage: &Stage, index: u8, fault: Fault) -> Self {
        let member = Member::new(&stage.world.fixture, &stage.chain, index).await;
        let (door, server) = match fault {
            Fault::Lies(Lie::WrongParts) => {
                let liar = Liar {
                    served: member.served.clone(),
                    keys: member.keys.clone(),
                    honest: member.client.clone(),
                };
                let server = Server::builder().build("127.0.0.1:0").await.unwrap();
                let url = format!("http://{}", server.local_addr().unwrap());
                (TrusteeClient::new(index, "liar", &url).unwrap(), Some(server.start(liar.into_rpc())))
            }
            _ => (member.client.clone(), None),
        };
        Self {
            member,
            fault,
            follower: Follower::new(FIRST),
            set: AcceptedSet::default(),
            door,
            _server: server,
        }
    }

    fn read(&mut self, world: &World, blocks: &[Vec<Message>], first: usize) {
        self.read_with(world, blocks, first, None);
    }

    fn read_with(
        &mut self,
        world: &World,
        blocks: &[Vec<Message>],
        first: usize,
        anchors: Option<&[Anchor]>,
    ) {
        let at = |place: usize| anchors.map_or_else(|| record::anchor(place), |anchors| anchors[place]);
        let election = &world.fixture.election;
        for (place, messages) in (first..).zip(blocks) {
            let parent = place.checked_sub(1).map_or([0; 32], |parent| at(parent).hash);
            let (anchor, messages) = (at(place), messages.clone());
            let block = ChainBlock { anchor, parent, header: Vec::new(), time: 0, messages };
            let facts = read(&self.member.served, &block).unwrap();
            self.follower.apply(&election.manifest.board, anchor, parent, facts).unwrap();
        }
    }

    fn declares(&mut self, world: &mut World) -> Option<Message> {
        let (closing, index) = (record::anchor(CLOSES), self.member.served.index);
        match self.fault {
            Fault::Lost => None,
            Fault::Lies(Lie::ClaimsNothing) => {
                Some(Message::Declare(world.fixture.declare(index, closing, Missing::All)))
            }
            _ => {
                let Member { store, keys, served, .. } = &self.member;
                let missing = self.follower.missing(store, &served.eid(), u32::MAX).unwrap();
                let made = declare(store, keys, served, &self.follower, closing, &missing).unwrap();
                made.map(Message::Declare)
            }
        }
    }

    /// Whether the set can't change any more.
    fn is_settled(&self) -> bool {
        let manifest = &self.member.served.election.manifest;
        let declarations = self.follower.declarations();
        assert_eq!(declarations.excluded(manifest), [], "nothing is excluded");
        self.fault != Fault::Lost && declarations.settled(manifest)
    }

    fn agrees(&mut self, world: &mut World, right: SetStatement) -> Option<Message> {
        let Member { store, keys, served, .. } = &self.member;
        match self.fault {
            Fault::Lies(Lie::OtherSet) => {
                let other = SetStatement { root: some_digest("another set"), ..right };
                Some(Message::Agree(world.fixture.agree(served.index, other)))
            }
            fault if fault.signs() => {
                agree(store, keys, served, &self.follower, right).unwrap().map(Message::Agree)
            }
            _ => None,
        }
    }

    fn contributes(
        &mut self,
        world: &mut World,
        right: SetStatement,
        counted: &[Counted],
    ) -> Result<Option<Contribution>, TallyError> {
        let Member { store, keys, served, .. } = &self.member;
        match self.fault {
            Fault::Lies(Lie::WrongSums) => {
                let other = served.index % world.fixture.trustees.len() as u8 + 1;
                let sums = world.fixture.contribute(other, counted).sums;
                let (election, key) = (&served.election, &keys.signing);
                Ok(Some(Contribution::sign(election, served.index, key, right.root, sums, &mut OsRng)))
            }
            fault if fault.serves() => {
                let go = AtomicBool::new(false);
                contribute(store, keys, served, &self.follower, right, &self.set, &go)
            }
            _ => Ok(None),
        }
    }
}

/// Gives parts of another share than its own, well formed and signed.
struct Liar {
    served: Arc<Served>,
    keys: Arc<Keys>,
    honest: TrusteeClient,
}

#[async_trait]
impl TrusteeApiServer for Liar {
    async fn status(&self) -> Result<TrusteeStatus, ErrorObjectOwned> {
        Ok(self.honest.status().await.unwrap())
    }

    async fn deposit(&self, _: String) -> Result<String, ErrorObjectOwned> {
        unreachable!("voting is over")
    }

    async fn leave(&self, _: u8, _: String) -> Result<(), ErrorObjectOwned> {
        unreachable!("voting is over")
    }

    async fn ask(&self, request: String) -> Result<String, ErrorObjectOwned> {
        let request: PeerRequest =
            codec::DecodeAll::decode_all(&mut hex::decode(request).unwrap().as_slice()).unwrap();
        let answer = match &request.ask {
            Ask::Kept { .. } => Vec::<Deposit>::new().encode(),
            Ask::Dealt { .. } => self
                .honest
                .ask::<Vec<psephos_protocol::repair::DealtBallot>>(&request)
                .await
                .unwrap()
                .encode(),
            Ask::Split { ballots, .. } => {
                let options = self.served.election.manifest.columns();
                let zero = Share::from_bytes(&vec![0; 64 * options], options).unwrap();
                let shares = vec![zero; ballots.len()];
                let (election, index) = (&self.served.election, self.served.index);
                split(election, &request, index, &self.keys.signing, &shares, &mut OsRng).unwrap().encode()
            }
        };
        Ok(hex::encode(answer))
    }

    async fn sum(&self, request: String, parts: String) -> Result<String, ErrorObjectOwned> {
        let decode = |text: String| hex::decode(text).unwrap();
        let request: PeerRequest = codec::DecodeAll::decode_all(&mut decode(request).as_slice()).unwrap();
        let parts = codec::DecodeAll::decode_all(&mut decode(parts).as_slice()).unwrap();
        Ok(hex::encode(self.honest.sum(&request, &parts).await.unwrap().encode()))
    }
}

/// Every way to give the trustees faults, within the bounds. For seven trustees the order in which they have them
/// is drawn, so that each combination is played once.
fn combinations(bounds: Bounds, draw: &mut ChaCha20Rng) -> Vec<Vec<Fault>> {
    let kinds =
        [Fault::None, Fault::Slow, Fault::Away, Fault::Restored, Fault::Lost, Fault::Lies(Lie::OtherSet)];
    let mut all: Vec<Vec<Fault>> = vec![Vec::new()];
    for _ in 0..bounds.n {
        all = all
            .into_iter()
            .flat_map(|faults| kinds.map(|kind| faults.iter().copied().chain([kind]).collect::<Vec<_>>()))
            .filter(|faults| bounds.within(faults))
            .collect();
        if bounds.n > 4 {
            all.iter_mut().for_each(|faults| faults.sort_unstable());
            all.sort_unstable();
            all.dedup();
        }
    }
    let mut lies = LIES.into_iter().cycle();
    for faults in &mut all {
        faults.iter_mut().filter(|fault| fault.lies()).for_each(|fault| {
            *fault = Fault::Lies(lies.next().unwrap());
        });
        if bounds.n > 4 {
            faults.sort_by_cached_key(|_| draw.next_u64());
        }
    }
    all
}

async fn all_within(bounds: Bounds) {
    let mut stage = Stage::new(bounds);
    let mut draw = ChaCha20Rng::seed_from_u64(u64::from(bounds.n));
    let all = combinations(bounds, &mut draw);
    let (mut lowered, mut named) = (0, 0);
    for faults in &all {
        let outcome = stage.play(faults).await;
        assert!(outcome.agreed, "{faults:?}");
        assert_eq!(outcome.totals.as_deref(), Some(&TOTALS[..]), "{faults:?}");
        lowered += usize::from(outcome.lowered);
        for (index, fault) in (1u8..).zip(faults) {
            match fault {
                Fault::Lies(Lie::WrongSums | Lie::OtherSet) if !outcome.lowered => {
                    assert!(
                        outcome.named.contains(&index),
                        "trustee {index} lies unnamed: {faults:?}, {outcome:?}"
                    );
                    named += 1;
                }
                Fault::Lies(_) => {}
                _ => assert!(
                    !outcome.named.contains(&index) || suspects(faults),
                    "trustee {index} is accused: {faults:?}"
                ),
            }
        }
    }
    println!("{bounds:?}: {} combinations, {lowered} by a lowered quorum, {named} liars named", all.len());
}

/// Whether a set of helpers is suspected together, of which one lies.
fn suspects(faults: &[Fault]) -> bool {
    faults.contains(&Fault::Lies(Lie::WrongParts))
}

#[tokio::test]
async fn every_combination_of_faults_of_four_trustees_gives_the_right_result() {
    all_within(Bounds { n: 4, t: 2, q: 3 }).await;
}

#[tokio::test]
async fn every_combination_of_faults_of_five_trustees_gives_the_right_result() {
    all_within(Bounds { n: 5, t: 3, q: 4 }).await;
}

#[tokio::test]
async fn every_combination_of_faults_of_seven_trustees_gives_the_right_result() {
    all_within(Bounds { n: 7, t: 3, q: 5 }).await;
}

#[tokio::test]
async fn one_fault_beyond_the_bounds_opens_nothing() {
    use Fault::{None, Restored};
    let mut stage = Stage::new(Bounds { n: 4, t: 2, q: 3 });
    // Fewer than t have shares: all say that they serve nothing, and none signs.
    let outcome = stage.play(&[None, Restored, Restored, Restored]).await;
    assert!(!outcome.agreed && outcome.totals.is_none(), "{outcome:?}");
    // Fewer than t are left.
    let outcome =
        stage.play(&[None, Fault::Lies(Lie::KeepsNothing), Fault::Lies(Lie::ClaimsNothing), None]).await;
    assert!(outcome.lowered, "two of four: the board may lower the quorum to t");
    let outcome = stage
        .play(&[
            None,
            Fault::Lies(Lie::KeepsNothing),
            Fault::Lies(Lie::ClaimsNothing),
            Fault::Lies(Lie::OtherSet),
        ])
        .await;
    assert!(!outcome.agreed && outcome.totals.is_none(), "{outcome:?}");
}
