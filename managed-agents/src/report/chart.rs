//! Charts as SVG that stands in a page: no script, no font, nothing from elsewhere. Colours are the page's own variables, so that
//! they follow its light and dark.

use std::fmt::Write as _;

use super::figures::{OverTime, moment};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 26.0;

/// One colour of a chart.
pub(super) struct Series {
    pub(super) name: &'static str,
    /// The class of its shapes; a colour in the page.
    pub(super) class: &'static str,
    pub(super) values: Vec<u64>,
}

/// Bars that stand on each other, one for each part of the period.
pub(super) fn bars(title: &str, time: &OverTime, series: &[Series]) -> String {
    let parts = time.buckets().len();
    let sum = |part: usize| -> u64 { series.iter().filter_map(|one| one.values.get(part)).sum() };
    let top = round_up((0..parts).map(sum).max().unwrap_or(0).max(1));
    let mut svg = begin(title, time, &describe(series), top, &|value| value.to_string());
    let step = (WIDTH - LEFT - RIGHT) / parts.max(1) as f64;
    let width = (step * 0.82).min(46.0);
    for part in 0..parts {
        let mut base = HEIGHT - BOTTOM;
        let x = LEFT + step * part as f64 + (step - width) / 2.0;
        for one in series {
            let value = one.values.get(part).copied().unwrap_or(0);
            if value == 0 {
                continue;
            }
            let height = (HEIGHT - TOP - BOTTOM) * value as f64 / top as f64;
            base -= height;
            let _ = write!(
                svg,
                r#"<rect class="{}" x="{x:.1}" y="{base:.1}" width="{width:.1}" height="{height:.1}"><title>{}: {value} {}</title></rect>"#,
                one.class,
                label(time, part),
                one.name,
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

/// Lines of shares in millionths; where a part has none, the line has a gap.
pub(super) fn lines(title: &str, time: &OverTime, lines: &[(&'static str, &'static str, Vec<Option<u64>>)]) -> String {
    const TOP_VALUE: u64 = 1_000_000;
    let names: Vec<_> = lines.iter().map(|(name, ..)| *name).collect();
    let mut svg = begin(title, time, &names.join(", "), TOP_VALUE, &|value| {
        format!("{:.1}", value as f64 / 1e6)
    });
    let parts = time.buckets().len();
    let step = (WIDTH - LEFT - RIGHT) / parts.max(1) as f64;
    for (name, class, values) in lines {
        let mut path = String::new();
        let mut pen = 'M';
        for (part, value) in values.iter().enumerate() {
            let Some(value) = value else {
                pen = 'M';
                continue;
            };
            let x = LEFT + step * (part as f64 + 0.5);
            let y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (*value).min(TOP_VALUE) as f64 / TOP_VALUE as f64;
            let _ = write!(path, "{pen}{x:.1} {y:.1}");
            pen = 'L';
            let _ = write!(
                svg,
                r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="2.5"><title>{}: {name} {:.3}</title></circle>"#,
                label(time, part),
                *value as f64 / 1e6,
            );
        }
        let _ = write!(svg, r#"<path class="line {class}" d="{path}"/>"#);
    }
    svg.push_str("</svg>");
    svg
}

/// The frame: what the chart shows for those who do not see it, lines, numbers, times.
fn begin(title: &str, time: &OverTime, what: &str, top: u64, number: &dyn Fn(u64) -> String) -> String {
    let mut svg = format!(
        r#"<svg role="img" viewBox="0 0 {WIDTH} {HEIGHT}" aria-label="{title}: {what}. The table below has the numbers.">"#
    );
    for share in [0, 1, 2] {
        let value = top * share / 2;
        if share == 1 && top % 2 == 1 && top < 10 {
            continue;
        }
        let y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share as f64 / 2.0;
        let _ = write!(
            svg,
            r#"<line class="rule" x1="{LEFT}" x2="{}" y1="{y:.1}" y2="{y:.1}"/><text class="end" x="{}" y="{:.1}">{}</text>"#,
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0,
            number(value),
        );
    }
    let parts = time.buckets().len();
    let step = (WIDTH - LEFT - RIGHT) / parts.max(1) as f64;
    let every = parts.div_ceil(7).max(1);
    for part in (0..parts).step_by(every) {
        let _ = write!(
            svg,
            r#"<text class="mid" x="{:.1}" y="{}">{}</text>"#,
            (LEFT + step * (part as f64 + 0.5)).clamp(LEFT + 24.0, WIDTH - RIGHT - 24.0),
            HEIGHT - 8.0,
            short_label(time, part),
        );
    }
    svg
}

fn describe(series: &[Series]) -> String {
    let sums = series
        .iter()
        .map(|one| format!("{} {}", one.values.iter().sum::<u64>(), one.name));
    sums.collect::<Vec<_>>().join(", ")
}

/// When a part begins.
pub(super) fn label(time: &OverTime, part: usize) -> String {
    let begins = time.buckets().get(part).map_or(0, |bucket| bucket.begins);
    let text = moment(begins);
    let end = if time.width_seconds() < 86_400 { 16 } else { 10 };
    text.get(..end).unwrap_or_default().replace('T', " ")
}

/// The same in little room: hours without their day, days without their year.
fn short_label(time: &OverTime, part: usize) -> String {
    let label = label(time, part);
    let begin = if time.width_seconds() < 86_400 { 11 } else { 5 };
    if time.width_seconds() > 30 * 86_400 {
        return label;
    }
    label.get(begin..).unwrap_or_default().to_owned()
}

/// The next number that looks round: 1, 2, 4, 5, 10, 20, 40, 50, 100, …
fn round_up(value: u64) -> u64 {
    let mut ten = 1_u64;
    loop {
        for times in [1, 2, 4, 5, 10] {
            let round = ten.saturating_mul(times);
            if round >= value || round == u64::MAX {
                return round;
            }
        }
        ten = ten.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers_that_hold_every_bar() {
        for (value, round) in [
            (1, 1),
            (2, 2),
            (3, 4),
            (6, 10),
            (11, 20),
            (101, 200),
            (450, 500),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(round_up(value), round, "{value}");
        }
    }
}
