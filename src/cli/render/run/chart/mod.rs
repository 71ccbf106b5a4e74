//! Charts as inline SVG: drawn by plotters, coloured by the page's style sheet, so that they
//! follow its dark mode and print styles. Each is drawn twice, for wide and for narrow pages,
//! because text in a scaled-down picture is too small to read.

mod axis;
mod flow;
mod latency;
mod ratio;
mod throughput;
mod timeline;
mod years;

use askama::Template;
use plotters::coord::Shift;
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use axis::Tick;
pub(super) use flow::flow;
pub(super) use latency::latency;
pub(super) use ratio::ratio;
pub(super) use throughput::throughput;
pub(super) use timeline::timeline;
pub(super) use years::years;

use crate::error::{Error, Kind, Result};

/// Widths that charts are drawn for, in pixels of the page.
const WIDTHS: [(&str, i32); 2] = [("wide", 900), ("narrow", 360)];
/// Heights of text.
const TEXT: f64 = 13.0;
const SMALL: f64 = 12.0;
/// Average width of a letter, as a fraction of its height.
const LETTER: f64 = 0.54;
/// plotters writes font sizes smaller than requested by this factor.
const PLOTTERS_FONT: f64 = 1.24;

/// What plotters writes and a browser, or the style sheet, takes for granted: a fifth of a chart.
const DEFAULTS: [&str; 5] = [
    " opacity=\"1\"",
    " stroke=\"none\"",
    " stroke-width=\"1\"",
    " text-anchor=\"start\"",
    " font-family=\"sans-serif\"",
];

/// A colour: a variable of the style sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Text,
    Muted,
    Line,
    Bad,
    Warn,
    Old,
    New,
    /// One of several series.
    Series(usize),
}

/// As many colours as can be distinguished.
const SERIES: usize = 6;
/// In the order of [`Ink::number`].
const VARIABLES: [&str; 7 + SERIES] = [
    "--text",
    "--muted",
    "--line",
    "--bad",
    "--warn",
    "--old",
    "--new",
    "--series-1",
    "--series-2",
    "--series-3",
    "--series-4",
    "--series-5",
    "--series-6",
];

impl Ink {
    fn number(self) -> u8 {
        match self {
            Ink::Text => 0,
            Ink::Muted => 1,
            Ink::Line => 2,
            Ink::Bad => 3,
            Ink::Warn => 4,
            Ink::Old => 5,
            Ink::New => 6,
            Ink::Series(number) => 7 + (number % SERIES) as u8,
        }
    }

    /// The placeholder colour until the drawing is done.
    fn stand_in(self) -> RGBColor {
        RGBColor(254, 1, self.number())
    }
}

/// Where a text is anchored.
#[derive(Clone, Copy)]
enum Anchor {
    Start,
    Middle,
    End,
}

/// A surface to draw on, in pixels from the upper left.
struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    width: f64,
}

type Drawn = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn px(value: f64) -> i32 {
    value.round() as i32
}

impl Canvas<'_> {
    fn is_narrow(&self) -> bool {
        self.width < 600.0
    }

    fn rect(&self, (x, y): (f64, f64), (width, height): (f64, f64), ink: Ink, alpha: f64) -> Drawn {
        let corners = [(px(x), px(y)), (px(x + width), px(y + height))];
        Ok(self.area.draw(&Rectangle::new(corners, ink.stand_in().mix(alpha).filled()))?)
    }

    fn line(&self, points: &[(f64, f64)], ink: Ink, width: u32) -> Drawn {
        let points: Vec<_> = points.iter().map(|(x, y)| (px(*x), px(*y))).collect();
        Ok(self.area.draw(&PathElement::new(points, ink.stand_in().stroke_width(width)))?)
    }

    fn polygon(&self, points: &[(f64, f64)], ink: Ink, alpha: f64) -> Drawn {
        let points: Vec<_> = points.iter().map(|(x, y)| (px(*x), px(*y))).collect();
        Ok(self.area.draw(&Polygon::new(points, ink.stand_in().mix(alpha)))?)
    }

    /// A dot, or a ring where it is not filled.
    fn dot(&self, (x, y): (f64, f64), radius: i32, ink: Ink, filled: bool) -> Drawn {
        let style = match filled {
            true => ink.stand_in().filled(),
            false => ink.stand_in().stroke_width(2),
        };
        Ok(self.area.draw(&Circle::new((px(x), px(y)), radius, style))?)
    }

    /// Text that is vertically centred at `at`.
    fn text(&self, text: &str, at: (f64, f64), anchor: Anchor, (ink, size): (Ink, f64)) -> Drawn {
        let anchor = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let colour = ink.stand_in();
        let style = TextStyle::from(("sans-serif", size * PLOTTERS_FONT).into_font())
            .color(&colour)
            .pos(Pos::new(anchor, VPos::Center));
        Ok(self.area.draw(&Text::new(text.to_owned(), (px(at.0), px(at.1)), style))?)
    }

    /// The most ticks of a horizontal scale.
    fn most_ticks(&self) -> usize {
        if self.is_narrow() { 4 } else { 9 }
    }

    /// The ticks of a horizontal scale, as lines from `top` to `bottom` with their labels below.
    fn scale_x<R: Ranged<ValueType = f64>>(
        &self,
        scale: &Scale<R>,
        (top, bottom): (f64, f64),
        ticks: &[Tick],
    ) -> Drawn {
        let mut free_from = f64::MIN;
        for (value, label) in ticks {
            let x = scale.at(*value);
            self.line(&[(x, top), (x, bottom)], Ink::Line, 1)?;
            let half = text_width(label, SMALL) / 2.0;
            if x - half >= free_from {
                let x = x.clamp(half, self.width - half);
                let style = (Ink::Muted, SMALL);
                self.text(label, (x, bottom + 12.0), Anchor::Middle, style)?;
                free_from = x + half + 8.0;
            }
        }
        Ok(())
    }
}

/// From values to pixels.
struct Scale<R> {
    range: R,
    pixels: (i32, i32),
}

impl<R: Ranged<ValueType = f64>> Scale<R> {
    fn new(range: impl Into<R>, from: f64, to: f64) -> Self {
        Scale { range: range.into(), pixels: (px(from), px(to)) }
    }

    fn at(&self, value: f64) -> f64 {
        f64::from(self.range.map(&value, self.pixels))
    }

    /// At most `most` round values.
    fn ticks(&self, most: usize) -> Vec<f64> {
        self.range.key_points(most)
    }
}

/// The approximate width of a text.
fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * LETTER
}

/// The text, cut to fit the width.
fn fitting(text: &str, width: f64, size: f64) -> String {
    let most = (width / (size * LETTER)).max(1.0) as usize;
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A chart: its drawings and texts.
#[derive(Template)]
#[template(path = "figure.html", config = "src/cli/render/run/askama.toml")]
pub(super) struct Figure {
    id: &'static str,
    number: usize,
    title: String,
    description: String,
    caption: String,
    drawings: Vec<Drawing>,
}

struct Drawing {
    class: &'static str,
    width: i32,
    height: i32,
    svg: String,
}

/// The texts of a chart.
struct Said {
    /// Unique among charts, with the number.
    id: &'static str,
    number: usize,
    title: String,
    /// For screen readers.
    description: String,
    /// How to read it.
    caption: String,
}

/// Draws a chart at each width; `height` gets whether it is narrow.
fn figure(
    said: Said,
    height: impl Fn(bool) -> f64,
    draw: impl Fn(&Canvas<'_>) -> Drawn,
) -> Result<Figure> {
    let failed = |e: &dyn std::fmt::Display| Error::new(Kind::File, format!("no chart: {e}"));
    let drawings = WIDTHS.iter().map(|(class, width)| {
        let height = px(height(*class == "narrow"));
        let mut svg = String::new();
        {
            let size = (width.unsigned_abs(), height.unsigned_abs());
            let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            let canvas = Canvas { area, width: f64::from(*width) };
            draw(&canvas).map_err(|e| failed(&e))?;
            canvas.area.present().map_err(|e| failed(&e))?;
        }
        Ok(Drawing { class, width: *width, height, svg: styled(&svg) })
    });
    let drawings = drawings.collect::<Result<_>>()?;
    let Said { id, number, title, description, caption } = said;
    Ok(Figure { id, number, title, description, caption, drawings })
}

/// The contents of the outermost element, with variables in place of placeholder colours.
fn styled(svg: &str) -> String {
    let from = svg.find("<svg").and_then(|at| Some(at + svg[at..].find('>')? + 1));
    let body = &svg[from.unwrap_or_default()..];
    let mut body = body.trim_end().trim_end_matches("</svg>").to_owned();
    for default in DEFAULTS {
        body = body.replace(default, "");
    }
    for (number, variable) in (0u8..).zip(VARIABLES) {
        body = body.replace(&format!("\"#FE01{number:02X}\""), &format!("\"var({variable})\""));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> Said {
        Said {
            id: "test",
            number: 0,
            title: "<b>".into(),
            description: "a & b".into(),
            caption: "\"".into(),
        }
    }

    #[test]
    fn text_in_a_chart_is_text_and_colours_are_the_style_sheets() {
        let figure = figure(
            said(),
            |_| 50.0,
            |canvas| {
                canvas.text(
                    "<script>alert(1)</script> & \"",
                    (9.0, 9.0),
                    Anchor::Start,
                    (Ink::Text, TEXT),
                )?;
                canvas.rect((0.0, 0.0), (9.0, 9.0), Ink::Series(7), 0.5)
            },
        );
        let html = figure.unwrap().render().unwrap();
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
        assert!(
            html.contains("fill=\"var(--text)\"") && html.contains("var(--series-2)"),
            "{html}"
        );
        assert!(!html.contains("#FE01"), "{html}");
        assert_eq!(html.matches("role=\"img\"").count(), WIDTHS.len());
        assert_eq!(html.matches("</svg>").count(), WIDTHS.len());
    }

    #[test]
    fn a_text_that_is_too_long_is_cut() {
        assert_eq!(fitting("short", 100.0, 10.0), "short");
        let cut = fitting("Tetrapturus audax", 54.0, 10.0);
        assert_eq!(cut, "Tetraptur…");
    }
}
