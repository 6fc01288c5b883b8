//! Points in time as people write them, in ms since the Unix epoch as the protocol has them.

use jiff::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// How a time may be written.
const FORMS: &str =
    "write `now`, a time from now such as +30m or +1d12h, or RFC 3339 with its offset such as \
                     2026-05-31T18:00:00+02:00";

/// The time now, in ms since the Unix epoch.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Reads `now`, `+1h30m` (d, h, m, s; from `now`) or RFC 3339.
///
/// # Errors
/// What is wrong, and the forms.
pub fn parse(text: &str, now: u64) -> Result<u64, String> {
    if text == "now" {
        return Ok(now);
    }
    if let Some(span) = text.strip_prefix('+') {
        let span = span_ms(span).ok_or_else(|| format!("{text:?} is no time from now: {FORMS}"))?;
        return now.checked_add(span).ok_or_else(|| format!("{text:?} is too far away"));
    }
    let time: Timestamp = text.parse().map_err(|_| format!("{text:?} is no time: {FORMS}"))?;
    u64::try_from(time.as_millisecond()).map_err(|_| format!("{text:?} is before 1970"))
}

fn span_ms(mut text: &str) -> Option<u64> {
    let mut total = 0u64;
    loop {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, rest) = text.split_at(digits);
        let unit = match rest.chars().next()? {
            'd' => 86_400_000,
            'h' => 3_600_000,
            'm' => 60_000,
            's' => 1_000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        text = rest.get(1..)?;
        if text.is_empty() {
            return Some(total);
        }
    }
}

/// A time as RFC 3339 in UTC, to the second.
#[must_use]
pub fn show(ms: u64) -> String {
    let seconds = i64::try_from(ms / 1_000).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    seconds.map_or_else(|| format!("{ms} ms after 1970"), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        assert_eq!(parse("now", 5), Ok(5));
        assert_eq!(parse("+30m", 5), Ok(1_800_005));
        assert_eq!(parse("+1d12h", 0), Ok(129_600_000));
        assert_eq!(parse("1970-01-01T02:00:01+02:00", 9), Ok(1_000));
        assert_eq!(parse(&show(1_780_000_000_000), 0), Ok(1_780_000_000_000));
    }

    #[test]
    fn anything_else_is_refused_with_the_forms() {
        for text in [
            "",
            "+",
            "+5",
            "+m",
            "+5y",
            "+5m3",
            "tomorrow",
            "2026-05-31",
            "2026-05-31T18:00:00",
            "1969-01-01T00:00:00Z",
        ] {
            assert!(parse(text, 0).is_err(), "{text}");
        }
        assert!(parse("+99999999999999999999d", 0).is_err());
        assert!(parse("+300000000000d", u64::MAX / 2).is_err());
    }
}
