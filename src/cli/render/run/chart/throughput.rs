//! Rows per second during a load, stacked by connection.

use super::{Anchor, Canvas, Drawn, Figure, Ink, SMALL, Said, Scale, axis, figure, text_width};
use crate::cli::render::run::show;
use crate::error::Result;
use crate::history::Throughput;
use plotters::coord::types::RangedCoordf64;

const HEIGHT: f64 = 220.0;
const LEGEND: f64 = 24.0;
const LEFT: f64 = 52.0;

/// An area for each connection.
pub(in crate::cli::render::run) fn throughput(
    number: usize,
    of: &Throughput,
) -> Result<Option<Figure>> {
    let stretches = of.connections.first().map_or(0, |writer| writer.rows_per_second.len());
    let total = |at: usize| of.connections.iter().map(|w| w.rows_per_second[at]).sum::<f64>();
    let highest = (0..stretches).map(total).fold(0.0, f64::max);
    let rows: i64 = of.connections.iter().map(|writer| writer.rows).sum();
    let said = Said {
        id: "throughput",
        number,
        title: "Rows per second during the load, by connection".into(),
        description: format!(
            "{} in {} by {}; at most {} rows per second.",
            show::counted(rows, "row"),
            show::seconds(of.seconds),
            show::counted(of.connections.len(), "connection"),
            show::count(highest as i64)
        ),
        caption: "Rows per second, the connections that write stacked by number. A batch is spread over the time \
                  until its connection began the next one."
            .into(),
    };
    let draw = |canvas: &Canvas<'_>| -> Drawn {
        let x: Scale<RangedCoordf64> = Scale::new(0.0..of.seconds, LEFT, canvas.width - 8.0);
        let bottom = LEGEND + HEIGHT;
        let y: Scale<RangedCoordf64> = Scale::new(0.0..highest * 1.05, bottom, LEGEND);
        let ticks = axis::times(of.seconds, canvas.most_ticks());
        canvas.scale_x(&x, (bottom, bottom + 4.0), &ticks)?;
        for (value, label) in axis::counts(highest, 5) {
            let at = y.at(value);
            canvas.line(&[(LEFT, at), (canvas.width - 8.0, at)], Ink::Line, 1)?;
            canvas.text(&label, (LEFT - 6.0, at), Anchor::End, (Ink::Muted, SMALL))?;
        }
        let mut below = vec![0.0; stretches];
        let mut legend_x = LEFT;
        for (number, writer) in of.connections.iter().enumerate() {
            let above: Vec<f64> =
                below.iter().zip(&writer.rows_per_second).map(|(below, own)| below + own).collect();
            let (upper, lower) = (steps(&x, &y, &above, of), steps(&x, &y, &below, of));
            let outline: Vec<_> =
                upper.iter().copied().chain(lower.iter().rev().copied()).collect();
            canvas.polygon(&outline, Ink::Series(number), 0.55)?;
            canvas.line(&upper, Ink::Series(number), 1)?;
            let label = match number {
                0 => "writer 1".to_owned(),
                _ => (number + 1).to_string(),
            };
            canvas.rect((legend_x, 4.0), (10.0, 10.0), Ink::Series(number), 0.75)?;
            canvas.text(&label, (legend_x + 14.0, 9.0), Anchor::Start, (Ink::Muted, SMALL))?;
            legend_x += 24.0 + text_width(&label, SMALL);
            below = above;
        }
        canvas.text("rows/s", (LEFT - 6.0, 9.0), Anchor::End, (Ink::Muted, SMALL))
    };
    figure(said, |_| LEGEND + HEIGHT + 24.0, draw).map(Some)
}

/// The outline of the rates as steps, one per time interval.
fn steps(
    x: &Scale<RangedCoordf64>,
    y: &Scale<RangedCoordf64>,
    rates: &[f64],
    of: &Throughput,
) -> Vec<(f64, f64)> {
    let edges = rates.iter().enumerate().flat_map(|(at, rate)| {
        let from = at as f64 * of.stretch_seconds;
        [(x.at(from), y.at(*rate)), (x.at(from + of.stretch_seconds), y.at(*rate))]
    });
    edges.collect()
}
