//! Processes that this program started, by a file each that outlives it.
//!
//! The file has the pid with the process's start time and the machine's boot, so that another process
//! that was given the same pid later is never taken for ours, and never killed.

use rustix::process::{kill_process, Pid, Signal};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use super::config::log;
use crate::error::CliError;

/// How often a process that should end is looked at.
const POLL: Duration = Duration::from_millis(100);

/// A process as its file names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    pid: i32,
    /// When it started, in the system's own terms.
    started: String,
}

fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join("run").join(format!("{name}.json"))
}

/// The pid of a process of the network, if it runs.
#[must_use]
pub fn running(folder: &Path, name: &str) -> Option<i32> {
    let recorded: Recorded = serde_json::from_str(&fs::read_to_string(file(folder, name)).ok()?).ok()?;
    (started(recorded.pid)? == recorded.started).then_some(recorded.pid)
}

/// Starts a process in the background, its output appended to its log.
///
/// # Errors
/// What the system says.
pub fn start(folder: &Path, name: &str, mut command: Command) -> Result<i32, CliError> {
    let (log, file) = (log(folder, name), file(folder, name));
    for path in [&log, &file] {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| CliError::file(parent, error))?;
        }
    }
    let out = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log)
        .map_err(|error| CliError::file(&log, error))?;
    let err = out.try_clone().map_err(|error| CliError::file(&log, error))?;
    // A process group of its own, so that Ctrl-C at this program's terminal does not reach it.
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .process_group(0)
        .spawn()
        .map_err(|error| CliError::file(Path::new(command.get_program()), error))?;
    let pid = i32::try_from(child.id()).map_err(CliError::input)?;
    let recorded = started(pid)
        .map(|started| Recorded { pid, started })
        .and_then(|recorded| serde_json::to_string(&recorded).ok())
        .ok_or_else(|| CliError::Refused(format!("{name} ended at once; {}", last_words(folder, name))));
    let written =
        recorded.and_then(|text| fs::write(&file, text).map_err(|error| CliError::file(&file, error)));
    if let Err(error) = written {
        // What can't be found again must not stay behind.
        drop(child.kill().and_then(|()| child.wait()));
        return Err(error);
    }
    Ok(pid)
}

/// Ends processes: asks them all, waits, and kills those that stay. Gives back those it had to kill.
///
/// # Errors
/// What the system says.
pub fn stop(folder: &Path, names: &[&str], patience: Duration) -> Result<Vec<String>, CliError> {
    for name in names {
        signal(folder, name, Signal::TERM)?;
    }
    let end = Instant::now() + patience;
    while names.iter().any(|name| running(folder, name).is_some()) && Instant::now() < end {
        sleep(POLL);
    }
    let mut killed = Vec::new();
    for name in names {
        if kill(folder, name)? {
            killed.push((*name).to_owned());
        }
    }
    Ok(killed)
}

/// Kills a process at once, as a crash would; says whether it ran.
///
/// # Errors
/// What the system says.
pub fn kill(folder: &Path, name: &str) -> Result<bool, CliError> {
    let ran = signal(folder, name, Signal::KILL)?;
    while running(folder, name).is_some() {
        sleep(POLL);
    }
    let file = file(folder, name);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(CliError::file(&file, error)),
        _ => Ok(ran),
    }
}

fn signal(folder: &Path, name: &str, signal: Signal) -> Result<bool, CliError> {
    let Some(pid) = running(folder, name).and_then(Pid::from_raw) else { return Ok(false) };
    match kill_process(pid, signal) {
        Err(error) if error != rustix::io::Errno::SRCH => Err(CliError::Refused(format!("{name}: {error}"))),
        _ => Ok(true),
    }
}

/// The end of a process's log, for people.
#[must_use]
pub fn last_words(folder: &Path, name: &str) -> String {
    let path = log(folder, name);
    let text = fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    let last: Vec<&str> = lines.into_iter().rev().collect();
    format!("its log {} ends:\n{}", path.display(), last.join("\n"))
}

/// When a process started: the machine's boot and clock ticks since then. None if it does not run.
#[cfg(target_os = "linux")]
fn started(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may hold anything; the state follows.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    // `starttime` is field 22; 3 was the state.
    let ticks = fields.nth(18)?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(format!("{}:{ticks}", boot.trim()))
}

/// When a process started, as `ps` says it. None if it does not run.
#[cfg(not(target_os = "linux"))]
fn started(pid: i32) -> Option<String> {
    let output = Command::new("ps").args(["-o", "stat=,lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (state, start) = text.trim().split_once(char::is_whitespace)?;
    (!state.starts_with('Z')).then(|| start.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Command {
        let mut command = Command::new("sleep");
        command.arg("60");
        command
    }

    #[test]
    fn a_process_is_found_stopped_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let pid = start(folder.path(), "one", sleeper()).unwrap();
        assert_eq!(running(folder.path(), "one"), Some(pid));
        assert_eq!(stop(folder.path(), &["one"], Duration::from_secs(10)).unwrap(), Vec::<String>::new());
        assert_eq!(running(folder.path(), "one"), None);
        assert!(!kill(folder.path(), "one").unwrap());
    }

    #[test]
    fn who_ignores_sigterm_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"]);
        start(folder.path(), "deaf", command).unwrap();
        while !fs::read_to_string(log(folder.path(), "deaf")).unwrap().contains("ready") {
            sleep(POLL);
        }
        assert_eq!(stop(folder.path(), &["deaf"], Duration::from_millis(300)).unwrap(), ["deaf"]);
    }

    #[test]
    fn another_process_with_the_same_pid_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut stranger = sleeper().spawn().unwrap();
        let pid = stranger.id() as i32;
        fs::create_dir(folder.path().join("run")).unwrap();
        let recorded = Recorded { pid, started: "another boot:1".into() };
        fs::write(file(folder.path(), "one"), serde_json::to_string(&recorded).unwrap()).unwrap();
        assert_eq!(running(folder.path(), "one"), None);
        assert!(!kill(folder.path(), "one").unwrap());
        assert!(stranger.try_wait().unwrap().is_none(), "the stranger was killed");
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }

    #[test]
    fn a_program_that_ends_at_once_is_told_by_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such chain >&2; exit 1"]);
        // Whether it is caught at the start or a moment later depends on the scheduler.
        drop(start(folder.path(), "bad", command));
        while running(folder.path(), "bad").is_some() {
            sleep(POLL);
        }
        assert!(last_words(folder.path(), "bad").contains("no such chain"));
    }
}
