//! Bars and columns in SVG, which printers print where they leave backgrounds out. What they show is in text beside
//! them.

use maud::{html, Markup};

use super::{length, number, time};
use crate::report::BallotTimes;

/// A bar of `part` in `whole`.
pub(super) fn bar(part: u64, whole: u64) -> Markup {
    // In hundredths of a percent: a product of u64 and a small number fits u128.
    let share =
        u128::from(part.min(whole)).saturating_mul(10_000).checked_div(u128::from(whole)).unwrap_or(0);
    let width = format!("{}.{:02}%", share.saturating_div(100), share.wrapping_rem(100));
    html! {
        svg.bar aria-hidden="true" width="100%" height="12" {
            rect.track width="100%" height="100%" rx="2" {}
            rect.fill width=(width) height="100%" rx="2" {}
        }
    }
}

/// Ballots per period, as columns, and as a table for those who ask.
pub(super) fn columns(times: &BallotTimes) -> Markup {
    let most = times.ballots.iter().copied().max().unwrap_or(0).max(1);
    let start = |place: usize| time(times.start.saturating_add(times.length.saturating_mul(place as u64)));
    let (count, all) =
        (times.ballots.len(), times.ballots.iter().fold(0u64, |sum, one| sum.saturating_add(*one)));
    let per = length(times.length);
    let busiest = times.ballots.iter().position(|one| *one == most).unwrap_or(0);
    let text = format!(
        "{} accepted ballots from {} to {}; most, {}, in the {per} from {}",
        number(all),
        start(0),
        start(count),
        number(most),
        start(busiest)
    );
    html! {
        figure {
            figcaption { "Accepted ballots per " (per) ", those that were replaced later among them" }
            div.plot {
                div.scale aria-hidden="true" { span { (number(most)) } span { "0" } }
                svg.columns role="img" aria-label=(text) viewBox=(format!("0 0 {} 1000", count.saturating_mul(10)))
                    preserveAspectRatio="none" {
                    rect.track width="100%" height="100%" {}
                    @for (place, ballots) in times.ballots.iter().enumerate() {
                        @let height = u128::from(*ballots).saturating_mul(1_000).checked_div(u128::from(most)).unwrap_or(0);
                        @if *ballots > 0 {
                            rect.fill x=(place.saturating_mul(10).saturating_add(1)) width="8"
                                y=(1_000u128.saturating_sub(height.max(8))) height=(height.max(8)) {}
                        }
                    }
                }
                div.ends aria-hidden="true" { span { (start(0)) } span { (start(count)) } }
            }
            details {
                summary { "The numbers" }
                table {
                    thead { tr { th scope="col" { "From" } th.number scope="col" { "Ballots" } } }
                    tbody {
                        @for (place, ballots) in times.ballots.iter().enumerate() {
                            @if *ballots > 0 {
                                tr { th scope="row" { (start(place)) } td.number { (number(*ballots)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
