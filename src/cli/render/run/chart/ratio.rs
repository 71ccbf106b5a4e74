//! Ratios of query durations on staging to those on production.

use super::{Anchor, Canvas, Drawn, Figure, Ink, SMALL, Said, Scale, TEXT, figure, fitting};
use crate::bench::BenchReport;
use crate::error::Result;
use plotters::coord::types::RangedCoordf64;

const TOP: f64 = 26.0;

/// A point with its interval for each query.
pub(in crate::cli::render::run) fn ratio(
    number: usize,
    bench: &BenchReport,
) -> Result<Option<Figure>> {
    let known: Vec<_> = bench
        .queries
        .iter()
        .filter_map(|q| Some((q, q.ratio?, q.ratio_low?, q.ratio_high?)))
        .collect();
    let low = known.iter().map(|(_, _, low, _)| *low).fold(1.0, f64::min);
    let high = known.iter().map(|(_, _, _, high)| *high).fold(bench.max_regression, f64::max);
    if known.is_empty() {
        return Ok(None);
    }
    let slower = known.iter().filter(|(query, ..)| query.regressed).count();
    let said = Said {
        id: "ratio",
        number,
        title: "Duration relative to production".into(),
        description: format!(
            "Ratios of {} queries with their 99 % confidence intervals, from {low:.2} to \
             {high:.2}; {slower} are certainly slower than the limit of {:.2}.",
            known.len(),
            bench.max_regression
        ),
        caption: "Duration on the new table divided by that on production: the median of all \
                  rounds, with its 99 % confidence interval. Left of 1: faster."
            .into(),
    };
    let row = |narrow: bool| if narrow { 42.0 } else { 26.0 };
    let height = |narrow: bool| TOP + row(narrow) * known.len() as f64 + 28.0;
    let draw = |canvas: &Canvas<'_>| -> Drawn {
        let narrow = canvas.is_narrow();
        let left = if narrow { 8.0 } else { 260.0 };
        let (from, to) = ((low - 0.05).max(0.0), high + 0.05);
        let scale: Scale<RangedCoordf64> = Scale::new(from..to, left, canvas.width - 12.0);
        let bottom = TOP + row(narrow) * known.len() as f64;
        let ticks = scale.ticks(canvas.most_ticks()).into_iter();
        let ticks: Vec<_> = ticks.map(|value| (value, format!("{value:.2}"))).collect();
        canvas.scale_x(&scale, (TOP - 4.0, bottom), &ticks)?;
        let marks = [
            (1.0, Ink::Text, "the same", Anchor::End),
            (bench.max_regression, Ink::Bad, "limit", Anchor::Start),
        ];
        for (value, ink, ..) in marks {
            let x = scale.at(value);
            canvas.line(&[(x, TOP - 16.0), (x, bottom)], ink, 1)?;
        }
        for (value, ink, name, anchor) in marks {
            let x = scale.at(value);
            let beside = if matches!(anchor, Anchor::End) { x - 5.0 } else { x + 5.0 };
            canvas.text(name, (beside, 9.0), anchor, (ink, SMALL))?;
        }
        for (at, (query, ratio, low, high)) in known.iter().enumerate() {
            let top = TOP + at as f64 * row(narrow);
            let (name_y, y) =
                if narrow { (top + 10.0, top + 27.0) } else { (top + 13.0, top + 13.0) };
            let room = if narrow { canvas.width } else { left - 16.0 };
            let sign = if query.regressed { "× " } else { "" };
            let name = fitting(&format!("{sign}{}", query.name), room, TEXT);
            canvas.text(&name, (0.0, name_y), Anchor::Start, (Ink::Text, TEXT))?;
            let ink = if query.regressed { Ink::Bad } else { Ink::New };
            let (low, high) = (scale.at(*low), scale.at(*high));
            canvas.line(&[(low, y), (high, y)], ink, 2)?;
            for end in [low, high] {
                canvas.line(&[(end, y - 4.0), (end, y + 4.0)], ink, 2)?;
            }
            canvas.dot((scale.at(*ratio), y), 4, ink, true)?;
        }
        Ok(())
    };
    figure(said, height, draw).map(Some)
}
