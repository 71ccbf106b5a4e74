//! Hides passwords in any text that is shown: an error may repeat one that was typed in the
//! wrong place, and a report may repeat one from a file.

use std::borrow::Cow;

/// Shown in place of a password.
const HIDDEN: &str = "***";
/// libpq's parameter for a password; `sslpassword` and `PGPASSWORD` end with it.
const PARAMETER: &str = "password";

/// The text with passwords hidden in URLs (`scheme://user:password@host`) and in libpq's
/// parameters (`password=...`).
#[must_use]
pub fn without_passwords(text: &str) -> Cow<'_, str> {
    let mut found = in_urls(text);
    found.extend(in_parameters(text));
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    found.sort_unstable();
    let mut shown = String::with_capacity(text.len());
    let mut done = 0;
    for (from, to) in found {
        if from >= done {
            shown.push_str(&text[done..from]);
            shown.push_str(HIDDEN);
        }
        done = done.max(to);
    }
    shown.push_str(&text[done..]);
    Cow::Owned(shown)
}

fn ends_word(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\'' | '"' | '`')
}

/// The byte ranges of passwords in URLs. A password that was not percent-encoded may contain
/// any character: it ends at the last `@` of its line before another URL, else with its word.
fn in_urls(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (at, scheme_end) in text.match_indices("://") {
        let user_at = at + scheme_end.len();
        let line = text[user_at..].split('\n').next().unwrap_or_default();
        let line = line.split("://").next().unwrap_or_default();
        let in_user = |c: char| !matches!(c, ':' | '@' | '/' | '?' | '#') && !ends_word(c);
        let address_end =
            if line.starts_with('[') { line.find(']').map(|at| at + 1) } else { None };
        let user_end = address_end.or_else(|| line.find(|c| !in_user(c)));
        let user = &line[..user_end.unwrap_or(line.len())];
        let Some(rest) = line[user.len()..].strip_prefix(':') else { continue };
        let word = &rest[..rest.find(ends_word).unwrap_or(rest.len())];
        let digits = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_port = !word.contains('@')
            && digits.len() < word.len()
            && (digits.is_empty() || digits.starts_with(['/', '?', '#', ':', ',', ')', '.']));
        let end = rest.rfind('@').unwrap_or(word.len());
        let from = user_at + user.len() + 1;
        if !is_port && end > 0 {
            found.push((from, from + end));
        }
    }
    found
}

/// The byte ranges of the values of [`PARAMETER`].
fn in_parameters(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    // ASCII lowercasing keeps byte offsets.
    let lower = text.to_ascii_lowercase();
    for (at, name) in lower.match_indices(PARAMETER) {
        let after = &text[at + name.len()..];
        let Some(value) = after.trim_start().strip_prefix('=') else { continue };
        let value = value.trim_start();
        let from = text.len() - value.len();
        let end = match value.strip_prefix('\'') {
            Some(quoted) => {
                let mut before = ' ';
                let end = quoted.find(|c| {
                    let ends = c == '\'' && before != '\\';
                    before = if before == '\\' { ' ' } else { c };
                    ends
                });
                end.map_or(value.len(), |end| end + 2)
            }
            None => value.find(|c| ends_word(c) || c == '&').unwrap_or(value.len()),
        };
        if end > 0 {
            found.push((from, from + end));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_urls_are_hidden() {
        for (text, shown) in [
            ("'postgres://bob:s3cr3t@h:1/db' is none", "'postgres://bob:***@h:1/db' is none"),
            ("postgres://bob:12345@h", "postgres://bob:***@h"),
            ("postgres://bob:p@s/s@h/db?a=b", "postgres://bob:***@h/db?a=b"),
            ("postgres://bob:p@s 's@h, x://y:z@w", "postgres://bob:***@h, x://y:***@w"),
            ("postgres://bob:it's me@h/db", "postgres://bob:***@h/db"),
            ("postgres://bob:s3cr3t", "postgres://bob:***"),
            ("a://b:c@d\nx://y:z@w", "a://b:***@d\nx://y:***@w"),
            ("https://:token@h", "https://:***@h"),
        ] {
            assert_eq!(without_passwords(text), shown);
        }
    }

    #[test]
    fn passwords_of_parameters_are_hidden() {
        for (text, shown) in [
            ("host=h password=s3cr3t port=1", "host=h password=*** port=1"),
            ("password = 's3 \\' cr3t' port=1", "password = *** port=1"),
            ("PGPASSWORD=s3cr3t sterna", "PGPASSWORD=*** sterna"),
            ("postgres://h/d?sslpassword=s3cr3t&a=b", "postgres://h/d?sslpassword=***&a=b"),
            ("postgres://b:x@h?password=y", "postgres://b:***@h?password=***"),
        ] {
            assert_eq!(without_passwords(text), shown);
        }
    }

    #[test]
    fn what_is_no_password_is_shown() {
        for text in [
            "http://localhost:8080/path",
            "http://localhost:8080: refused",
            "(http://[::1]:8080) and me@example.com",
            "postgres://bob@h/db and postgres://bob:@h",
            "give a password: PGPASSWORD, or a line host:port:database:user:password",
            "unknown parameter \"passwordd\"",
        ] {
            assert!(matches!(without_passwords(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
