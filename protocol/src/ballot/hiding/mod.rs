//! Tests: what is public shows nothing of a vote (spec 11), by construction.
//!
//! Whatever a ballot shows in public and to t − 1 trustees, every other vote shows as well, byte by byte, with other
//! randomness; and the mapping from the one randomness to the other is one to one. So every vote is as likely to have
//! given these bytes as any other, whoever looks, with whatever computer.
//!
//! To find the other randomness takes the logarithms of the generators to base B. They exist, and nobody knows them. So
//! these tests run the real code over generators whose logarithms they know ([`Trapdoor`], [`Generators::chosen`]).
//! Nothing in the code depends on which generators it is given.

mod record;
mod tape;

use codec::Encode;
use curve25519_dalek::{
    constants::RISTRETTO_BASEPOINT_POINT as B,
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};

use super::{
    prepare::{build_from, committed_values, Built},
    Ballot, Choices, Committed, Layout,
};
use crate::{
    contest::{Contest, Rule},
    group::{trapdoor::Trapdoor, Point},
    range_proof::Generators,
    testing::{contest, Fixture, Params},
    transcript::{self, ProofTranscript},
};
use tape::{Replay, Tape};

/// Votes for all contests of a ballot.
type Vote = Vec<Vec<u32>>;

/// n = 5, t = 3.
fn params(contests: Vec<Contest>) -> Params {
    Params { contests, trustees: 5, threshold: 3, quorum: 4, voters: vec![1, 1, 2], ..Params::default() }
}

/// Ballots of some contests, over generators with known logarithms to base B.
struct World {
    contests: Vec<Contest>,
    layout: Layout,
    threshold: u8,
    /// That of B̃.
    of_blinding: Trapdoor,
    of_g: Vec<Scalar>,
    of_h: Vec<Scalar>,
}

/// What a ballot commits to, and what it proves to be in range.
struct Values {
    options: Vec<u32>,
    slack: Vec<u32>,
    ranges: Vec<u64>,
}

/// Challenges of a range proof.
struct Challenges {
    y: Scalar,
    z: Scalar,
    x: Scalar,
}

impl World {
    fn of(params: &Params, rng: &mut ChaCha20Rng) -> Self {
        let layout = Layout::of(&params.contests.iter().collect::<Vec<_>>());
        let mut logarithms = || (0..layout.shape.bits()).map(|_| Scalar::random(rng)).collect();
        let (of_g, of_h) = (logarithms(), logarithms());
        Self {
            contests: params.contests.clone(),
            layout,
            threshold: params.threshold,
            of_blinding: Trapdoor::open(Scalar::random(rng)),
            of_g,
            of_h,
        }
    }

    /// The election of these parameters, in this world.
    fn fixture(&self, params: &Params) -> Fixture {
        let points = |logarithms: &[Scalar]| logarithms.iter().map(|log| B * log).collect();
        let generators = Generators::chosen(self.layout.shape, points(&self.of_g), points(&self.of_h));
        Fixture { generators, ..Fixture::new(params) }
    }

    fn tape(&self, rng: &mut ChaCha20Rng) -> Tape {
        Tape::random(&self.layout, self.threshold, rng)
    }

    fn values(&self, vote: &Vote) -> Values {
        let contests: Vec<&Contest> = self.contests.iter().collect();
        let (options, slack) = committed_values(&contests, &Choices(vote.clone()), self.layout.slack > 0);
        let opened = |values: &[u32]| values.iter().map(|value| (*value, Scalar::ZERO)).collect::<Vec<_>>();
        let ranges = self.layout.openings(&opened(&options), &opened(&slack)).unwrap();
        Values {
            options: options.to_vec(),
            slack: slack.to_vec(),
            ranges: ranges.into_iter().map(|(value, _)| value).collect(),
        }
    }

    /// The challenges of a ballot's proof: they follow from its bytes.
    fn challenges(&self, ballot: &Ballot) -> Challenges {
        let committed = |points: &[Point]| -> Vec<Committed> {
            points.iter().map(|p| Committed { encoding: *p, point: p.decompress().unwrap() }).collect()
        };
        let statement = &ballot.statement;
        let ranges =
            self.layout.commitments(&committed(&statement.commitments), &committed(&statement.slack));
        let mut transcript = transcript::range_proof(&statement.encode());
        transcript.start_range_proof(self.layout.shape);
        ranges.unwrap().iter().for_each(|range| transcript.point(b"V", range));
        let mut points = ballot.proof.chunks(32).map(|bytes| CompressedRistretto::from_slice(bytes).unwrap());
        let mut absorb = |transcript: &mut merlin::Transcript, label| {
            transcript.point(label, &points.next().unwrap());
        };
        absorb(&mut transcript, b"A");
        absorb(&mut transcript, b"S");
        let (y, z) = (transcript.challenge(b"y"), transcript.challenge(b"z"));
        absorb(&mut transcript, b"T_1");
        absorb(&mut transcript, b"T_2");
        Challenges { y, z, x: transcript.challenge(b"x") }
    }

    /// The randomness with which `other` gives the bytes that `vote` gave with this tape: the same ballot, the same
    /// dealing, and the same shares to the t − 1 trustees in `corrupted`.
    fn equivocate(&self, ballot: &Ballot, tape: &Tape, [vote, other]: [&Vote; 2], corrupted: &[u8]) -> Tape {
        let [vote, other] = [vote, other].map(|vote| self.values(vote));
        let Challenges { y, z, x } = self.challenges(ballot);
        let per_blinding = self.of_blinding.0.invert();

        // v·B + r·B̃ stays when what v loses, r gains.
        let options = differences(&vote.options, &other.options);
        let slack = differences(&vote.slack, &other.slack);
        let moved = |blindings: &[Scalar], lost: &[Scalar]| {
            blindings.iter().zip(lost).map(|(blinding, lost)| blinding + lost * per_blinding).collect()
        };
        // Shares of the corrupted stay when the polynomials change by a multiple of one that is 1 at 0 and 0 at them.
        let vanishing = vanishing(corrupted);
        let coefficients = tape.coefficients.iter().zip(&options).map(|(coefficients, lost)| {
            let moved = coefficients.iter().zip(&vanishing[1..]);
            moved.map(|((a, b), c)| (a - lost * c, b + lost * c * per_blinding)).collect()
        });

        // l(x) and r(x) stay when the masks gain what the bits lose, over x; A and S by their blindings.
        let bits: Vec<Scalar> = vote
            .ranges
            .iter()
            .zip(&other.ranges)
            .flat_map(|(from, to)| {
                (0..self.layout.shape.width).map(move |bit| (from >> bit & 1, to >> bit & 1))
            })
            .map(|(from, to)| Scalar::from(from) - Scalar::from(to))
            .collect();
        let per_x = x.invert();
        let masks = |masks: &[Scalar]| -> Vec<Scalar> {
            masks.iter().zip(&bits).map(|(mask, lost)| mask + lost * per_x).collect()
        };
        let (masks_l, masks_r) = (masks(&tape.masks_l), masks(&tape.masks_r));
        let lost = bits.iter().zip(self.of_g.iter().zip(&self.of_h)).map(|(lost, (g, h))| lost * (g + h));
        let lost = lost.sum::<Scalar>() * per_blinding;

        // t(x) stays: what t_0 and t_2 lose, t_1 gains.
        let t2 = |l: &[Scalar], r: &[Scalar]| -> Scalar {
            l.iter().zip(r).zip(powers(y)).map(|((l, r), power)| l * r * power).sum()
        };
        let t0_lost: Scalar = vote
            .ranges
            .iter()
            .zip(&other.ranges)
            .zip(powers(z))
            .map(|((from, to), power)| z * z * power * (Scalar::from(*from) - Scalar::from(*to)))
            .sum();
        let t2_lost = t2(&tape.masks_l, &tape.masks_r) - t2(&masks_l, &masks_r);
        let t1_lost = -(t0_lost + x * x * t2_lost) * per_x;
        Tape {
            blindings: moved(&tape.blindings, &options),
            coefficients: coefficients.collect(),
            slack: moved(&tape.slack, &slack),
            a_blinding: tape.a_blinding + lost,
            s_blinding: tape.s_blinding - lost * per_x,
            masks_l,
            masks_r,
            t1_blinding: tape.t1_blinding + t1_lost * per_blinding,
            t2_blinding: tape.t2_blinding + t2_lost * per_blinding,
        }
    }
}

fn powers(base: Scalar) -> impl Iterator<Item = Scalar> {
    core::iter::successors(Some(Scalar::ONE), move |power| Some(power * base))
}

fn differences(from: &[u32], to: &[u32]) -> Vec<Scalar> {
    from.iter().zip(to).map(|(from, to)| Scalar::from(*from) - Scalar::from(*to)).collect()
}

/// The coefficients of Π (1 − X/i): 1 at 0, and 0 at all of these places.
fn vanishing(places: &[u8]) -> Vec<Scalar> {
    places.iter().fold(vec![Scalar::ONE], |product, place| {
        let factor = -Scalar::from(*place).invert();
        let shifted = core::iter::once(Scalar::ZERO).chain(product.iter().map(|c| c * factor));
        product.iter().copied().chain([Scalar::ZERO]).zip(shifted).map(|(c, shifted)| c + shifted).collect()
    })
}

/// The ballot of this vote and this randomness, all of which it uses.
fn build(fixture: &Fixture, voter: usize, sequence: u32, vote: &Vote, tape: &Tape) -> Built<Replay> {
    let paper = fixture.paper(voter, sequence);
    let (election, generators) = (&fixture.election, &fixture.generators);
    let built = build_from(election, generators, &paper, &Choices(vote.clone()), tape.replay()).unwrap();
    assert!(built.randomness.is_used_up());
    built
}

#[test]
fn a_trapdoor_closes() {
    let real = crate::group::pedersen().B_blinding;
    let opened: RistrettoPoint = {
        let _trapdoor = Trapdoor::open(Scalar::from(5u8));
        crate::group::pedersen().B_blinding
    };
    assert_eq!(opened, B * Scalar::from(5u8));
    assert_eq!(crate::group::pedersen().B_blinding, real);
    assert_ne!(real, opened);
}

#[test]
fn every_other_vote_explains_a_ballot_as_well() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let one = |options: usize, rule: Rule, votes: [&[u32]; 3]| {
        (vec![contest(options, rule)], votes.map(|vote| vec![vote.to_vec()]))
    };
    let cases = [
        // The last option is computed.
        one(3, Rule::plurality(), [&[1, 0, 0], &[0, 1, 0], &[0, 0, 1]]),
        one(2, Rule::plurality_or_none(), [&[0, 0], &[1, 0], &[0, 1]]),
        one(1, Rule::approval(1), [&[0], &[1], &[0]]),
        // Slack bits, which depend on the vote.
        one(6, Rule::choose(1, 5), [&[1, 0, 0, 0, 0, 0], &[1, 1, 1, 1, 0, 1], &[0, 0, 1, 1, 0, 0]]),
        // Wider ranges; a range of sums.
        one(2, Rule::score(9, 2), [&[9, 9], &[0, 0], &[4, 7]]),
        one(3, Rule { max_each: 3, min_sum: 2, max_sum: 5 }, [&[3, 2, 0], &[0, 0, 2], &[1, 1, 1]]),
        (
            vec![contest(3, Rule::plurality()), contest(2, Rule::cumulative(5))],
            [
                vec![vec![1, 0, 0], vec![5, 0]],
                vec![vec![0, 1, 0], vec![1, 1]],
                vec![vec![0, 0, 1], vec![0, 0]],
            ],
        ),
    ];
    for (contests, votes) in cases {
        let params = params(contests);
        let world = World::of(&params, &mut rng);
        let fixture = world.fixture(&params);
        for (from, corrupted) in [[1, 2], [2, 5], [3, 4]].into_iter().enumerate() {
            let (vote, tape) = (&votes[from], world.tape(&mut rng));
            let real = build(&fixture, 0, 1, vote, &tape);
            assert!(real.ballot.verify(&fixture.election, &fixture.generators).is_ok());
            for other in votes.iter().filter(|other| *other != vote) {
                let explained = world.equivocate(&real.ballot, &tape, [vote, other], &corrupted);
                let same = build(&fixture, 0, 1, other, &explained);
                assert!(same.ballot.encode() == real.ballot.encode());
                assert!(same.dealing.encode() == real.dealing.encode());
                for (trustee, (same, real)) in (1..).zip(same.shares.iter().zip(&real.shares)) {
                    assert_eq!(same == real, corrupted.contains(&trustee), "share {trustee}");
                }
                let back = world.equivocate(&real.ballot, &explained, [other, vote], &corrupted);
                assert!(back == tape, "the mapping is one to one");
            }
        }
    }
}
