//! What people and scripts read: tables, bars and JSON on stdout; progress on stderr.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use crate::error::CliError;

/// Characters of the longest bar.
const BAR: usize = 32;

/// Where results and progress go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Whether a script reads: JSON on stdout, no progress.
    pub json: bool,
}

impl Output {
    /// Prints a result: as JSON for a script, otherwise as text.
    ///
    /// # Errors
    /// When stdout can't be written; a reader that went away is none.
    pub fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), CliError> {
        let text = match self.json {
            true => serde_json::to_string_pretty(value).map_err(CliError::input)?,
            false => text(),
        };
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{}", text.trim_end()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(CliError::Refused(format!("stdout: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Tells a person something that is not the result.
    pub fn note(&self, text: &str) {
        if !self.json {
            eprintln!("{text}");
        }
    }

    /// Warns, whoever reads.
    pub fn warn(&self, text: &str) {
        eprintln!("warning: {text}");
    }

    /// A line that shows that something is going on.
    #[must_use]
    pub fn spinner(&self, message: impl Into<String>) -> ProgressBar {
        let bar = self.progress(None, "{spinner} {msg} ({elapsed})");
        bar.enable_steady_tick(Duration::from_millis(100));
        bar.set_message(message.into());
        bar
    }

    /// A bar for something of known length.
    #[must_use]
    pub fn bar(&self, length: u64, message: impl Into<String>) -> ProgressBar {
        let bar = self.progress(Some(length), "{msg} [{bar:32}] {pos}/{len} ({eta} left)");
        bar.set_message(message.into());
        bar
    }

    /// A bar for a file of that many bytes.
    #[must_use]
    pub fn bytes(&self, length: u64, message: impl Into<String>) -> ProgressBar {
        let bar = self.progress(Some(length), "{msg} [{bar:32}] {bytes}/{total_bytes} ({eta} left)");
        bar.set_message(message.into());
        bar
    }

    fn progress(&self, length: Option<u64>, template: &str) -> ProgressBar {
        let visible = !self.json && io::stderr().is_terminal();
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(length, target);
        // The templates are those above; a wrong one would only look plain.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        }
        bar
    }
}

/// A table: columns as wide as their widest cell, two spaces between, no lines.
#[must_use]
pub fn table<'a>(head: impl AsRef<[&'a str]>, rows: &[impl AsRef<[String]>]) -> String {
    let head = head.as_ref();
    let mut widths: Vec<usize> = head.iter().map(|cell| width(cell)).collect();
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row.as_ref()) {
            *widest = (*widest).max(width(cell));
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, widest)| format!("{cell}{}", " ".repeat(widest.saturating_sub(width(cell)))))
            .collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut out = line(&mut head.iter().copied());
    rows.iter().for_each(|row| out.push_str(&line(&mut row.as_ref().iter().map(String::as_str))));
    out
}

/// Names with their values, one per line.
#[must_use]
pub fn fields(rows: &[(&str, String)]) -> String {
    let widest = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    rows.iter()
        .map(|(name, value)| format!("{name}{}  {value}\n", " ".repeat(widest.saturating_sub(width(name)))))
        .collect()
}

/// A bar for `value` of `most`, with eighths of a character.
#[must_use]
pub fn bar(value: u64, most: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if most == 0 {
        return String::new();
    }
    let eighths = (u128::from(value.min(most)) * BAR as u128 * 8 / u128::from(most)) as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS.get(eighths % 8).unwrap_or(&""))
}

/// `part` of `whole` in percent, with one decimal; a dash when there is no whole.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".into();
    }
    // Rounded half up, in tenths of a percent.
    let tenths = (u128::from(part) * 2_000 + u128::from(whole)) / (2 * u128::from(whole));
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Characters, which is what terminals align for the scripts that names here are written in.
fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_by_characters_not_bytes() {
        let rows = [["Zoë".to_string(), "1".into()], ["Bo".into(), "22".into()]];
        assert_eq!(table(["name", "n"], &rows), "name  n\nZoë   1\nBo    22\n");
    }

    #[test]
    fn bars_are_proportional_and_never_overflow() {
        assert_eq!(bar(0, 7), "");
        assert_eq!(bar(7, 7).chars().count(), BAR);
        assert_eq!(bar(u64::MAX, 1).chars().count(), BAR);
        assert_eq!(bar(1, 2), "█".repeat(BAR / 2));
        assert_eq!(bar(1, u64::MAX), "");
        assert_eq!(bar(3, 0), "");
    }

    #[test]
    fn percents_round_half_up() {
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(2, 3), "66.7 %");
        assert_eq!(percent(1, 1), "100.0 %");
        assert_eq!(percent(5, 0), "–");
        assert_eq!(percent(u64::MAX, u64::MAX), "100.0 %");
    }
}
