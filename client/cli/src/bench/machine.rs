//! The machine that figures are of: without it they say nothing.

use serde::Serialize;
use std::{fmt, fs};

/// A machine.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Machine {
    /// The processor, as the system names it.
    pub processor: String,
    /// Cores that this program may use.
    pub cores: usize,
    /// Memory in bytes, where the system tells.
    pub memory: Option<u64>,
    /// This software's version.
    pub version: &'static str,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        let line = |file: &str, name: &str| {
            let text = fs::read_to_string(file).ok()?;
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let kilobytes =
            line("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok());
        Self {
            processor: line("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.into()),
            cores: cores(),
            memory: kilobytes.map(|kilobytes: u64| kilobytes.saturating_mul(1_024)),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// Cores that this program may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} cores", self.processor, self.cores)?;
        if let Some(memory) = self.memory {
            write!(f, ", {:.1} GiB", memory as f64 / f64::from(1u32 << 30))?;
        }
        write!(f, "), psephos {}", self.version)
    }
}
