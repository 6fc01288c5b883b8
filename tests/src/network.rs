//! A network of this machine, made and run by the `psephos` command.

use anyhow::{ensure, Context, Result};
use psephos_client::{
    chain::Chain,
    endpoints::TrusteeEndpoints,
    keystore::{KeyFile, KeyRole, PassphraseSource},
};
use std::{
    env, fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A program of this project, beside this one.
pub fn program(name: &str) -> Result<PathBuf> {
    let own = env::current_exe().context("this program's own path")?;
    let folders = own.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    found.with_context(|| {
        format!(
            "{name} is not beside {}: build it with `cargo build --release --workspace --bins`",
            own.display()
        )
    })
}

/// Runs a program to its end; an error shows what it said.
pub fn run(name: &str, arguments: &[&str]) -> Result<Output> {
    let output = Command::new(program(name)?).args(arguments).output().with_context(|| name.to_owned())?;
    ensure!(
        output.status.success(),
        "`{name} {}` failed ({}):\n{}{}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    Ok(output)
}

/// Ports of a network, from its first.
const PORTS: u16 = 56;

/// The first of as many free ports in a row as a network needs.
pub fn free_ports() -> Result<u16> {
    let free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    (20_000..32_000)
        .step_by(usize::from(PORTS))
        .find(|first| (*first..first + PORTS).all(free))
        .context("no 56 free ports in a row between 20000 and 32000: give --base-port")
}

/// How many processes a network has.
#[derive(Clone, Copy)]
pub struct Size {
    /// Validators.
    pub validators: u8,
    /// Trustees.
    pub trustees: u8,
    /// The first of its ports.
    pub base_port: u16,
    /// Whether elections need a rehearsal.
    pub rehearsal: bool,
}

/// A running network. It is stopped when this is dropped, unless it was kept.
pub struct Network {
    dir: PathBuf,
    keep: bool,
    nodes: Vec<String>,
}

impl Network {
    /// Makes a network in a folder that does not exist yet, starts it, and waits until blocks are final.
    pub fn start(dir: &Path, size: Size) -> Result<Self> {
        let (validators, trustees) = (size.validators.to_string(), size.trustees.to_string());
        let port = size.base_port.to_string();
        let mut arguments = vec!["--json", "network", "new", path(dir)?, "--dev-keys"];
        arguments.extend(["--validators", &validators, "--trustees", &trustees, "--base-port", &port]);
        if !size.rehearsal {
            arguments.push("--no-rehearsal");
        }
        let made = run("psephos", &arguments)?;
        let made: serde_json::Value =
            serde_json::from_slice(&made.stdout).context("what `network new` says")?;
        let nodes = made["nodes"].as_array().context("nodes")?;
        let nodes = nodes.iter().filter_map(|node| node.as_str().map(str::to_owned)).collect();
        let network = Self { dir: dir.to_path_buf(), keep: false, nodes };
        run("psephos", &["network", "up", path(dir)?, "--wait"])?;
        Ok(network)
    }

    /// The network's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The nodes' addresses.
    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// Connects to all nodes.
    pub async fn connect(&self) -> Result<Chain> {
        Ok(Chain::connect(&self.nodes).await?)
    }

    /// Two of the board's members have the network's trustees rehearse: what the command says, line by line.
    pub fn rehearse(&self) -> Result<Vec<String>> {
        let file = |name: &str| self.dir.join(name);
        let (manifest, nodes) = (file("manifest.toml"), self.nodes.join(","));
        let keys = [1, 2].map(|index| file("keys").join(format!("{}-{index}.key", KeyRole::Board)));
        let mut arguments = vec!["--node", &nodes, "board", "rehearse", path(&manifest)?];
        for key in &keys {
            arguments.extend(["--key", path(key)?]);
        }
        let output = run("psephos", &arguments)?;
        let said = [output.stderr, output.stdout].concat();
        Ok(String::from_utf8_lossy(&said).lines().map(str::to_owned).collect())
    }

    /// The trustees' addresses.
    pub fn endpoints(&self) -> Result<TrusteeEndpoints> {
        Ok(TrusteeEndpoints::load(&self.dir.join("trustees.txt"))?)
    }

    /// A key of a role, counted from 1.
    pub fn key(&self, role: KeyRole, index: u8) -> Result<KeyFile> {
        let path = self.dir.join("keys").join(format!("{role}-{index}.key"));
        Ok(KeyFile::load(&path, role, &PassphraseSource::Ask)?)
    }

    /// The pid of a process that was started.
    pub fn pid(&self, name: &str) -> Result<i32> {
        let file = self.dir.join("run").join(format!("{name}.json"));
        let text = fs::read(&file).with_context(|| file.display().to_string())?;
        let started: serde_json::Value = serde_json::from_slice(&text)?;
        started["pid"].as_i64().and_then(|pid| pid.try_into().ok()).context("its pid")
    }

    /// Kills a process, as a crash would.
    pub fn kill(&self, name: &str) -> Result<()> {
        run("psephos", &["network", "kill", path(&self.dir)?, name]).map(|_| ())
    }

    /// Starts a process again.
    pub fn restart(&self, name: &str) -> Result<()> {
        run("psephos", &["network", "start", path(&self.dir)?, name]).map(|_| ())
    }

    /// Leaves the network running.
    pub fn keep(&mut self) {
        self.keep = true;
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        if let Err(error) = path(&self.dir).and_then(|dir| run("psephos", &["network", "down", dir])) {
            eprintln!("the network in {} may still run: {error:#}", self.dir.display());
        }
    }
}

/// A path as an argument.
pub fn path(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{}: is not UTF-8", path.display()))
}
