//! Text from files and the database may contain invisible characters that have an effect: on
//! a terminal they move the cursor or change colours, in any text they reverse its direction
//! or end a line. They are escaped as `\u{1b}`. Overlong words are shortened, and passwords
//! are hidden.

use std::borrow::Cow;

use super::password::without_passwords;

/// The longest word, in characters, that is shown whole. Names in PostgreSQL have at most 63
/// bytes; lines of files may have thousands of characters, but consist of words.
const LONGEST_WORD: usize = 1000;
/// Number of characters shown of a longer word.
const SHOWN: usize = 200;

/// Invisible formatting characters: marks and overrides of direction, joiners, line and
/// paragraph separators, tags. The other characters of Unicode's categories Cf, Zl and Zp
/// belong to scripts in use and do not affect the text around them.
const UNSEEN: [(char, char); 12] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e007f}'),
];

/// The text with control and invisible formatting characters escaped, except for newlines and
/// tabs.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_raw = |letter: char| {
        (letter.is_control() && !matches!(letter, '\n' | '\t'))
            || UNSEEN.iter().any(|(first, last)| (*first..=*last).contains(&letter))
    };
    if !text.contains(is_raw) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match is_raw(letter) {
            true => shown.extend(letter.escape_default()),
            false => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

/// As [`visible`], with passwords hidden and overlong words shortened.
#[must_use]
pub fn readable(text: &str) -> Cow<'_, str> {
    shortened(text, |letter| matches!(letter, ' ' | '\n' | '\t'))
}

/// As [`readable`], for HTML and XML: tags, attributes and entities stay whole.
#[must_use]
pub fn readable_markup(text: &str) -> Cow<'_, str> {
    shortened(text, |letter| matches!(letter, ' ' | '\n' | '\t' | '<' | '>' | '"'))
}

fn shortened(text: &str, is_between: impl Fn(char) -> bool + Copy) -> Cow<'_, str> {
    let text = match visible(text) {
        Cow::Borrowed(text) => without_passwords(text),
        Cow::Owned(text) => Cow::Owned(without_passwords(&text).into_owned()),
    };
    let is_long = |word: &str| word.len() > LONGEST_WORD && word.chars().count() > LONGEST_WORD;
    if !text.split(is_between).any(is_long) {
        return text;
    }
    let mut shown = String::new();
    for part in text.split_inclusive(is_between) {
        let word = part.trim_end_matches(is_between);
        if !is_long(word) {
            shown.push_str(part);
            continue;
        }
        let start: String = word.chars().take(SHOWN).collect();
        // Do not cut an entity in half.
        let whole = start.rfind('&').filter(|at| !start[*at..].contains(';'));
        shown.push_str(&start[..whole.unwrap_or(start.len())]);
        shown.push_str(&format!("… ({} characters)", word.chars().count()));
        shown.push_str(&part[word.len()..]);
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_written_out() {
        assert_eq!(visible("Sterna paradisæa\n\tArctic tern"), "Sterna paradisæa\n\tArctic tern");
        assert_eq!(visible("\x1b[31mred\r\u{9b}2J\0"), "\\u{1b}[31mred\\r\\u{9b}2J\\u{0}");
    }

    #[test]
    fn what_turns_text_around_is_written_out() {
        assert_eq!(visible("a\u{202e}fdp.exe"), "a\\u{202e}fdp.exe");
        for letter in ['\u{200f}', '\u{2028}', '\u{2029}', '\u{2066}', '\u{feff}', '\u{e0041}'] {
            let shown = visible(&letter.to_string()).into_owned();
            assert_eq!(shown, letter.escape_default().to_string());
        }
        assert_eq!(visible("Крачка كركر 燕鸥 é"), "Крачка كركر 燕鸥 é");
    }

    #[test]
    fn a_word_without_end_is_shortened_and_a_text_is_not() {
        let long = "x".repeat(60_000);
        let shown = readable(&format!("taxon {long}\nnext")).into_owned();
        assert_eq!(shown, format!("taxon {}… (60000 characters)\nnext", "x".repeat(200)));
        let text = "word ".repeat(10_000);
        assert_eq!(readable(&text), text);
    }

    #[test]
    fn a_word_without_end_is_shortened_within_its_tag() {
        let long = format!("{}&amp;{}", "x".repeat(197), "y".repeat(60_000));
        let shown = readable_markup(&format!("<td title=\"{long}\">{long}</td>")).into_owned();
        let short = format!("{}… (60202 characters)", "x".repeat(197));
        assert_eq!(shown, format!("<td title=\"{short}\">{short}</td>"));
    }
}
