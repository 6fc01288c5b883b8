//! Decoders (spec 1.4, 2.2): one encoding each, bounded, and no input makes them panic.

use codec::{Decode, DecodeAll, Encode};
use proptest::prelude::*;
use psephos_protocol::{
    agreement::{Acceptance, Agreement},
    ballot::{AuditOpening, Ballot, CastBallot, SignedBallot},
    board::{Action, Approval},
    bounds::MAX_BUNDLE,
    envelope::Deposit,
    group::Point,
    ids::{Anchor, BallotHash, Digest},
    keys::Signature,
    manifest::Manifest,
    record::{frame, FrameReader, RecordBlock, RecordError, RecordHeader, MAGIC, MAX_FRAME},
    roll::{Registration, RollBatch},
    shares::{Dealing, Share},
    state::{Caster, ElectionState, RecordedBallot, RecordedHead, RegisteredVoter, Voter},
    tally::{Contribution, ElectionResult, Finalize},
    testing::{set_statement, Fixture, Params},
    wire::{ballots_to_extrinsic, block_time, bundle, bundle_from_extrinsic, bundle_to_extrinsic, Message},
};
use std::sync::LazyLock;

/// Decodes and encodes again.
type Parse = fn(&[u8]) -> Option<Vec<u8>>;

fn parse<T: DecodeAll + Encode>(mut bytes: &[u8]) -> Option<Vec<u8>> {
    T::decode_all(&mut bytes).ok().map(|item| item.encode())
}

const DECODERS: [(&str, Parse); 28] = [
    ("signed ballot", |bytes| SignedBallot::from_bytes(bytes).ok().map(|item| item.encode())),
    ("cast ballot", |bytes| CastBallot::from_bytes(bytes).ok().map(|item| item.encode())),
    ("deposit", |bytes| Deposit::from_bytes(bytes).ok().map(|item| item.encode())),
    ("audit opening", |bytes| AuditOpening::from_bytes(bytes).ok().map(|item| item.to_bytes())),
    ("extrinsic", |bytes| Message::from_extrinsic(bytes).map(|message| message.to_extrinsic())),
    ("bundle", |bytes| bundle_from_extrinsic(bytes).map(|bundle| bundle_to_extrinsic(&bundle))),
    ("share", |bytes| Share::from_bytes(bytes, 2).ok().map(|share| share.to_bytes().to_vec())),
    ("message", parse::<Message>),
    ("ballot", parse::<Ballot>),
    ("approval", parse::<Approval>),
    ("batch", parse::<RollBatch>),
    ("registration", parse::<Registration>),
    ("acceptance", parse::<Acceptance>),
    ("agreement", parse::<Agreement>),
    ("contribution", parse::<Contribution>),
    ("finalize", parse::<Finalize>),
    ("manifest", parse::<Manifest>),
    ("dealing", parse::<Dealing>),
    ("result", parse::<ElectionResult>),
    ("record header", parse::<RecordHeader>),
    ("record block", parse::<RecordBlock>),
    ("record", |bytes| read(bytes).ok().map(|(header, blocks)| record(&header, &blocks))),
    ("state", parse::<ElectionState>),
    ("voter", parse::<Voter>),
    ("registered voter", parse::<RegisteredVoter>),
    ("recorded ballot", parse::<RecordedBallot>),
    ("action", parse::<Action>),
    ("anchor", parse::<Anchor>),
];

fn decoder(name: &str) -> Parse {
    DECODERS.iter().find(|(other, _)| *other == name).expect("a decoder of that name").1
}

/// A record file.
fn record(header: &RecordHeader, blocks: &[RecordBlock]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend(frame(header));
    blocks.iter().for_each(|block| out.extend(frame(block)));
    out
}

fn read(mut bytes: &[u8]) -> Result<(RecordHeader, Vec<RecordBlock>), RecordError> {
    let mut reader = FrameReader::new(|buffer: &mut [u8]| {
        // A source that gives a few bytes at a time, as a pipe does.
        let length = buffer.len().min(bytes.len()).min(7);
        let (now, later) = bytes.split_at(length);
        buffer[..length].copy_from_slice(now);
        bytes = later;
        Ok::<usize, RecordError>(length)
    })?;
    let header = reader.next()?.ok_or(RecordError::Truncated(0))?;
    let mut blocks = Vec::new();
    while let Some(block) = reader.next()? {
        blocks.push(block);
    }
    Ok((header, blocks))
}

/// One valid encoding for each decoder.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut fixture = Fixture::new(&Params::default());
    let counted = fixture.cast(0, 1, &[vec![0, 1, 0]]);
    let ballots = [counted];
    let cast = ballots[0].cast.clone();
    let mut signed = fixture.sign(1, 1, &[vec![1, 0, 0]]);
    let deposit = fixture.deposits(&mut signed).remove(2);
    let opening = fixture.prepare(2, 1, &[vec![1, 0, 0]]).unwrap().audit();
    let eid = fixture.election.eid;
    let action = Action::Freeze { eid, roll: Digest([3; 32]) };
    let approval = fixture.approve(action.clone(), 0);
    let batch = fixture.roll();
    let signature = Signature([4; 64]);
    let registration = Registration {
        eid,
        entry: 3,
        credential: fixture.voters[0].key.public(),
        invitations: vec![signature; 2].try_into().unwrap(),
        possession: signature,
    };
    let agreement = fixture.agree(1, set_statement(&ballots, fixture.anchor));
    let contributions = [fixture.contribute(1, &ballots), fixture.contribute(2, &ballots)];
    let result = fixture.result(&ballots, &contributions);
    let finalize = Finalize { eid, contributors: vec![1, 2].try_into().unwrap() };
    let board = fixture.election.manifest.board.clone();
    let header = RecordHeader { version: 1, genesis: fixture.election.genesis, board, eid };
    let messages = vec![Message::Approve(approval.clone()), Message::Cast(cast.clone())];
    let block = RecordBlock { header: vec![1, 2, 3], time: 1_234, messages };
    let state = ElectionState {
        number: 1,
        phase: psephos_protocol::state::Phase::Open,
        created: 2,
        opens_at: 3,
        closes_at: 4,
        accepted: vec![1, 2].try_into().unwrap(),
        batches: 1,
        confirmed: 1,
        entries: 3,
        voters: 3,
        roll: Digest([1; 32]),
        ballots: 1,
        counted: 1,
        ballot_log: Digest([2; 32]),
        closing: Some(fixture.anchor),
        summed: true,
        withheld: false,
        conflict: false,
        excluded: 0,
        lowered: None,
        agreed: Some(agreement.statement),
        certified: None,
        void: Some(Default::default()),
    };
    let voter = Voter { entry: 1, weight: 2, style: 0, unit: 0, ballots: 1, sequence: 1 };
    let registered = RegisteredVoter { entry: 1, weight: 2, style: 0, unit: 0 };
    let recorded = RecordedBallot {
        hash: ballots[0].hash,
        caster: Caster { sequence: 1, ballots: 1, style: 0, weight: 1, unit: 0 },
        commitments: cast.signed.ballot.statement.commitments.clone(),
    };
    vec![
        ("signed ballot", cast.signed.encode()),
        ("cast ballot", cast.encode()),
        ("deposit", deposit.encode()),
        ("audit opening", opening.to_bytes()),
        ("extrinsic", Message::Cast(cast.clone()).to_extrinsic()),
        ("bundle", bundle_to_extrinsic(&bundle(vec![cast.clone(); 2]).expect("two"))),
        ("share", signed.shares[0].to_bytes().to_vec()),
        ("message", Message::Cast(cast.clone()).encode()),
        ("ballot", cast.signed.ballot.encode()),
        ("approval", approval.encode()),
        ("batch", batch.encode()),
        ("registration", registration.encode()),
        ("acceptance", fixture.accept(1).encode()),
        ("agreement", agreement.encode()),
        ("contribution", contributions[0].encode()),
        ("finalize", finalize.encode()),
        ("manifest", fixture.election.manifest.encode()),
        ("dealing", signed.dealing.encode()),
        ("result", result.encode()),
        ("record header", header.encode()),
        ("record block", block.encode()),
        ("record", record(&header, &[block.clone(), block])),
        ("state", state.encode()),
        ("voter", voter.encode()),
        ("registered voter", registered.encode()),
        ("recorded ballot", recorded.encode()),
        ("action", action.encode()),
        ("anchor", fixture.anchor.encode()),
    ]
}

static SAMPLES: LazyLock<Vec<(&str, Vec<u8>)>> = LazyLock::new(samples);

fn sample(name: &str) -> Vec<u8> {
    SAMPLES.iter().find(|(other, _)| *other == name).expect("a sample of that name").1.clone()
}

#[test]
fn every_decoder_has_a_sample_and_reads_it() {
    let samples = &*SAMPLES;
    let names: Vec<&str> = samples.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, DECODERS.map(|(name, _)| name));
    for (name, bytes) in samples {
        assert_eq!(decoder(name)(bytes).as_deref(), Some(bytes.as_slice()), "{name}");
    }
}

#[test]
fn cut_off_bytes_are_refused_at_every_length() {
    for (name, bytes) in SAMPLES.iter() {
        for length in 0..bytes.len() {
            // A record may end after any of its frames.
            let whole = *name == "record" && read(&bytes[..length]).is_ok();
            assert!(
                whole || decoder(name)(&bytes[..length]).is_none(),
                "{name}: {length} of {}",
                bytes.len()
            );
        }
    }
}

#[test]
fn bytes_left_over_are_refused() {
    for (name, bytes) in SAMPLES.iter() {
        for extra in [&[0][..], &[0xff], &[0; 100]] {
            assert!(decoder(name)(&[bytes.as_slice(), extra].concat()).is_none(), "{name}");
        }
    }
}

#[test]
fn too_long_input_is_refused_before_it_is_read() {
    let long = vec![0; 30_000_000];
    for (name, _) in DECODERS {
        assert!(decoder(name)(&long).is_none(), "{name}");
    }
    // A length that promises more than there is must not be allocated.
    for prefix in [&[0xfe, 0xff, 0xff, 0xff][..], &[0x03, 0xff, 0xff, 0xff, 0xff], &[0xff; 9]] {
        for (name, _) in DECODERS {
            assert!(decoder(name)(prefix).is_none(), "{name}");
        }
    }
}

#[test]
fn lists_stay_within_their_bounds() {
    let encoded = |count: u32| [codec::Compact(count).encode(), vec![0; count as usize]].concat();
    type Reason = psephos_protocol::bounds::Reason;
    assert!(parse::<Reason>(&encoded(1_024)).is_some());
    assert!(parse::<Reason>(&encoded(1_025)).is_none());
    let trustees = |count: u32| [vec![0; 32], encoded(count)].concat();
    assert!(parse::<Finalize>(&trustees(16)).is_some());
    assert!(parse::<Finalize>(&trustees(17)).is_none());
}

#[test]
fn a_record_says_what_is_wrong_with_it() {
    let bytes = sample("record");
    assert_eq!(read(&bytes).unwrap().1.len(), 2);
    let error = |bytes: &[u8]| read(bytes).unwrap_err();
    assert_eq!(error(b""), RecordError::Magic);
    assert_eq!(error(b"PSEPHOS2"), RecordError::Magic);
    assert_eq!(error(&bytes[..7]), RecordError::Magic);
    assert_eq!(error(&bytes[..9]), RecordError::Truncated(0));
    assert_eq!(error(&bytes[..20]), RecordError::Truncated(0));
    assert_eq!(error(&bytes[..bytes.len() - 1]), RecordError::Truncated(2));
    let mut changed = bytes.clone();
    changed[8..12].copy_from_slice(&(MAX_FRAME + 1).to_le_bytes());
    assert_eq!(error(&changed), RecordError::TooLarge(0));
    let mut shorter = bytes;
    shorter[8] -= 1;
    assert_eq!(error(&shorter), RecordError::Malformed(0));
}

#[test]
fn a_bundle_is_read_as_its_ballots() {
    let mut fixture = Fixture::new(&Params { voters: vec![1; 5], ..Params::default() });
    let casts: Vec<_> = (0..5).map(|voter| fixture.cast(voter, 1, &[vec![0, 1, 0]]).cast).collect();
    let together = bundle(casts.clone()).expect("not too many");
    let credentials = together.iter().map(|cast| cast.signed.ballot.statement.credential);
    assert!(credentials.is_sorted());
    let bytes = bundle_to_extrinsic(&together);
    assert_eq!(ballots_to_extrinsic(casts.clone()).as_ref(), Some(&bytes), "in whichever order they come");
    assert_eq!(bytes[2..6], [0x45, 0, 8, 10], "behind the length of two bytes");
    assert!(Message::from_extrinsic(&bytes).is_none());
    let messages: Vec<_> = together.into_iter().map(Message::Cast).collect();
    assert_eq!(Message::all_from_extrinsic(&bytes), messages);
    let alone = Message::Cast(casts[0].clone());
    assert_eq!(ballots_to_extrinsic(vec![casts[0].clone()]), Some(alone.to_extrinsic()));
    assert_eq!(Message::all_from_extrinsic(&alone.to_extrinsic()), [alone]);
    assert_eq!(Message::all_from_extrinsic(&bytes[1..]), []);
    assert_eq!(bundle_from_extrinsic(&sample("extrinsic")), None);
    assert!(bundle(vec![casts[0].clone(); MAX_BUNDLE as usize]).is_some());
    assert!(bundle(vec![casts[0].clone(); MAX_BUNDLE as usize + 1]).is_none());
}

#[test]
fn other_extrinsics_are_not_ours() {
    let bytes = sample("extrinsic");
    assert!(Message::from_extrinsic(&bytes).is_some());
    assert_eq!(bytes[2..5], [0x45, 0, 8]);
    for place in 2..5 {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(Message::from_extrinsic(&changed).is_none());
    }
    // The length prefix must be right, and written in the shortest way.
    let mut wrong = bytes.clone();
    wrong[0] = wrong[0].wrapping_add(4);
    assert!(Message::from_extrinsic(&wrong).is_none());
    let body = &bytes[2..];
    let wide = [&((body.len() as u32) << 2 | 2).to_le_bytes()[..], body].concat();
    assert!(Message::from_extrinsic(&wide).is_none());
    // The timestamp, bare in format 4 and 5.
    let time = codec::Compact(1_700_000_000_000u64).encode();
    for format in [4, 5] {
        let inherent = [&[format, 1, 0], time.as_slice()].concat().encode();
        assert_eq!(block_time(&inherent), Some(1_700_000_000_000));
        assert!(Message::from_extrinsic(&inherent).is_none());
    }
    assert_eq!(block_time(&[&[0x84, 1, 0], time.as_slice()].concat().encode()), None);
    assert_eq!(block_time(&bytes), None);
}

proptest! {
    #![proptest_config(crate::cases(300))]

    #[test]
    fn random_bytes_are_refused_or_canonical(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for (name, parse) in DECODERS {
            if let Some(again) = parse(&bytes) {
                prop_assert_eq!(&again, &bytes, "{}", name);
            }
        }
        let _ = block_time(&bytes);
    }

    /// Changed bytes are refused, or they are the one encoding of something else.
    #[test]
    fn changed_bytes_are_refused_or_canonical(
        which in 0..DECODERS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (name, mut bytes) = SAMPLES[which].clone();
        for (place, value) in &changes {
            // Near the front, too, where lengths and variants are.
            let place = place.index(bytes.len());
            let place = if value % 2 == 0 { place } else { place % 48.min(bytes.len()) };
            bytes[place] = *value;
        }
        if let Some(again) = decoder(name)(&bytes) {
            prop_assert_eq!(again, bytes, "{}", name);
        }
    }
}

#[test]
fn a_recorded_ballot_begins_with_its_head() {
    let recorded = RecordedBallot {
        hash: BallotHash([1; 32]),
        caster: Caster { sequence: 2, ballots: 3, style: 4, weight: 5, unit: 6 },
        commitments: vec![Point::default(); 7].try_into().expect("not too many"),
    };
    let spec_8_4 = (recorded.hash, 2u32, 3u8, 4u16, 5u64, 6u16, recorded.commitments.to_vec());
    assert_eq!(recorded.encode(), spec_8_4.encode());
    assert_eq!(RecordedHead::decode(&mut recorded.encode().as_slice()), Ok((recorded.hash, recorded.caster)));
}
