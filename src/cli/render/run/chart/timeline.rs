//! The steps of a run over time.

use super::{
    Anchor, Canvas, Drawn, Figure, Ink, SMALL, Said, Scale, TEXT, axis, figure, fitting, text_width,
};
use crate::cli::render::run::show;
use crate::error::Result;
use crate::history::Attempt;
use crate::migrate::StepState;
use plotters::coord::types::RangedCoordf64;

const BAR: f64 = 14.0;

/// A line for each attempt at a step.
pub(in crate::cli::render::run) fn timeline(attempts: &[Attempt]) -> Result<Option<Figure>> {
    let Some(end) = attempts.iter().map(|a| a.began_seconds + a.seconds).reduce(f64::max) else {
        return Ok(None);
    };
    let end = end.max(0.001);
    let slowest = attempts.iter().max_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let description = format!(
        "{} attempts at steps within {}; the longest is {}. The table below has all of them.",
        attempts.len(),
        show::seconds(end),
        slowest.map_or("none", |attempt| attempt.title)
    );
    let said = Said {
        id: "timeline",
        number: 0,
        title: "Steps over time".into(),
        description,
        caption: "Each bar is one attempt at a step, from its start to its end: × marks one that \
                  failed, ↶ one that was rolled back. One that was killed is pale, up to its \
                  last batch. Steps before 4.2 do not change what production's readers see."
            .into(),
    };
    let row = |narrow: bool| if narrow { 38.0 } else { 25.0 };
    let count = attempts.len() as f64;
    let height = |narrow: bool| row(narrow) * count + 30.0;
    let draw = |canvas: &Canvas<'_>| -> Drawn {
        let narrow = canvas.is_narrow();
        let left = if narrow { 4.0 } else { 345.0 };
        let scale: Scale<RangedCoordf64> = Scale::new(0.0..end, left, canvas.width - 14.0);
        let bottom = row(narrow) * count + 4.0;
        let ticks = axis::times(end, canvas.most_ticks());
        canvas.scale_x(&scale, (0.0, bottom), &ticks)?;
        for (at, attempt) in attempts.iter().enumerate() {
            draw_attempt(canvas, &scale, attempt, at as f64 * row(narrow), left)?;
        }
        Ok(())
    };
    figure(said, height, draw).map(Some)
}

fn draw_attempt(
    canvas: &Canvas<'_>,
    scale: &Scale<RangedCoordf64>,
    attempt: &Attempt,
    top: f64,
    left: f64,
) -> Drawn {
    let narrow = canvas.is_narrow();
    let label = format!("{}  {}", attempt.step.number(), attempt.title);
    let (label_y, bar_y) = if narrow { (top + 10.0, top + 19.0) } else { (top + 13.0, top + 6.0) };
    let room = if narrow { canvas.width } else { left - 16.0 };
    let label = fitting(&label, room, TEXT);
    canvas.text(&label, (0.0, label_y), Anchor::Start, (Ink::Text, TEXT))?;
    let from = scale.at(attempt.began_seconds);
    let to = scale.at(attempt.began_seconds + attempt.seconds).max(from + 2.0);
    let (ink, sign) = match attempt.state {
        _ if attempt.killed => (Ink::Bad, " × killed"),
        StepState::Failed => (Ink::Bad, " ×"),
        StepState::Undone | StepState::Undoing => (Ink::Muted, " ↶"),
        StepState::Refused => (Ink::Muted, " refused"),
        StepState::Skipped => (Ink::Muted, " skipped"),
        _ if attempt.step.is_live() => (Ink::New, ""),
        _ => (Ink::Old, ""),
    };
    let alpha = if attempt.killed { 0.4 } else { 1.0 };
    canvas.rect((from, bar_y), (to - from, BAR), ink, alpha)?;
    let told = match attempt.killed && attempt.seconds <= 0.0 {
        true => sign.trim_start().to_owned(),
        false => format!("{}{sign}", show::seconds(attempt.seconds)),
    };
    let width = text_width(&told, SMALL);
    let middle = bar_y + BAR / 2.0;
    match to + 6.0 + width <= canvas.width {
        true => canvas.text(&told, (to + 6.0, middle), Anchor::Start, (Ink::Muted, SMALL)),
        false => canvas.text(&told, (from - 6.0, middle), Anchor::End, (Ink::Muted, SMALL)),
    }
}
