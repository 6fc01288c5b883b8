//! The report as a page: one file of HTML, which needs no script and nothing from elsewhere.
//!
//! Names in a record are whatever its board wrote. They pass through [`clean`] and the template's escaping; the page
//! forbids itself scripts and loading besides.

mod chart;
mod report;

use jiff::Timestamp;
use maud::{html, Markup, PreEscaped, DOCTYPE};

pub use report::report;

use crate::text::clean;

const STYLE: &str = include_str!("html/style.css");

/// A page in the style of the report. The title is escaped.
#[must_use]
pub fn page(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (clean(title)) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    page.into_string()
}

/// A name from a record, whose direction does not touch the text around it.
#[must_use]
pub fn name(name: &str) -> Markup {
    html! { bdi { (clean(name)) } }
}

/// A number in groups of three digits.
#[must_use]
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    String::from_utf8_lossy(&groups.join(&b',')).into_owned()
}

/// A part of a whole in percent, to one place; a dash where there is no whole.
fn percent(part: u64, whole: u64) -> String {
    match u128::from(part)
        .saturating_mul(2_000)
        .saturating_add(u128::from(whole))
        .checked_div(u128::from(whole).saturating_mul(2))
    {
        Some(mille) => format!("{}.{} %", mille.saturating_div(10), mille.wrapping_rem(10)),
        None => String::from("–"),
    }
}

/// A time in ms since the Unix epoch, in UTC.
fn time(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map_or_else(|| format!("{ms} ms"), |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// A length of time in ms.
fn length(ms: u64) -> String {
    let units = [(86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second")];
    let whole = |(unit, name): (u64, &'static str)| {
        let count = ms.checked_div(unit)?;
        (count.saturating_mul(unit) == ms && count > 0).then_some((count, name))
    };
    match units.into_iter().find_map(whole) {
        Some((1, name)) => name.to_owned(),
        Some((count, name)) => format!("{} {name}s", number(count)),
        None => format!("{ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 7, 999, 1_000, 1_234_567].map(number), ["0", "7", "999", "1,000", "1,234,567"]);
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(2, 3), "66.7 %");
        assert_eq!(percent(1, 1), "100.0 %");
        assert_eq!(percent(u64::MAX, u64::MAX), "100.0 %");
        assert_eq!(percent(0, 0), "–");
        assert_eq!(time(1_700_000_000_000), "2023-11-14 22:13:20 UTC");
        assert_eq!(time(u64::MAX), "18446744073709551615 ms");
        assert_eq!([60_000, 900_000, 345_600_000, 1].map(length), ["minute", "15 minutes", "4 days", "1 ms"]);
    }
}
