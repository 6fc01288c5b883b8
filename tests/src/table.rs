//! What is shown at the end: totals with bars, the plain count beside them.

/// Characters of the longest bar.
const BAR: usize = 30;

/// A contest's totals beside the plain count; gives the lines and whether they are equal.
pub fn contest(
    title: &str,
    options: &[String],
    totals: &[u64],
    plain: &[u64],
    ballots: u64,
) -> (String, bool) {
    let width = options.iter().map(|option| option.chars().count()).max().unwrap_or(0).max(6);
    let most = totals.iter().copied().max().unwrap_or(0).max(1);
    let mut out = format!("\n{title} ({ballots} ballots)\n");
    out += &format!("  {:width$}  {:>8}  {:>8}  {:>6}\n", "", "tally", "plain", "share");
    let mut equal = totals.len() == options.len() && plain.len() == options.len();
    for ((option, total), plain) in options.iter().zip(totals).zip(plain) {
        let filled = (*total as usize * BAR).div_ceil(most as usize);
        let share = 100.0 * *total as f64 / ballots.max(1) as f64;
        let mark = if total == plain { "" } else { "  DIFFERENT" };
        equal &= total == plain;
        let padding = " ".repeat(width - option.chars().count());
        out += &format!(
            "  {option}{padding}  {total:>8}  {plain:>8}  {share:>5.1}%  {}{mark}\n",
            "█".repeat(filled)
        );
    }
    (out, equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_seen() {
        let options = ["Ada".to_owned(), "Grace".to_owned()];
        let (text, equal) = contest("Q", &options, &[3, 1], &[3, 1], 4);
        assert!(equal && text.contains("75.0%"), "{text}");
        let (text, equal) = contest("Q", &options, &[3, 1], &[2, 2], 4);
        assert!(!equal && text.contains("DIFFERENT"), "{text}");
        assert!(!contest("Q", &options, &[3], &[3], 4).1, "an option is missing");
    }
}
