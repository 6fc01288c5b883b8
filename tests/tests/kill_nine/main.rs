//! Kill -9 of any one process, at any point of an election, loses no ballot that was shown as recorded.
//!
//! One network, two elections. In one of them people act through the `psephos` command, in the other through
//! the client library. At each point a process is killed with SIGKILL and started again, or its command run
//! again:
//!
//! | point | validator | trustee | client |
//! |---|---|---|---|
//! | registration | ✓ | ✓ | voter's, registrar's, board member's |
//! | receipts given, ballot not on the chain | ✓ | ✓ | voter's |
//! | ballot on the chain, not final | ✓ | ✓ | voter's |
//! | ballot just final | ✓ | ✓ | voter's |
//! | closing and summing | ✓ | ✓ | board member's |
//! | agreement on the set | ✓ | ✓ | |
//! | between agreement and contribution | ✓ | ✓ | whoever finalizes |
//! | tallied and certified | ✓ | ✓ | board member's |
//! | export of the record | ✓ | ✓ | auditor's |
//!
//! What is shown as recorded must be proved at once by a node at a finalized header, after every crash by
//! every node, and at the end be in a record that verifies and whose totals are the plain count. A trustee
//! gives the very same receipt after a crash. Nothing is proved by a pause: every wait is for a condition.

mod cast;
mod roll;
mod scene;
mod tally;

use anyhow::{ensure, Result};
use psephos_tests::network::{self, Network, Size};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use std::path::Path;

use scene::{Kind, Point, Scene};

/// Draws the votes, and whose turn it is to be killed.
const SEED: u64 = 9;

#[tokio::test(flavor = "multi_thread")]
async fn whole_elections_lose_no_recorded_ballot_to_kill_nine() {
    let folder = tempfile::tempdir().unwrap();
    if let Err(error) = matrix(folder.path()).await {
        panic!("{error:#}\nlogs and data are in {}", folder.keep().display());
    }
}

async fn matrix(dir: &Path) -> Result<()> {
    let size = Size { validators: 4, trustees: 4, base_port: network::free_ports()?, rehearsal: false };
    let network = Network::start(&dir.join("network"), size)?;
    let mut draw = ChaCha20Rng::seed_from_u64(SEED);
    let mut scene = Scene::of(&network, dir, &mut draw).await?;
    let (mut commands, mut library) = roll::create(&mut scene, size).await?;

    roll::register(&scene, &mut commands, Kind::Validator, &mut draw).await?;
    roll::register(&scene, &mut library, Kind::Trustee, &mut draw).await?;
    roll::freeze(&scene, &commands, &library).await?;
    for point in Point::CASTING {
        cast::through_a_crash(&scene, &mut commands, point, Kind::Validator).await?;
        cast::through_a_crash(&scene, &mut library, point, Kind::Trustee).await?;
        cast::cut_off(&scene, &mut commands, point).await?;
    }
    tally::finish(&scene, &commands, [Kind::Trustee, Kind::Validator]).await?;
    tally::finish(&scene, &library, [Kind::Validator, Kind::Trustee]).await?;

    ensure!(scene.every_process_was_killed(), "some process was never killed: {scene}");
    println!("{scene}\nEQUAL: {} ballots shown as recorded, none lost", scene.shown.count().await);
    Ok(())
}
