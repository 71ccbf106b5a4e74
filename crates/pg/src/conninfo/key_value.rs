//! libpq's `host=localhost dbname='my database'` form of a connection string.

use std::iter::Peekable;
use std::str::Chars;

use sterna_error::{Error, Result};

/// Parses the pairs of a key=value string. Blanks around `=` are ignored; a value with
/// blanks is in single quotes; a backslash escapes the next character.
///
/// Messages never show any part of the text, which may be the password.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>> {
    let mut rest = text.chars().peekable();
    let mut pairs = Vec::new();
    loop {
        skip_blanks(&mut rest);
        let mut keyword = String::new();
        while let Some(c) = rest.next_if(|c| *c != '=' && !c.is_ascii_whitespace()) {
            keyword.push(c);
        }
        skip_blanks(&mut rest);
        match (keyword.is_empty(), rest.next()) {
            (true, None) => return Ok(pairs),
            (true, Some(_)) => return Err(malformed("a \"=\" has no parameter before it")),
            (false, Some('=')) => {}
            (false, _) => return Err(malformed("a parameter is not followed by \"=\"")),
        }
        skip_blanks(&mut rest);
        let value = match rest.next_if_eq(&'\'') {
            Some(_) => quoted(&mut rest)?,
            None => bare(&mut rest),
        };
        pairs.push((keyword, value));
    }
}

fn skip_blanks(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(char::is_ascii_whitespace).is_some() {}
}

fn bare(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut value = String::new();
    while let Some(c) = rest.next_if(|c| !c.is_ascii_whitespace()) {
        // A trailing backslash is ignored, as in libpq.
        value.extend(if c == '\\' { rest.next() } else { Some(c) });
    }
    value
}

fn quoted(rest: &mut Peekable<Chars<'_>>) -> Result<String> {
    let mut value = String::new();
    loop {
        match rest.next() {
            None => return Err(malformed("a quoted value has no closing quote")),
            Some('\'') => return Ok(value),
            Some('\\') => value.extend(rest.next()),
            Some(c) => value.push(c),
        }
    }
}

fn malformed(what: &str) -> Error {
    Error::usage(format!("the connection string is malformed: {what}"))
        .hint("write host=... dbname=..., with blanks inside a value in 'single quotes'")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blanks_quotes_and_backslashes() {
        let pairs = parse(r"host = a password='it\'s \\ b'  user=x\ y port=").unwrap();
        let expected = [("host", "a"), ("password", r"it's \ b"), ("user", "x y"), ("port", "")];
        let expected: Vec<_> =
            expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into_iter().collect();
        assert_eq!(pairs, expected);
    }

    #[test]
    fn malformed_text_is_refused_without_showing_it() {
        for text in ["=secret", "secret", "a=b secret", "password='secret", "password=my secret"] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.kind().exit_code(), 2);
            assert!(!format!("{error:?}").contains("secret"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn quoted_values_come_back(values in prop::collection::vec("\\PC{0,10}", 0..4)) {
            let quote = |value: &str| value.replace('\\', r"\\").replace('\'', r"\'");
            let text: String =
                values.iter().map(|value| format!("key='{}' ", quote(value))).collect();
            let parsed: Vec<_> = parse(&text).unwrap().into_iter().map(|pair| pair.1).collect();
            prop_assert_eq!(parsed, values);
        }
    }
}
