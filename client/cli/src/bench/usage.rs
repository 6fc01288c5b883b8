//! What processes use: time on the cores, and memory.

use serde::Serialize;
use std::fs;

/// What a process has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Usage {
    /// Seconds on any core, in user and kernel mode.
    pub cpu_seconds: f64,
    /// Bytes of memory now.
    pub rss: u64,
    /// Bytes of memory when it was most.
    pub peak_rss: u64,
}

/// What a process uses; none if it does not run, or the system does not tell.
#[must_use]
pub fn of(pid: i32) -> Option<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    Some(Usage {
        cpu_seconds: ticks(&stat)? as f64 / rustix::param::clock_ticks_per_second() as f64,
        rss: kilobytes(&status, "VmRSS:")?,
        peak_rss: kilobytes(&status, "VmHWM:")?,
    })
}

/// Clock ticks in user and kernel mode, fields 14 and 15.
fn ticks(stat: &str) -> Option<u64> {
    // The second field is the program's name in parentheses, which may hold anything; field 3 follows.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, kernel): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    user.checked_add(kernel)
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1_024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn names_of_programs_do_not_confuse() {
        let stat = "42 (a) R 1 (x) S 1 2 3 4 5 6 7 8 9 10 700 50 0 0 20";
        assert_eq!(ticks(stat), Some(750));
        assert_eq!(kilobytes("VmHWM:\t  12 kB\nVmRSS:\t 5 kB\n", "VmRSS:"), Some(5 * 1_024));
    }

    #[test]
    fn this_process_uses_time_and_memory() {
        let own = i32::try_from(std::process::id()).unwrap();
        let before = of(own).unwrap();
        let begun = std::time::Instant::now();
        while begun.elapsed().as_millis() < 100 {
            std::hint::black_box(begun);
        }
        let after = of(own).unwrap();
        assert!(after.cpu_seconds > before.cpu_seconds);
        assert!(after.peak_rss >= after.rss && after.rss > 0);
        assert_eq!(of(i32::MAX), None);
    }
}
