//! The file itself: its frames, the first of them, and the headers and times of its blocks.

use codec::{Compact, Decode, DecodeAll, Encode};
use psephos_protocol::{
    header::{DigestItem, Header},
    record::{frame, RecordBlock, MAGIC},
    wire::Message,
};

use super::{
    alter::{Alter, Altered},
    Change, Check, Corpus, Expected, Unnoticed,
};
use crate::{
    cases::{EVERYTHING, HONEST},
    common::{World, ACCEPT, AGREE, CERTIFY, CLOSES, FINALIZE, RECAST, ROLL},
};

/// A block of which no rule depends but those of headers.
const QUIET: usize = 6;

pub fn add(corpus: &mut Corpus) {
    first_frame(corpus);
    headers(corpus);
    times(corpus);
    frames(corpus);
    encodings(corpus);
}

fn record(frames: &[Vec<u8>]) -> Vec<u8> {
    [MAGIC.to_vec(), frames.concat()].concat()
}

/// The block at that place, as it is or changed.
fn with_block(world: &World, place: usize, change: impl FnOnce(&mut RecordBlock)) -> Vec<u8> {
    let mut frames = world.frames();
    let mut block = RecordBlock::decode_all(&mut &frames[place + 1][4..]).expect("a block");
    change(&mut block);
    frames[place + 1] = frame(&block);
    record(&frames)
}

/// The same with another header.
pub fn with_header(world: &World, place: usize, change: impl FnOnce(&mut Header)) -> Vec<u8> {
    let mut header = decoded(world, place);
    change(&mut header);
    with_block(world, place, |block| block.header = header.encode())
}

fn first_frame(corpus: &mut Corpus) {
    const BOARD: Expected = Unnoticed("a key of the chain's board that approved nothing");
    let header = corpus.base(EVERYTHING, "").header();
    let mut last = header.clone();
    let key = last.board.members.last_mut().expect("a member");
    key.0[0] ^= 1;
    let last = Altered { path: "board.members.2".into(), how: "with another bit", value: last };
    let mut nobody = header.clone();
    nobody.board.threshold = 0;
    let nobody = Altered { path: "board.threshold".into(), how: "0", value: nobody };
    for Altered { path, how, value } in header.altered().into_iter().chain([last, nobody]) {
        let expected = match (path.as_str(), how) {
            ("version", _) => Check(1),
            ("genesis" | "eid", _) => Check(3),
            ("board.members", "without its last") | ("board.members.2", _) => BOARD,
            _ => Check(4),
        };
        corpus.bytes(EVERYTHING, format!("the first frame: {path} {how}"), expected, |world| {
            let mut frames = world.frames();
            frames[0] = frame(&value);
            record(&frames)
        });
    }
}

fn headers(corpus: &mut Corpus) {
    for (name, place) in [("the first header", 0), ("a header", QUIET), ("the last header", CERTIFY)] {
        let block = decoded(&corpus.base(EVERYTHING, ""), place);
        for Altered { path, how, value } in block.altered() {
            let expected = match path.as_str() {
                "state_root" | "extrinsics_root" if place == CERTIFY => Unnoticed("the last header's roots"),
                _ => Check(2),
            };
            corpus.bytes(EVERYTHING, format!("{name}: {path} {how}"), expected, |world| {
                with_block(world, place, |block| block.header = value.encode())
            });
        }
        let items = [
            ("a seal", DigestItem::Seal(*b"aura", vec![1; 64])),
            ("a message of consensus", DigestItem::Consensus(*b"FRNK", vec![1])),
            ("another item", DigestItem::Other(vec![1])),
            ("a slot of another engine", DigestItem::PreRuntime(*b"babe", vec![1; 8])),
            ("an item that says that the code changed", DigestItem::RuntimeEnvironmentUpdated),
        ];
        for (item, value) in items {
            let last = Unnoticed("what the last header's digest says besides the slot");
            let expected = if place == CERTIFY { last } else { Check(2) };
            corpus.bytes(EVERYTHING, format!("{name}: {item} in its digest"), expected, |world| {
                with_header(world, place, |header| header.digest.push(value))
            });
        }
        let changes: [Change<Vec<u8>>; 3] = [
            ("empty", |header| header.clear()),
            ("with a byte left over", |header| header.push(0)),
            ("without its last byte", |header| header.truncate(header.len() - 1)),
        ];
        for (how, change) in changes {
            corpus.bytes(EVERYTHING, format!("{name}: {how}"), Check(2), |world| {
                with_block(world, place, |block| change(&mut block.header))
            });
        }
    }
    // A fork: everything after the block is built on the other one.
    corpus.bytes(
        EVERYTHING,
        "headers: another block under the ballots and what follows",
        Check(8),
        |world| relinked(world, QUIET - 1, |header| header.state_root[0] ^= 1),
    );
    corpus.bytes(EVERYTHING, "headers: another closing block, and what follows", Check(11), |world| {
        relinked(world, CLOSES, |header| header.state_root[0] ^= 1)
    });
    let later = Unnoticed("what headers after the closing block say, if those that follow are linked anew");
    corpus.bytes(
        EVERYTHING,
        "headers: another block after the closing one, and what follows",
        later,
        |world| relinked(world, FINALIZE, |header| header.state_root[0] ^= 1),
    );
}

fn decoded(world: &World, place: usize) -> Header {
    let frames = world.frames();
    let block = RecordBlock::decode_all(&mut &frames[place + 1][4..]).expect("a block");
    Header::from_bytes(&block.header).expect("a header")
}

/// The headers from a place on, changed there and linked anew.
fn relinked(world: &World, place: usize, change: impl FnOnce(&mut Header)) -> Vec<u8> {
    let mut frames = world.frames();
    let (mut change, mut parent) = (Some(change), None);
    for frame_at in frames.iter_mut().skip(place + 1) {
        let mut block = RecordBlock::decode_all(&mut &frame_at[4..]).expect("a block");
        let mut header = Header::from_bytes(&block.header).expect("a header");
        header.parent = parent.unwrap_or(header.parent);
        if let Some(change) = change.take() {
            change(&mut header);
        }
        block.header = header.encode();
        parent = Some(crate::common::hash(&block.header));
        *frame_at = frame(&block);
    }
    record(&frames)
}

fn times(corpus: &mut Corpus) {
    let blocks: [(usize, &str); 2] = [(QUIET, "a block"), (CLOSES, "the block in which the board closes")];
    for (place, name) in blocks {
        let RecordBlock { header: _, time, messages: _ } = block_at(corpus, place);
        for Altered { how, value, .. } in time.altered() {
            let expected = match (place, how) {
                (QUIET, "more by one") => {
                    Unnoticed("a time within its slot that crosses neither opening nor close")
                }
                (CLOSES, "more by one") => Check(7),
                _ => Check(2),
            };
            corpus.world(EVERYTHING, format!("the time of {name}: {how}"), expected, |world| {
                world.times[place] = value;
            });
        }
    }
    corpus.world(HONEST, "the time of a block is that of the one before the last", Check(2), |world| {
        world.times[6] = crate::common::time(4);
    });
    corpus.bytes(
        EVERYTHING,
        "the time of a block is before that of the one before, in the same slot",
        Check(2),
        |world| {
            world.times[QUIET] = crate::common::time(QUIET - 1) + 1;
            world.times[QUIET - 1] += 2;
            let slot = decoded(world, QUIET - 1).digest;
            relinked(world, QUIET, |header| header.digest = slot)
        },
    );
}

fn block_at(corpus: &mut Corpus, place: usize) -> RecordBlock {
    let frames = corpus.base(EVERYTHING, "").frames();
    RecordBlock::decode_all(&mut &frames[place + 1][4..]).expect("a block")
}

fn frames(corpus: &mut Corpus) {
    let all = corpus.base(HONEST, "").frames();
    for index in 0..all.len() {
        // Without the block of the creation it is the acceptances that come too early; without the last, the record is
        // not whole.
        let left_out = match index {
            0 => Check(1),
            1 => Check(4),
            _ if index + 1 == all.len() => Check(1),
            _ => Check(2),
        };
        corpus.bytes(HONEST, format!("frame {index} left out"), left_out, |world| {
            let mut frames = world.frames();
            frames.remove(index);
            record(&frames)
        });
        let twice = match index {
            0 => Check(1),
            _ if index + 1 == all.len() => Check(16),
            _ => Check(2),
        };
        corpus.bytes(HONEST, format!("frame {index} twice"), twice, |world| {
            let mut frames = world.frames();
            frames.insert(index, frames[index].clone());
            record(&frames)
        });
        if index + 1 < all.len() {
            // The creation is in the second frame; where it comes too late, something comes before it.
            let exchanged = match index {
                0 => Check(1),
                1 => Check(4),
                _ => Check(2),
            };
            corpus.bytes(HONEST, format!("frame {index} exchanged with the next"), exchanged, |world| {
                let mut frames = world.frames();
                frames.swap(index, index + 1);
                record(&frames)
            });
        }
        corpus.bytes(HONEST, format!("cut before frame {index}"), Check(1), |world| {
            record(&world.frames()[..index])
        });
        corpus.bytes(HONEST, format!("cut within frame {index}"), Check(1), |world| {
            let frames = world.frames();
            let half = frames[index].len() / 2;
            [record(&frames[..index]), frames[index][..half].to_vec()].concat()
        });
        corpus.bytes(HONEST, format!("frame {index} with a byte more"), Check(1), |world| {
            let mut frames = world.frames();
            frames[index].push(0);
            let length = frames[index].len() as u32 - 4;
            frames[index][..4].copy_from_slice(&length.to_le_bytes());
            record(&frames)
        });
    }
    let end: [(&str, &[u8]); 4] = [
        ("a byte", &[0]),
        ("an empty frame", &[0; 4]),
        ("a frame of 4 GB", &[255; 4]),
        ("a frame of 8 MiB and a byte", &[1, 0, 128, 0]),
    ];
    for (what, bytes) in end {
        corpus.bytes(HONEST, format!("{what} after the end"), Check(1), |world| {
            [world.bytes(), bytes.to_vec()].concat()
        });
    }
    corpus.world(HONEST, "a block after the end", Check(16), |world| {
        world.blocks.push(Vec::new());
        world.times.push(crate::common::time(CERTIFY + 1));
    });
    corpus.bytes(HONEST, "a bad ballot before a block that is cut", Check(8), |world| {
        let Message::Cast(cast) = &mut world.blocks[RECAST][1] else { panic!("a ballot") };
        cast.signed.ballot.proof[0] ^= 1;
        record(&world.frames()[..RECAST + 2]).into_iter().chain([1]).collect()
    });
    corpus.bytes(HONEST, "a bad ballot before a block of another chain", Check(8), |world| {
        let Message::Cast(cast) = &mut world.blocks[RECAST][1] else { panic!("a ballot") };
        cast.signed.ballot.proof[0] ^= 1;
        let mut frames = world.frames();
        frames.remove(RECAST + 2);
        record(&frames)
    });
    corpus.bytes(HONEST, "another file: magic", Check(1), |world| {
        let mut bytes = world.bytes();
        bytes[7] = b'2';
        bytes
    });
    corpus.bytes(HONEST, "another file: nothing", Check(1), |_| Vec::new());
    corpus.bytes(HONEST, "another file: half of the magic", Check(1), |_| MAGIC[..4].to_vec());
    corpus.bytes(HONEST, "another file: magic alone", Check(1), |_| MAGIC.to_vec());
}

/// The bytes of the block at that place, changed within its frame.
fn with_bytes(world: &World, place: usize, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut frames = world.frames();
    let mut body = frames[place + 1].split_off(4);
    change(&mut body);
    frames[place + 1] = [(body.len() as u32).to_le_bytes().to_vec(), body].concat();
    record(&frames)
}

/// Encodings that say the same in another way, or too much.
fn encodings(corpus: &mut Corpus) {
    let header = |body: &[u8]| <Compact<u32>>::decode(&mut &*body).expect("a length").0 as usize + 2;
    // Where the number of messages is: after the header, whose length takes two bytes, and the time.
    let count = move |body: &[u8]| header(body) + 8;
    let mut case = |name: &str, place: usize, change: &dyn Fn(&mut Vec<u8>)| {
        corpus.bytes(EVERYTHING, format!("encoding: {name}"), Check(1), |world| {
            with_bytes(world, place, |body| change(body))
        });
    };
    case("the number of messages in two bytes where one does", ACCEPT, &|body| {
        let at = count(body);
        let number = body[at];
        body.splice(at..=at, [number | 1, 0]);
    });
    case("one message more than there are", ACCEPT, &|body| {
        let at = count(body);
        body[at] += 4;
    });
    case("one message less than there are", ACCEPT, &|body| {
        let at = count(body);
        body[at] -= 4;
    });
    case("a message of a kind that there is not", ACCEPT, &|body| {
        let at = count(body) + 1;
        body[at] = 10;
    });
    case("an action of a kind that there is not", CERTIFY, &|body| {
        let at = count(body) + 2;
        body[at] = 10;
    });
    case("a signature without its last byte", ACCEPT, &|body| body.truncate(body.len() - 1));
    case("an access of a kind that there is not", ROLL, &|body| {
        // Message, eid, registrar, batch, number of entries.
        let at = count(body) + 1 + 1 + 32 + 1 + 4 + 1;
        body[at] = 2;
    });
    case("a truth that is neither", 0, &|body| {
        let flags = flags(body);
        body[flags] = 2;
    });
    case("an option that is neither there nor not", 0, &|body| {
        let rehearsal = flags(body) + 2;
        body[rehearsal] = 2;
    });
    case("a list that is longer than any may be", AGREE + 1, &|body| {
        // Message, eid, trustee, root; the pairs are at most 4,096.
        let at = count(body) + 1 + 1 + 32 + 1 + 32;
        body.splice(at..=at, (Compact(4_097u32)).encode());
    });
}

/// Where the first creation says whether it may be closed early; whether it is by unit, and a rehearsal, come after it.
fn flags(body: &[u8]) -> usize {
    let block = RecordBlock::decode_all(&mut &*body).expect("a block");
    let Message::Approve(first) = &block.messages[0] else { panic!("an approval") };
    // After the flags: the digest of the generators; before the action: header, time, number of messages, message.
    let start = body.len() - block.messages.iter().map(Encode::encoded_size).sum::<usize>();
    start + 1 + first.action.encoded_size() - 32 - 3
}
