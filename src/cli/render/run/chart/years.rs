//! Rows per year in production and in the new table.

use super::{Anchor, Canvas, Drawn, Figure, Ink, SMALL, Said, Scale, axis, figure, text_width};
use crate::error::Result;
use crate::validate::Change;
use plotters::coord::types::RangedCoordf64;

const HEIGHT: f64 = 200.0;
const LEGEND: f64 = 24.0;
const LEFT: f64 = 52.0;

/// Bars for the new rows, a line above each for the old ones.
pub(in crate::cli::render::run) fn years(by_year: &[Change]) -> Result<Option<Figure>> {
    let known: Vec<_> = by_year.iter().filter_map(|c| Some((c.year?, c))).collect();
    let (Some((first, _)), Some((last, _))) = (known.first(), known.last()) else {
        return Ok(None);
    };
    let highest = known.iter().map(|(_, c)| c.production.max(c.checked)).max().unwrap_or(0);
    let differing = known.iter().filter(|(_, c)| c.production != c.checked).count();
    let said = Said {
        id: "years",
        number: 0,
        title: "Rows per year, before and after".into(),
        description: format!(
            "{} years from {first} to {last}; {differing} of them have a different number of \
             rows than before.",
            known.len()
        ),
        caption: "Filled bars: the new rows. Horizontal lines: production's rows before.".into(),
    };
    let draw = |canvas: &Canvas<'_>| -> Drawn {
        let bottom = LEGEND + HEIGHT;
        let right = canvas.width - 8.0;
        let span = f64::from(last - first + 1);
        let x: Scale<RangedCoordf64> =
            Scale::new(f64::from(*first)..f64::from(*first) + span, LEFT, right);
        let y: Scale<RangedCoordf64> =
            Scale::new(0.0..highest.max(1) as f64 * 1.05, bottom, LEGEND);
        for (value, label) in axis::counts(highest as f64, 5) {
            let at = y.at(value);
            canvas.line(&[(LEFT, at), (right, at)], Ink::Line, 1)?;
            canvas.text(&label, (LEFT - 6.0, at), Anchor::End, (Ink::Muted, SMALL))?;
        }
        let mut free_from = LEFT;
        for (year, change) in &known {
            let (from, to) = (x.at(f64::from(*year)), x.at(f64::from(*year) + 1.0));
            let gap = if to - from > 6.0 { 2.0 } else { 1.0 };
            let (new, old) = (y.at(change.checked as f64), y.at(change.production as f64));
            canvas.rect((from + gap / 2.0, new), (to - from - gap, bottom - new), Ink::New, 0.8)?;
            canvas.line(&[(from, old), (to, old)], Ink::Text, 2)?;
            let label = year.to_string();
            let (middle, half) = ((from + to) / 2.0, text_width(&label, SMALL) / 2.0);
            if middle - half >= free_from && middle + half <= canvas.width {
                let at = (middle, bottom + 12.0);
                canvas.text(&label, at, Anchor::Middle, (Ink::Muted, SMALL))?;
                free_from = middle + half + 14.0;
            }
        }
        canvas.text("rows", (LEFT - 6.0, 9.0), Anchor::End, (Ink::Muted, SMALL))?;
        canvas.rect((LEFT, 4.0), (10.0, 10.0), Ink::New, 0.8)?;
        canvas.text("new", (LEFT + 15.0, 9.0), Anchor::Start, (Ink::Muted, SMALL))?;
        canvas.line(&[(LEFT + 52.0, 9.0), (LEFT + 66.0, 9.0)], Ink::Text, 2)?;
        canvas.text("before", (LEFT + 71.0, 9.0), Anchor::Start, (Ink::Muted, SMALL))
    };
    figure(said, |_| LEGEND + HEIGHT + 24.0, draw).map(Some)
}
