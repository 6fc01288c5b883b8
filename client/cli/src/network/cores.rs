//! Which cores of this machine a process may use.

use crate::error::CliError;

/// Runs something on one core of those that this program may use, the one in this place, counted around. Processes that
/// it starts stay there, with all their threads.
///
/// # Errors
/// [`CliError::Refused`] with what the system says, and where it can't be done.
#[cfg(target_os = "linux")]
pub fn on_one<T>(place: usize, run: impl FnOnce() -> T) -> Result<T, CliError> {
    use rustix::thread::{sched_getaffinity, sched_setaffinity, CpuSet};

    let refused = |error| CliError::Refused(format!("choosing a core: {error}"));
    let all = sched_getaffinity(None).map_err(refused)?;
    let cores = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
    let mut one = CpuSet::new();
    cores.cycle().nth(place).into_iter().for_each(|core| one.set(core));
    sched_setaffinity(None, &one).map_err(refused)?;
    let out = run();
    sched_setaffinity(None, &all).map_err(refused)?;
    Ok(out)
}

/// Says that it can't be done here.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn on_one<T>(_: usize, _: impl FnOnce() -> T) -> Result<T, CliError> {
    Err(CliError::Refused("--one-core-each: only Linux lets a program choose its cores".into()))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::thread::{sched_getaffinity, CpuSet};

    fn cores(set: &CpuSet) -> Vec<usize> {
        (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect()
    }

    #[test]
    fn what_is_started_has_one_core_and_this_thread_all_again() {
        let before = cores(&sched_getaffinity(None).unwrap());
        for place in 0..before.len() + 2 {
            let started = on_one(place, || std::process::Command::new("sleep").arg("60").spawn().unwrap());
            let mut started = started.unwrap();
            let its = sched_getaffinity(rustix::process::Pid::from_raw(started.id() as i32)).unwrap();
            started.kill().unwrap();
            started.wait().unwrap();
            assert_eq!(cores(&its), [before[place % before.len()]]);
            assert_eq!(cores(&sched_getaffinity(None).unwrap()), before);
        }
    }
}
