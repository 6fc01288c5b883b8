//! The native side, with the generators of every shape kept: deriving them costs as much as a proof.

use codec::DecodeAll;
use psephos_protocol::{
    ballot::{
        range::{Generators, Shape},
        Ballot,
    },
    bounds::{MAX_BALLOT_BYTES, MAX_RANGE_BITS},
    contest::Contest,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// By width and number of statements. There are some forty shapes within [`MAX_RANGE_BITS`].
static GENERATORS: Mutex<BTreeMap<(u8, usize), Arc<Generators>>> = Mutex::new(BTreeMap::new());

fn generators(shape: Shape) -> Arc<Generators> {
    let key = (shape.width, shape.statements);
    // A thread that panicked has left the map as it was.
    let known = GENERATORS.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    known.unwrap_or_else(|| {
        let made = Arc::new(Generators::new(shape));
        GENERATORS.lock().unwrap_or_else(PoisonError::into_inner).insert(key, made.clone());
        made
    })
}

pub fn verify(mut ballot: &[u8], mut contests: &[u8]) -> bool {
    if ballot.len() > MAX_BALLOT_BYTES {
        return false;
    }
    let Ok(ballot) = Ballot::decode_all(&mut ballot) else { return false };
    let Ok(contests) = Vec::<Contest>::decode_all(&mut contests) else { return false };
    let contests: Vec<&Contest> = contests.iter().collect();
    let shape = Shape::of(&contests);
    shape.bits() <= MAX_RANGE_BITS as usize && ballot.verify_proof(&contests, &generators(shape)).is_ok()
}

#[cfg(test)]
mod tests {
    use crate::ballot_proofs::verify;
    use codec::Encode;
    use psephos_protocol::testing::{Fixture, Params};

    #[test]
    fn the_verdict_is_that_of_the_protocol() {
        let mut fixture = Fixture::new(&Params::default());
        let contests = fixture.election.manifest.contests.encode();
        let good = fixture.cast(0, 1, &[vec![0, 1, 0]]).cast.signed.ballot;
        assert!(verify(&good.encode(), &contests));
        let mut changed = good.clone();
        changed.statement.sequence += 1;
        assert!(!verify(&changed.encode(), &contests), "the proof absorbs the whole statement");
        assert!(!verify(&good.encode()[1..], &contests));
        assert!(!verify(&good.encode(), &contests[1..]));
        assert!(!verify(&vec![0; 1 << 20], &contests));
        assert!(!verify(&good.encode(), &Vec::<u8>::new().encode()));
    }
}
