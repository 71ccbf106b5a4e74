//! Latencies of queries on production and staging.

use super::{
    Anchor, Canvas, Drawn, Figure, Ink, SMALL, Said, Scale, TEXT, axis, figure, fitting, text_width,
};
use crate::bench::{Latency, QueryReport};
use crate::cli::render::run::show;
use crate::error::Result;
use plotters::coord::combinators::{IntoLogRange, LogCoord};

/// Vertical distance between the two lines of a query.
const BETWEEN: f64 = 14.0;
const LEGEND: f64 = 26.0;
/// How to read the wait.
const WAIT: &str = " The last line is how long the lock of the switchover made readers wait, once.";

/// Two lines for each query, from p50 to p99; and how long readers waited for the switchover, if
/// it is known.
pub(in crate::cli::render::run) fn latency(
    number: usize,
    queries: &[QueryReport],
    locked_ms: Option<f64>,
) -> Result<Option<Figure>> {
    let sides = queries.iter().flat_map(|q| q.production.iter().chain([&q.staging]));
    let bounds = sides.filter(|side| side.count > 0).flat_map(|side| [side.p50_ms, side.p99_ms]);
    let bounds: Vec<f64> = bounds.chain(locked_ms).map(|ms| ms.max(0.001)).collect();
    let (Some(least), Some(most)) =
        (bounds.iter().copied().reduce(f64::min), bounds.iter().copied().reduce(f64::max))
    else {
        return Ok(None);
    };
    let said = Said {
        id: "latency",
        number,
        title: "Query latencies, production and staging".into(),
        description: format!(
            "Medians and percentiles of {} queries, from {} to {}. The table below has the figures.",
            queries.len(),
            show::ms(least),
            show::ms(most)
        ),
        caption: "From the median (circle) through p95 (short tick) to p99 (long tick), on a \
                  logarithmic scale. Open circles: production. Filled circles: the new table."
            .to_owned()
            + if locked_ms.is_some() { WAIT } else { "" },
    };
    let rows = queries.len() as f64 + f64::from(u8::from(locked_ms.is_some()));
    let row = |narrow: bool| if narrow { 56.0 } else { 42.0 };
    let height = |narrow: bool| LEGEND + row(narrow) * rows + 28.0;
    let draw = |canvas: &Canvas<'_>| -> Drawn {
        let narrow = canvas.is_narrow();
        let left = if narrow { 6.0 } else { 260.0 };
        let (low, high) = (least * 0.8, most * 1.25);
        let range = (low..high).log_scale();
        let scale: Scale<LogCoord<f64>> = Scale::new(range, left, canvas.width - 12.0);
        let bottom = LEGEND + row(narrow) * rows;
        canvas.scale_x(&scale, (LEGEND - 4.0, bottom), &axis::latencies(low, high))?;
        for (at, filled, name) in [(0.0, false, "production"), (110.0, true, "new table")] {
            let ink = if filled { Ink::New } else { Ink::Old };
            canvas.dot((left + at + 6.0, 9.0), 4, ink, filled)?;
            canvas.text(name, (left + at + 16.0, 9.0), Anchor::Start, (Ink::Muted, SMALL))?;
        }
        for (at, query) in queries.iter().enumerate() {
            let top = LEGEND + at as f64 * row(narrow);
            let (name_y, line_y) =
                if narrow { (top + 10.0, top + 26.0) } else { (top + 19.0, top + 12.0) };
            let room = if narrow { canvas.width } else { left - 16.0 };
            let name = fitting(&query.name, room, TEXT);
            canvas.text(&name, (0.0, name_y), Anchor::Start, (Ink::Text, TEXT))?;
            if let Some(production) = &query.production {
                draw_side(canvas, &scale, production, (line_y, Ink::Old, false))?;
            }
            draw_side(canvas, &scale, &query.staging, (line_y + BETWEEN, Ink::New, true))?;
        }
        let Some(locked) = locked_ms else { return Ok(()) };
        let top = LEGEND + queries.len() as f64 * row(narrow);
        let (name_y, y) = if narrow { (top + 10.0, top + 31.0) } else { (top + 19.0, top + 19.0) };
        canvas.text(
            "waiting for the switchover",
            (0.0, name_y),
            Anchor::Start,
            (Ink::Text, TEXT),
        )?;
        let x = scale.at(locked.max(0.001));
        canvas.dot((x, y), 5, Ink::Warn, true)?;
        let told = show::ms(locked);
        match x + 10.0 + text_width(&told, SMALL) <= canvas.width {
            true => canvas.text(&told, (x + 10.0, y), Anchor::Start, (Ink::Muted, SMALL)),
            false => canvas.text(&told, (x - 10.0, y), Anchor::End, (Ink::Muted, SMALL)),
        }
    };
    figure(said, height, draw).map(Some)
}

fn draw_side(
    canvas: &Canvas<'_>,
    scale: &Scale<LogCoord<f64>>,
    latency: &Latency,
    (y, ink, filled): (f64, Ink, bool),
) -> Drawn {
    if latency.count == 0 {
        return Ok(());
    }
    let [p50, p95, p99] =
        [latency.p50_ms, latency.p95_ms, latency.p99_ms].map(|ms| scale.at(ms.max(0.001)));
    canvas.line(&[(p50 + 5.0, y), (p99.max(p50 + 5.0), y)], ink, 2)?;
    canvas.line(&[(p95, y - 3.0), (p95, y + 3.0)], ink, 2)?;
    canvas.line(&[(p99, y - 6.0), (p99, y + 6.0)], ink, 2)?;
    canvas.dot((p50, y), 4, ink, filled)
}
