//! The records of a load by outcome.

use super::{Anchor, Canvas, Drawn, Figure, Ink, SMALL, Said, TEXT, figure};
use crate::cli::render::run::show;
use crate::error::Result;
use crate::load::account::Account;

/// Height of all records together; a band thinner than a line is drawn as one.
const BAND: f64 = 130.0;
const LINE: f64 = 2.0;
/// Height of an outcome with its label.
const ROW: f64 = 40.0;
const NODE: f64 = 10.0;

/// A band from the records read to each outcome.
pub(in crate::cli::render::run) fn flow(
    number: usize,
    account: &Account,
) -> Result<Option<Figure>> {
    let places = [
        ("loaded", account.rows_loaded, Ink::New),
        ("filtered: of other years", account.rows_filtered, Ink::Muted),
        ("unmapped: without a species", account.rows_unmapped, Ink::Warn),
        ("rejected", account.rows_rejected, Ink::Bad),
    ];
    let told: Vec<_> =
        places.iter().map(|(name, rows, _)| format!("{} {name}", show::count(*rows))).collect();
    let said = Said {
        id: "flow",
        number,
        title: "Where the records went".into(),
        description: format!(
            "Of {} records read: {}.",
            show::count(account.rows_read),
            told.join(", ")
        ),
        caption: "Every record read has exactly one of the four outcomes. Bands are as thick as \
                  their share, but never thinner than a line."
            .into(),
    };
    // The thickest band, and the labels of the others.
    let height = 24.0 + BAND + ROW * (places.len() - 1) as f64;
    let draw = |canvas: &Canvas<'_>| -> Drawn {
        let read = account.rows_read.max(1) as f64;
        let right = if canvas.is_narrow() { canvas.width * 0.36 } else { canvas.width * 0.58 };
        canvas.rect((0.0, 24.0), (NODE, BAND), Ink::Old, 1.0)?;
        let label = format!("{} read", show::count(account.rows_read));
        canvas.text(&label, (0.0, 10.0), Anchor::Start, (Ink::Text, TEXT))?;
        let (mut from, mut to) = (24.0, 24.0);
        for (name, rows, ink) in places {
            let thick = rows as f64 / read * BAND;
            let drawn = if rows > 0 { thick.max(LINE) } else { 0.0 };
            if rows > 0 {
                let band = band((NODE, from), (right, to), drawn);
                canvas.polygon(&band, ink, 0.35)?;
                canvas.rect((right, to), (NODE, drawn), ink, 1.0)?;
            }
            // The figure goes above the name: there is not always room for one line.
            let (x, middle) = (right + NODE + 10.0, (to + drawn / 2.0).max(to + 15.0));
            let share = format!("{} ({})", show::count(rows), show::percent(rows as f64 / read));
            let (upper, lower) = (middle - 8.0, middle + 8.0);
            canvas.text(&share, (x, upper), Anchor::Start, (Ink::Text, TEXT))?;
            canvas.text(name, (x, lower), Anchor::Start, (Ink::Muted, SMALL))?;
            from += thick;
            to = (to + drawn + 12.0).max(middle + 24.0);
        }
        Ok(())
    };
    figure(said, |_| height, draw).map(Some)
}

/// A band whose ends are horizontal.
fn band((x0, y0): (f64, f64), (x1, y1): (f64, f64), thick: f64) -> Vec<(f64, f64)> {
    const POINTS: u32 = 24;
    let edge = |shift: f64| {
        (0..=POINTS).map(move |at| {
            let along = f64::from(at) / f64::from(POINTS);
            let ease = along * along * (3.0 - 2.0 * along);
            (x0 + (x1 - x0) * along, y0 + (y1 - y0) * ease + shift)
        })
    };
    let lower: Vec<_> = edge(thick).collect();
    edge(0.0).chain(lower.into_iter().rev()).collect()
}
