//! What files and the database hold may contain control characters. On a terminal they
//! would move the cursor or colour what follows, so they are written as `\u{1b}`.

use std::borrow::Cow;

/// The text without control characters other than the end of a line and the tabulator.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_raw = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_written_out() {
        assert_eq!(visible("Sterna paradisæa\n\tArctic tern"), "Sterna paradisæa\n\tArctic tern");
        assert_eq!(visible("\x1b[31mred\r\u{9b}2J\0"), "\\u{1b}[31mred\\r\\u{9b}2J\\u{0}");
    }
}
