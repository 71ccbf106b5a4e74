//! What a terminal shows: lines that fit its width, and colour where it carries meaning.
//!
//! Renderers write plain text and mark the results in it, by [`result`]. It is fitted and coloured as
//! it is printed, after invisible characters have been escaped: no escape sequence in a file or the
//! database reaches the screen. A pipe or a file gets the text as it is, unless `--color always` is
//! given.

use std::borrow::Cow;
use std::io::IsTerminal;
use std::os::fd::AsFd;

use anstream::{AutoStream, ColorChoice, stream::RawStream};
use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Row, Table, presets};
use terminal_size::{Width, terminal_size_of};
use unicode_width::UnicodeWidthStr;

use super::visible::readable;
use crate::cli::Color;

/// Narrower terminals are written to as if they had this width.
const LEAST_WIDTH: usize = 40;
/// By how much the lines that continue one are indented if it has no label.
const HANGING: usize = 2;
/// The longest path that a table shows whole, in characters.
const PATH_WIDTH: usize = 30;
/// Follows a result until it is printed. It takes up no width, and belongs to no script.
const MARK: char = '\u{e01ef}';
/// What a result is called, and its colour. A word that ends with another one precedes it.
const RESULTS: [(&str, AnsiColor); 20] = [
    ("NOT PASSED", AnsiColor::Red),
    ("NOT VALID", AnsiColor::Red),
    ("OVER BUDGET", AnsiColor::Red),
    ("ok", AnsiColor::Green),
    ("done", AnsiColor::Green),
    ("passed", AnsiColor::Green),
    ("PASSED", AnsiColor::Green),
    ("valid", AnsiColor::Green),
    ("ready", AnsiColor::Green),
    ("finished", AnsiColor::Green),
    ("warning", AnsiColor::Yellow),
    ("note", AnsiColor::Yellow),
    ("stopped", AnsiColor::Yellow),
    ("uncertain", AnsiColor::Yellow),
    ("hint", AnsiColor::Cyan),
    ("error", AnsiColor::Red),
    ("ERROR", AnsiColor::Red),
    ("FAILED", AnsiColor::Red),
    ("failed", AnsiColor::Red),
    ("SLOWER", AnsiColor::Red),
];

/// Sets whether anything is coloured, for the rest of the program.
pub fn choose(color: Color) {
    let choice = match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    choice.write_global();
}

/// Whether what a stream shows is coloured.
pub(super) fn is_coloured(stream: &impl RawStream) -> bool {
    match ColorChoice::global() {
        ColorChoice::Auto => {
            stream.is_terminal() && AutoStream::choice(stream) != ColorChoice::Never
        }
        choice => choice != ColorChoice::Never,
    }
}

/// The number of columns of stdout, if it is a terminal.
#[must_use]
pub fn width() -> Option<usize> {
    columns(&std::io::stdout())
}

fn columns(stream: &(impl IsTerminal + AsFd)) -> Option<usize> {
    let Width(columns) = terminal_size_of(stream).filter(|_| stream.is_terminal())?.0;
    Some(usize::from(columns).max(LEAST_WIDTH))
}

/// Text as a stream shows it.
#[must_use]
pub fn shown<'a>(text: &'a str, stream: &(impl RawStream + IsTerminal + AsFd)) -> Cow<'a, str> {
    let text = readable(text);
    let text = match columns(stream) {
        Some(width) => Cow::Owned(fitted(&text, width)),
        None => text,
    };
    match (text.contains(MARK), is_coloured(stream)) {
        (false, _) => text,
        (true, true) => Cow::Owned(coloured(&text)),
        (true, false) => Cow::Owned(unmarked(&text)),
    }
}

/// A result, to be coloured by what it says: one of `RESULTS`. The same word in a value from a
/// file or the database is not marked, and keeps its colour, unless it has the mark's character too.
#[must_use]
pub fn result(word: &str) -> String {
    format!("{word}{MARK}")
}

/// Text without the marks of results, for what is not written to a stream.
#[must_use]
pub fn unmarked(text: &str) -> String {
    text.replace(MARK, "")
}

/// A table without borders, with the columns in `numbers` right-aligned. On a terminal, the other
/// columns share what is left of its width.
#[must_use]
pub fn table(header: impl Into<Row>, numbers: std::ops::Range<usize>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    if let Some(width) = width().and_then(|width| width.try_into().ok()) {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    for index in numbers {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table
}

/// A table as text. What its cells hold is made readable first: a password that is wrapped would not
/// be recognised.
#[must_use]
pub fn laid_out(mut table: Table) -> String {
    for row in table.row_iter_mut() {
        let cells: Vec<String> =
            row.cell_iter().map(|cell| readable(&cell.content()).into_owned()).collect();
        *row = Row::from(cells);
    }
    table.trim_fmt()
}

/// Leaves columns out, the first of `least` first, until the table fits the terminal.
pub fn leave_out(table: &mut Table, least: &[usize]) {
    let Some(width) = width() else { return };
    let widths = table.column_max_content_widths();
    let needed = |index: usize| widths.get(index).map_or(0, |content| usize::from(*content) + 2);
    let mut all: usize = (0..widths.len()).map(needed).sum();
    for index in least {
        if all <= width {
            return;
        }
        all -= needed(*index);
        if let Some(column) = table.column_mut(*index) {
            column.set_constraint(ColumnConstraint::Hidden);
        }
    }
}

/// A path as it fits a table: on a terminal, a long one without its middle.
#[must_use]
pub fn path(path: &str) -> Cow<'_, str> {
    let path = readable(path);
    let letters = path.chars().count();
    if width().is_none() || letters <= PATH_WIDTH {
        return path;
    }
    let end = PATH_WIDTH * 2 / 3;
    let start: String = path.chars().take(PATH_WIDTH - end - 1).collect();
    let rest: String = path.chars().skip(letters - end).collect();
    Cow::Owned(format!("{start}…{rest}"))
}

pub use crate::error::counted;

/// Wraps lines that are too wide. Statements, which begin with a comment and end with an empty
/// line, are left as they are: a comment or a value would no longer be one.
fn fitted(text: &str, width: usize) -> String {
    let mut fitted = String::with_capacity(text.len() + text.len() / 8);
    let mut in_statement = false;
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        in_statement = !line.is_empty() && (in_statement || line.trim_start().starts_with("-- "));
        if in_statement || line.width() <= width {
            fitted.push_str(line);
        } else {
            wrap(line, width, &mut fitted);
        }
        fitted.push_str(end);
    }
    fitted
}

/// Appends a line in parts. A part that ends inside a command gets a backslash, so that all of it
/// can be copied into a shell.
fn wrap(line: &str, width: usize, fitted: &mut String) {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let value = value_at(line, indent, width / 2);
    let hanging = " ".repeat(value.map_or(indent.max(HANGING), |at| line[..at].width()));
    let value = value.unwrap_or(indent);
    let mut in_command = line[value..].starts_with("sterna ");
    fitted.push_str(&line[..value]);
    let mut taken = line[..value].width();
    let mut is_first = true;
    let mut rest = Some(&line[value..]);
    while let Some(text) = rest {
        let (word, after) = next_word(text, in_command);
        let ends_command = in_command != (word.matches('`').count() % 2 == 1);
        // Room for a backslash after it.
        let reserved = if ends_command { 2 } else { 0 };
        if !is_first && taken + 1 + word.width() + reserved > width {
            fitted.push_str(if in_command { " \\\n" } else { "\n" });
            fitted.push_str(&hanging);
            taken = hanging.len();
        } else if !is_first {
            fitted.push(' ');
            taken += 1;
        }
        fitted.push_str(word);
        taken += word.width();
        in_command = ends_command;
        is_first = false;
        rest = after;
    }
}

/// The first word, and what follows the space after it. In a command, what is quoted is part of a
/// word: a break within the quotes would be part of the argument.
fn next_word(text: &str, in_command: bool) -> (&str, Option<&str>) {
    let mut quoted = false;
    let end = text.find(|letter| {
        quoted ^= in_command && letter == '\'';
        letter == ' ' && !quoted
    });
    end.map_or((text, None), |at| (&text[..at], Some(&text[at + 1..])))
}

/// Where the value of a line begins, if a label and two spaces at least precede it: the last such
/// place within the first `most` bytes.
fn value_at(line: &str, indent: usize, most: usize) -> Option<usize> {
    let (mut at, mut value) = (indent, None);
    while let Some(gap) = line[at..].find("  ") {
        let rest = line[at + gap..].trim_start_matches(' ');
        at = line.len() - rest.len();
        if at > most || rest.is_empty() {
            break;
        }
        value = Some(at);
    }
    value
}

/// Colours the results that renderers have marked, and removes their marks.
fn coloured(text: &str) -> String {
    let mut coloured = String::with_capacity(text.len() + 64);
    let mut parts = text.split(MARK).peekable();
    while let Some(part) = parts.next() {
        let of = |word: &str| {
            let before = part.strip_suffix(word)?;
            (before.is_empty() || before.ends_with(char::is_whitespace)).then_some(before)
        };
        let result = RESULTS.iter().find_map(|(word, colour)| Some((of(word)?, word, colour)));
        match result.filter(|_| parts.peek().is_some()) {
            Some((before, word, colour)) => {
                let style = Style::new().bold().fg_color(Some((*colour).into()));
                coloured.push_str(&format!("{before}{style}{word}{style:#}"));
            }
            None => coloured.push_str(part),
        }
    }
    coloured
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_continue_below_themselves() {
        let line = "proof      staging was read back and matches the files; checksum 1\n";
        let wrapped =
            "proof      staging was read back and\n           matches the files; checksum 1\n";
        assert_eq!(fitted(line, 40), wrapped);
        let hint = "hint: fix what the report names, then run it again";
        assert_eq!(fitted(hint, 40), "hint: fix what the report names, then\n  run it again");
    }

    #[test]
    fn commands_stay_commands() {
        let line = "continue   sterna migrate release.zip --on-inexact widen --resume\n";
        let wrapped =
            "continue   sterna migrate release.zip \\\n           --on-inexact widen --resume\n";
        assert_eq!(fitted(line, 44), wrapped);
        let quoted = "continue   sterna migrate 'a release with a long name.zip' --resume";
        let wrapped = "continue   sterna migrate \\\n           'a release with a long name.zip' \\\n           --resume";
        assert_eq!(fitted(quoted, 44), wrapped);
        let hint = "hint: it goes on with `sterna migrate release.zip --resume`, or not at all";
        let wrapped =
            "hint: it goes on with `sterna migrate \\\n  release.zip --resume`, or not at all";
        assert_eq!(fitted(hint, 40), wrapped);
    }

    #[test]
    fn statements_are_left_alone() {
        let long = format!("{}\n", "x ".repeat(40));
        let text = format!("     -- sql/a.sql\n     {long}\n{long}");
        let shown = fitted(&text, 60);
        assert!(shown.starts_with(&format!("     -- sql/a.sql\n     {long}\n")));
        assert!(shown.len() > text.len());
    }

    #[test]
    fn only_results_are_coloured() {
        let [green, red] = [AnsiColor::Green, AnsiColor::Red]
            .map(|colour| Style::new().bold().fg_color(Some(colour.into())));
        let (ok, bad, undone) = (result("ok"), result("NOT PASSED"), result("undone"));
        let text = format!("rights  {ok}  failed\n{bad}: ok\n4.2  {undone}\npassed: 3\n");
        let wanted = format!(
            "rights  {green}ok{green:#}  failed\n{red}NOT PASSED{red:#}: ok\n4.2  undone\npassed: 3\n"
        );
        assert_eq!(coloured(&text), wanted);
        assert_eq!(unmarked(&text), "rights  ok  failed\nNOT PASSED: ok\n4.2  undone\npassed: 3\n");
        assert_eq!(ok.width(), 2);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_lines_fit(
            words in prop::collection::vec("[a-zé]{1,12}|`[a-z]{1,8}`| {1,3}", 0..60),
            width in 40usize..100,
        ) {
            let line = words.join(" ");
            let shown = fitted(&line, width);
            for line in shown.lines() {
                prop_assert!(line.width() <= width || !line.trim().contains(' '), "{line:?}");
            }
            let plain = |text: &str| text.replace(" \\\n", " ").split_whitespace().collect::<String>();
            prop_assert_eq!(plain(&shown), plain(&line));
            prop_assert!(coloured(&line) == line);
        }
    }
}
