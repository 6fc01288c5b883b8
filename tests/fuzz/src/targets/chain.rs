//! What the chain's own formats are read with (spec 8.4, 9.1, 9.3, 9.5), and what nodes answer.

use std::sync::Arc;

use codec::{Compact, Encode};
use ed25519_dalek::{Signer, SigningKey};
use psephos_protocol::{
    agreement::SetStatement,
    board::Action,
    cells::Cells,
    finality::{FinalityProof, Validators, VALIDATORS_KEY},
    header::{DigestItem, Header},
    ids::{Anchor, Digest, Genesis},
    state::{
        Caster, ElectionState, ElectionView, EntryState, Phase, Proposal, RecordedBallot, RegisteredVoter,
        TallyView, Voter,
    },
    tally::{ElectionResult, Turnouts},
    testing::{Fixture, Params},
};
use psephos_verifier::{trie, verify, Options};

use super::scale;
use crate::{
    world::{self, hash, World},
    Target,
};

pub(super) fn all() -> Vec<Target> {
    let chain = Arc::new(Chain::new());
    [
        vec![
            header(),
            validators(),
            justification(),
            finality_proof(&chain),
            storage_proof(&chain),
            trie_node(),
        ],
        views(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn header() -> Target {
    let full = Header {
        parent: [1; 32],
        number: Compact(70_000),
        state_root: [2; 32],
        extrinsics_root: [3; 32],
        digest: vec![
            DigestItem::PreRuntime(*b"aura", 7u64.encode()),
            DigestItem::Consensus(*b"FRNK", vec![1; 40]),
            DigestItem::Other(vec![4]),
            DigestItem::RuntimeEnvironmentUpdated,
            DigestItem::Seal(*b"aura", vec![5; 64]),
        ],
    };
    let corpus = vec![full.encode(), world::header_with([1; 32], 3, 9)];
    // An item of a digest may be one byte, and is 32 in memory; a list that grows is there twice.
    Target::new("header", corpus, |bytes| {
        let header = Header::from_bytes(bytes).ok()?;
        let _ = header.slot();
        Some(header.encode())
    })
    .expansion(100)
}

/// The key pairs of validators 1 to 4.
fn keys() -> Vec<SigningKey> {
    (1..=4u8).map(|index| SigningKey::from_bytes(&[index; 32])).collect()
}

/// The list of validators, as the chain's state has it.
fn validator_list() -> Vec<u8> {
    keys().iter().map(|key| (key.verifying_key().to_bytes(), 1u64)).collect::<Vec<_>>().encode()
}

fn validators() -> Target {
    Target::new("validators", vec![validator_list()], |bytes| {
        Validators::from_state(bytes).ok().map(|_| bytes.to_vec())
    })
}

/// A justification of a block by the first `signers` validators, who signed `signed`, which these headers lead to.
fn justify(block: Anchor, signed: Anchor, signers: usize, headers: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = (3u64, block.hash, block.number, Compact(signers as u32)).encode();
    for key in &keys()[..signers] {
        let payload = (1u8, signed.hash, signed.number, 3u64, 0u64).encode();
        let signature = key.sign(&payload).to_bytes();
        (signed.hash, signed.number, signature, key.verifying_key().to_bytes()).encode_to(&mut bytes);
    }
    Compact(headers.len() as u32).encode_to(&mut bytes);
    headers.iter().for_each(|header| bytes.extend_from_slice(header));
    bytes
}

/// Less can be enough, and headers may stand beside those that are needed: what counts is which block it shows.
fn justification() -> Target {
    let header = world::header_with([7; 32], 1, 5);
    let (block, child) = (Anchor { number: 100, hash: [7; 32] }, Anchor { number: 101, hash: hash(&header) });
    let corpus = vec![
        justify(block, block, 3, &[]),
        justify(block, block, 4, &[]),
        justify(block, child, 4, &[header]),
    ];
    let validators = Validators::from_state(&validator_list()).expect("a list");
    let checked = Arc::new(move |bytes: &[u8]| validators.check(bytes, hash).ok());
    let shown = checked.clone();
    Target::new("justification", corpus, move |bytes| checked(bytes).map(|_| bytes.to_vec()))
        .shows(move |bytes| shown(bytes).map(|block| block.encode()))
        .expansion(100)
}

/// A chain whose first block's state names the validators, and an election on it that was soon void.
struct Chain {
    first: Vec<u8>,
    root: [u8; 32],
    /// Nodes of the state, from the root to [`VALIDATORS_KEY`].
    state: Vec<Vec<u8>>,
    record: Vec<u8>,
}

impl Chain {
    fn new() -> Self {
        let list = validator_list();
        // The validators' key without its first nibble, 5: a leaf of 63 nibbles whose value is a node of its own.
        let packed = [&[VALIDATORS_KEY[0] & 0x0f][..], &VALIDATORS_KEY[1..]].concat();
        let leaf = [&[0x3f, 32][..], &packed, &hash(&list)].concat();
        // Beside it, under nibble 10, a leaf of two nibbles that lies in the root.
        let small: Vec<u8> = vec![0x42, 0xbc, 4, 7];
        let bitmap = (1u16 << 5 | 1 << 10).to_le_bytes();
        let root = [&[0x80][..], &bitmap, &hash(&leaf).to_vec().encode(), &small.encode()].concat();
        let state_root = hash(&root);
        let first = ([0u8; 32], Compact(0u32), state_root, [0u8; 32], Compact(0u32)).encode();
        let params = Params { genesis: Genesis(hash(&first)), ..world::params() };
        let mut world = World::voted(&params, |_| ());
        world.blocks.truncate(world::ACCEPT + 1);
        let (eid, reason) = (world.fixture.election.eid, b"no".to_vec().try_into().expect("short"));
        world.act(world::ACCEPT, Action::Void { eid, reason });
        Self { first, root: state_root, state: vec![root, leaf, list], record: world.bytes() }
    }

    fn proof(&self, later: usize) -> FinalityProof {
        let mut block = world::anchor(world::ACCEPT);
        let mut headers = Vec::new();
        for place in world::ACCEPT + 1..=world::ACCEPT + later {
            let header = world::header_with(block.hash, place, world::time(place) / world::SLOT);
            block = Anchor { number: block.number + 1, hash: hash(&header) };
            headers.push(header);
        }
        let justification = justify(block, block, 3, &[]);
        FinalityProof {
            version: 1,
            genesis: self.first.clone(),
            state: self.state.clone(),
            headers,
            justification,
        }
    }
}

/// Nodes of the state that are not needed, and a justification with more than is needed, show the same.
fn finality_proof(chain: &Arc<Chain>) -> Target {
    let corpus = vec![chain.proof(0).to_bytes(), chain.proof(2).to_bytes()];
    let chain = chain.clone();
    Target::new("finality-proof", corpus, |bytes| {
        FinalityProof::from_bytes(bytes).ok().map(|proof| proof.to_bytes())
    })
    .expansion(100)
    .shows(move |bytes| {
        let options = Options { finality: Some(bytes.to_vec()), ..Options::default() };
        let report = verify(chain.record.as_slice(), &options).expect("memory can be read");
        report.verified().then(|| report.last.encode())
    })
}

/// What the nodes show to be in the state, or not in it, under each key.
fn storage_proof(chain: &Arc<Chain>) -> Target {
    let corpus = vec![chain.state.encode(), chain.state[..1].to_vec().encode()];
    let (root, keys) = (chain.root, [VALIDATORS_KEY.to_vec(), vec![0xab, 0xc0], vec![0xab], vec![0x11]]);
    Target::new("storage-proof", corpus, scale::<Vec<Vec<u8>>>).expansion(100).shows(move |mut bytes| {
        let nodes: Vec<Vec<u8>> = codec::DecodeAll::decode_all(&mut bytes).ok()?;
        let values = keys.each_ref().map(|key| trie::value(root, &nodes, key).ok());
        values.iter().any(Option::is_some).then(|| values.encode())
    })
}

/// A node under its own hash, as nobody can give one under another's.
fn trie_node() -> Target {
    let corpus = vec![
        vec![0],
        vec![0x42, 0x12, 4, 7],
        [&[0x22, 0x34][..], &[9; 32]].concat(),
        vec![0x80, 0x02, 0x00, 0x10, 0x41, 0x02, 4, 7],
        vec![0xc0, 0x01, 0x80, 8, 1, 2, 4, 1, 4, 1],
        [&[0x7f, 0xff, 2][..], &[0x11; 160], &[4, 1]].concat(),
    ];
    Target::new("trie-node", corpus, |bytes| {
        let read = trie::value(hash(bytes), &[bytes.to_vec()], &[0x12]);
        read.ok().map(|_| bytes.to_vec())
    })
}

/// What clients ask a node for: checked against proofs, or only shown.
fn views() -> Vec<Target> {
    let mut fixture = Fixture::new(&Params::default());
    let ballots = [fixture.cast(0, 1, &[vec![0, 1, 0]]), fixture.cast(1, 1, &[vec![1, 0, 0]])];
    let contributions = vec![fixture.contribute(1, &ballots), fixture.contribute(2, &ballots)];
    let result = fixture.result(&ballots, &contributions);
    let statement =
        SetStatement { closing: fixture.anchor, root: Digest([1; 32]), ballots: 2, log: Digest([2; 32]) };
    let (eid, manifest) = (fixture.election.eid, fixture.election.manifest.clone());
    let cells = Cells::all(&manifest);
    let state = state(statement);
    let recorded = RecordedBallot {
        hash: ballots[0].hash,
        caster: Caster { sequence: 1, ballots: 1, style: 0, weight: 1, unit: 0 },
        commitments: ballots[0].cast.signed.ballot.statement.commitments.clone(),
    };
    let tally = TallyView {
        agreements: vec![(1, statement), (2, statement)],
        contributions,
        turnout: Some(Turnouts::new(&manifest, cells.len())),
        cells: Some(cells),
        sums: Some(fixture.sums(&ballots).encodings()),
        result: Some(result.clone()),
    };
    let proposal = Proposal {
        action: Action::Freeze { eid, roll: Digest([3; 32]) },
        approvals: vec![0, 2].try_into().expect("two members"),
        expires: 9,
    };
    let entry = EntryState { entry: fixture.entry(0), batch: 0, credential: None, round: 1 };
    let registered = RegisteredVoter { entry: 1, weight: 2, style: 0, unit: 0 };
    let voter = Voter { entry: 1, weight: 2, style: 0, unit: 0, ballots: 1, sequence: 1 };
    vec![
        Target::new("result", vec![result.encode()], scale::<ElectionResult>),
        Target::new("election-state", vec![state.encode()], scale::<ElectionState>),
        Target::new(
            "election-view",
            vec![ElectionView { eid, state, manifest }.encode()],
            scale::<ElectionView>,
        ),
        Target::new("tally-view", vec![tally.encode()], scale::<TallyView>),
        Target::new("recorded-ballot", vec![recorded.encode()], scale::<RecordedBallot>),
        Target::new("registered-voter", vec![registered.encode()], scale::<RegisteredVoter>),
        Target::new("voter", vec![voter.encode()], scale::<Voter>),
        Target::new("roll-entry", vec![entry.encode()], scale::<EntryState>),
        Target::new("proposal", vec![proposal.encode()], scale::<Proposal>),
    ]
}

fn state(agreed: SetStatement) -> ElectionState {
    ElectionState {
        number: 1,
        phase: Phase::Agreed,
        created: 2,
        opens_at: 3,
        closes_at: 4,
        accepted: vec![1, 2].try_into().expect("two trustees"),
        batches: 1,
        confirmed: 1,
        entries: 3,
        voters: 3,
        roll: Digest([1; 32]),
        ballots: 1,
        counted: 1,
        ballot_log: Digest([2; 32]),
        closing: Some(agreed.closing),
        summed: true,
        withheld: false,
        conflict: false,
        excluded: 0,
        lowered: None,
        agreed: Some(agreed),
        certified: None,
        void: Some(b"no".to_vec().try_into().expect("short")),
    }
}
