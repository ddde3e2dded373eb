//! Lines over time: in the terminal with block characters, and as SVG.

use std::fmt::Write as _;

/// A line, and where a limit lies.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    pub(super) points: &'a [f64],
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) limit: Option<f64>,
    /// What stands below the first and below the last point.
    pub(super) from: &'a str,
    pub(super) to: &'a str,
}

const WIDTH: usize = 64;
const HEIGHT: usize = 8;
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

impl Plot<'_> {
    /// At most so many points, of which each is the last, or for peaks the highest, of its share.
    pub(super) fn thinned(points: &[f64], most: usize, peaks: bool) -> Vec<f64> {
        let share = points.len().div_ceil(most.max(1)).max(1);
        let of = |chunk: &[f64]| {
            if peaks {
                chunk.iter().copied().fold(f64::MIN, f64::max)
            } else {
                chunk.last().copied().unwrap_or_default()
            }
        };
        points.chunks(share).map(of).collect()
    }

    /// Where a value lies between low and high, 0 to 1.
    fn share(&self, value: f64) -> f64 {
        let range = (self.high - self.low).max(f64::MIN_POSITIVE);
        ((value - self.low) / range).clamp(0.0, 1.0)
    }

    /// Lines of text: the title, the plot, and the axis.
    pub(super) fn terminal(&self) -> Vec<String> {
        let points = Self::thinned(self.points, WIDTH, self.limit.is_some());
        let eighths = |value: f64| (self.share(value) * (HEIGHT * 8) as f64).round() as usize;
        let limit = self.limit.map(|limit| eighths(limit) / 8);
        let mut lines = vec![self.title.to_owned()];
        for row in (0..HEIGHT).rev() {
            let label = match row {
                _ if row == HEIGHT - 1 => format!("{:>8.2}", self.high),
                0 => format!("{:>8.2}", self.low),
                _ if limit == Some(row) => format!("{:>8.2}", self.limit.unwrap_or_default()),
                _ => " ".repeat(8),
            };
            let mut line = format!("{label} ┤");
            for point in &points {
                let filled = eighths(*point).saturating_sub(row * 8).min(8);
                let empty = if limit == Some(row) { '┄' } else { ' ' };
                let full = EIGHTHS.get(filled).copied().unwrap_or('█');
                line.push(if filled == 0 { empty } else { full });
            }
            lines.push(line.trim_end().to_owned());
        }
        let width = points.len().max(self.from.len() + self.to.len() + 1);
        let gap = width - self.from.len() - self.to.len();
        lines.push(format!("{} └{}", " ".repeat(8), "─".repeat(points.len())));
        lines.push(format!(
            "{}  {}{}{}",
            " ".repeat(8),
            self.from,
            " ".repeat(gap),
            self.to
        ));
        lines
    }
}

/// Plots below each other, as one SVG document.
pub(super) fn svg(plots: &[Plot<'_>]) -> String {
    const W: f64 = 640.0;
    const H: f64 = 120.0;
    const STEP: f64 = 190.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 {:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        STEP * plots.len() as f64 + 20.0
    );
    for (at, plot) in plots.iter().enumerate() {
        let top = 30.0 + STEP * at as f64;
        let y = |value: f64| top + H * (1.0 - plot.share(value));
        let points = Plot::thinned(plot.points, 1_000, plot.limit.is_some());
        let last = points.len().saturating_sub(1).max(1) as f64;
        let _ = writeln!(
            out,
            "<text x=\"50\" y=\"{:.1}\" font-weight=\"bold\">{}</text>",
            top - 10.0,
            escaped(plot.title)
        );
        let _ = writeln!(
            out,
            "<path d=\"M50 {top:.1}V{:.1}H690\" fill=\"none\" stroke=\"#888\"/>",
            top + H
        );
        for value in [plot.low, plot.high] {
            let _ = writeln!(
                out,
                "<text x=\"44\" y=\"{:.1}\" text-anchor=\"end\">{value:.2}</text>",
                y(value) + 4.0
            );
        }
        if let Some(limit) = plot.limit {
            let _ = writeln!(
                out,
                "<path d=\"M50 {0:.1}H690\" stroke=\"#c33\" stroke-dasharray=\"4 3\"/><text x=\"692\" y=\"{0:.1}\" fill=\"#c33\">{limit:.1}</text>",
                y(limit)
            );
        }
        let line: Vec<_> = points
            .iter()
            .enumerate()
            .map(|(at, value)| format!("{:.1},{:.1}", 50.0 + W * at as f64 / last, y(*value)))
            .collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"#247\" stroke-width=\"1.5\"/>",
            line.join(" ")
        );
        let _ = writeln!(
            out,
            "<text x=\"50\" y=\"{0:.1}\">{1}</text><text x=\"690\" y=\"{0:.1}\" text-anchor=\"end\">{2}</text>",
            top + H + 16.0,
            escaped(plot.from),
            escaped(plot.to)
        );
    }
    out.push_str("</svg>\n");
    out
}

fn escaped(text: &str) -> String {
    crate::audit::export::Untrusted::new(text).markup()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_shows_low_and_high_and_where_the_limit_lies() {
        let points: Vec<f64> = (0..200).map(|at| f64::from(at) / 200.0).collect();
        let plot = Plot {
            title: "a <line>",
            points: &points,
            low: 0.0,
            high: 1.0,
            limit: Some(0.5),
            from: "then",
            to: "now",
        };
        let lines = plot.terminal();
        assert_eq!(lines.len(), HEIGHT + 3);
        assert!(lines[1].ends_with('█') || lines[1].ends_with('▇'), "{lines:#?}");
        assert!(lines[4].contains("0.50") && lines[4].contains('┄'), "{lines:#?}");
        let svg = svg(&[plot]);
        assert!(
            svg.contains("a &#60;line&#62;") && svg.contains("stroke-dasharray"),
            "{svg}"
        );
        let empty = Plot {
            title: "",
            points: &[],
            low: 1.0,
            high: 1.0,
            limit: None,
            from: "",
            to: "",
        };
        assert_eq!(empty.terminal().len(), HEIGHT + 3);
    }
}
