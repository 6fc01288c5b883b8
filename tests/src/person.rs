//! One person at their own device: the `psephos` command as a process, cut off by SIGKILL and run again.

use anyhow::{ensure, Context, Result};
use serde_json::Value;
use std::{
    fs::{self, File},
    future::Future,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::{Child, Command};

use crate::network::{program, Network};

/// Somebody with a folder of their own.
pub struct Person {
    dir: PathBuf,
    nodes: String,
}

impl Person {
    /// Somebody whose folder is made here.
    pub fn new(dir: PathBuf, network: &Network) -> Result<Self> {
        fs::create_dir_all(&dir)?;
        Ok(Self { dir, nodes: network.nodes().join(",") })
    }

    /// A file in their folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Runs a command to its end: what it printed.
    pub async fn run(&self, arguments: &[&str]) -> Result<Value> {
        let mut child = self.spawn(arguments)?;
        let status = child.wait().await?;
        let errors = fs::read_to_string(self.file("stderr"))?;
        ensure!(status.success(), "`psephos {}` failed ({status}): {errors}", arguments.join(" "));
        self.said().context("it printed no JSON")
    }

    /// Runs a command and kills it once `point` is reached: what it had printed by then.
    pub async fn cut_off(
        &self,
        arguments: &[&str],
        point: impl Future<Output = Result<()>>,
    ) -> Result<Option<Value>> {
        let mut child = self.spawn(arguments)?;
        tokio::select! {
            reached = point => reached?,
            ended = child.wait() => {
                ensure!(ended?.success(), "`psephos {}`: {}", arguments.join(" "), fs::read_to_string(self.file("stderr"))?);
            }
        }
        child.start_kill()?;
        child.wait().await?;
        Ok(self.said())
    }

    fn spawn(&self, arguments: &[&str]) -> Result<Child> {
        let mut command = Command::new(program("psephos")?);
        command
            .arg("--json")
            .args(arguments)
            .current_dir(&self.dir)
            .env("PSEPHOS_NODE", &self.nodes)
            .stdin(Stdio::null())
            .stdout(File::create(self.file("stdout"))?)
            .stderr(File::create(self.file("stderr"))?)
            .kill_on_drop(true);
        Ok(command.spawn()?)
    }

    /// What the last command printed, if all of it is there.
    fn said(&self) -> Option<Value> {
        serde_json::from_slice(&fs::read(self.file("stdout")).ok()?).ok()
    }
}

/// Whether a folder holds a file that is being written and has no name yet.
pub fn holds_unfinished(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(".tmp"))
}
