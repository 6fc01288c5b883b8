//! libFuzzer on one target: `PSEPHOS_TARGET=cast-ballot`, without which it lists the targets. `scripts/fuzz` runs it.
//!
//! It writes the target's valid inputs to the folder `PSEPHOS_VALID`, to be given to libFuzzer as a corpus.
#![no_main]

use std::{env, fs, path::Path, process, sync::OnceLock};

use libfuzzer_sys::fuzz_target;
use psephos_fuzz::{targets, Target};

static TARGET: OnceLock<Target> = OnceLock::new();

fn chosen() -> Target {
    let mut all = targets();
    let name = env::var("PSEPHOS_TARGET").ok();
    let Some(place) = all.iter().position(|target| Some(target.name) == name.as_deref()) else {
        all.iter().for_each(|target| println!("{}", target.name));
        process::exit(i32::from(name.is_some()));
    };
    let target = all.swap_remove(place);
    if let Some(folder) = env::var_os("PSEPHOS_VALID") {
        for (place, bytes) in target.corpus.iter().enumerate() {
            fs::write(Path::new(&folder).join(format!("valid-{place}")), bytes).expect("the folder is there");
        }
    }
    target
}

fuzz_target!(
    init: {
        TARGET.get_or_init(chosen);
    },
    |bytes: &[u8]| {
        if let Err(defect) = TARGET.get_or_init(chosen).run(bytes, true) {
            panic!("{defect}");
        }
    }
);
