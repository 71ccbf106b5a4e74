//! Readable formats of figures.

use indicatif::{HumanBytes, HumanCount};
use serde_json::Value;

pub(super) use crate::history::readable;

/// A number. Implemented for references as well, because templates pass them.
pub(super) trait Number {
    /// Its value.
    fn number(&self) -> f64;
}

macro_rules! numbers {
    ($($kind:ty),*) => {
        $(impl Number for $kind {
            fn number(&self) -> f64 {
                *self as f64
            }
        })*
    };
}
numbers!(i32, i64, u32, u64, usize, f64);

impl<T: Number + ?Sized> Number for &T {
    fn number(&self) -> f64 {
        (**self).number()
    }
}

/// `0.25`, `12.5`, `1,234,567`: at least three digits.
pub(super) fn quantity(number: impl Number) -> String {
    let number = number.number();
    match number.abs() {
        n if n >= 100.0 || n.fract() == 0.0 => count(number),
        n if n >= 10.0 => trimmed(format!("{number:.1}")),
        _ => trimmed(format!("{number:.3}")),
    }
}

/// `1,234,567`.
pub(super) fn count(number: impl Number) -> String {
    let number = number.number().round();
    let sign = if number < 0.0 { "−" } else { "" };
    format!("{sign}{}", HumanCount(number.abs() as u64))
}

/// `1 row`, `2,000 rows`.
pub(super) fn counted(number: impl Number, what: &str) -> String {
    crate::error::counted(number.number().abs().round() as u64, what)
}

/// A rate per second: `250,000`.
pub(super) fn rate(number: impl Number, seconds: impl Number) -> String {
    count(number.number() / seconds.number().max(0.001))
}

/// `+1,234`, `−5`, `±0`.
pub(super) fn signed(number: impl Number) -> String {
    let number = number.number();
    match number {
        n if n > 0.0 => format!("+{}", count(n)),
        n if n < 0.0 => count(n),
        _ => "±0".to_owned(),
    }
}

/// `+12.5 %`, relative to `before`.
pub(super) fn change(before: impl Number, after: impl Number) -> String {
    let (before, after) = (before.number(), after.number());
    match before {
        _ if before == after => "±0 %".to_owned(),
        0.0 => "new".to_owned(),
        _ => {
            let percent = (after - before) / before * 100.0;
            let sign = if percent < 0.0 { "−" } else { "+" };
            if percent.abs() < 0.05 {
                return "< 0.1 %".to_owned();
            }
            match percent.abs() {
                many if many >= 1000.0 => format!("{sign}{} %", count(many.round())),
                few => format!("{sign}{few:.1} %"),
            }
        }
    }
}

/// `12 ms`, `1.5 s`, `3 min 20 s`.
pub(super) fn seconds(seconds: impl Number) -> String {
    let seconds = seconds.number();
    match seconds {
        0.0 => "0 s".to_owned(),
        s if s < 0.0995 => ms(s * 1000.0),
        s if s < 9.95 => format!("{} s", trimmed(format!("{s:.2}"))),
        s if s < 119.5 => format!("{} s", trimmed(format!("{s:.1}"))),
        s if s < 7170.0 => format!("{} min {} s", (s.round() / 60.0) as u64, s.round() as u64 % 60),
        s => format!("{} h {} min", (s / 3600.0) as u64, (s / 60.0) as u64 % 60),
    }
}

/// `0.031 ms`, `1.2 ms`, `350 ms`.
pub(super) fn ms(ms: impl Number) -> String {
    let ms = ms.number();
    let digits = match ms {
        ms if ms < 0.1 => 3,
        ms if ms < 1.0 => 2,
        ms if ms < 10.0 => 1,
        _ => 0,
    };
    format!("{} ms", trimmed(format!("{ms:.digits$}")))
}

/// Removes trailing zeros of the fraction.
fn trimmed(text: String) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// `12.5 %`; a share above zero is never shown as zero.
#[cfg(any(test, feature = "charts"))]
pub(super) fn percent(share: impl Number) -> String {
    match share.number() * 100.0 {
        0.0 => "0 %".to_owned(),
        percent if percent < 0.01 => "< 0.01 %".to_owned(),
        percent if (99.95..100.0).contains(&percent) => "> 99.9 %".to_owned(),
        percent if percent < 1.0 => format!("{percent:.2} %"),
        percent => format!("{percent:.1} %"),
    }
}

/// `12.5 MiB`.
pub(super) fn bytes(bytes: impl Number) -> String {
    HumanBytes(bytes.number() as u64).to_string()
}

/// `0.98`, with two decimals.
pub(super) fn ratio(ratio: impl Number) -> String {
    format!("{:.2}", ratio.number())
}

/// A value without quotes; a dash for null.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            format!("[{}]", values.iter().map(plain).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name}: {}", plain(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// The text with a capital letter and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    let stop = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{}{}{stop}", first.unwrap_or_default(), letters.as_str())
}

/// As [`plain`], but an integer has thousands separators.
pub(super) fn value(value: &Value) -> String {
    value.as_i64().map_or_else(|| plain(value), count)
}

/// `2024-05-06T07:08:09Z` as `2024-05-06 07:08:09 UTC`.
pub(super) fn moment(utc: &str) -> String {
    utc.replace('T', " ").replace('Z', " UTC")
}

/// Text escaped for Markdown, on one line.
pub(super) fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => escaped.push(' '),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '>' => {
                escaped.extend(['\\', letter])
            }
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_that_tell_something() {
        assert_eq!(
            [0.0, 0.000_04, 0.0123, 0.5, 12.34, 200.0, 7300.0].map(seconds),
            ["0 s", "0.04 ms", "12 ms", "0.5 s", "12.3 s", "3 min 20 s", "2 h 1 min"]
        );
        assert_eq!([0.0312, 0.5, 3.12, 350.2].map(ms), ["0.031 ms", "0.5 ms", "3.1 ms", "350 ms"]);
        assert_eq!([0.25, 12.34, 5.0, 1234.5].map(quantity), ["0.25", "12.3", "5", "1,235"]);
        assert_eq!([1234, -5, 0].map(signed), ["+1,234", "−5", "±0"]);
        assert_eq!([change(200, 250), change(9999, 9998)], ["+25.0 %", "< 0.1 %"]);
        assert_eq!(change(2, 50), "+2,400 %");
        assert_eq!(
            (change(0, 3), change(0, 0), change(4, 3)),
            ("new".into(), "±0 %".into(), "−25.0 %".into())
        );
        assert_eq!(
            [0.0, 0.000_01, 0.005, 0.25].map(percent),
            ["0 %", "< 0.01 %", "0.50 %", "25.0 %"]
        );
    }

    #[test]
    fn what_markdown_would_read_is_escaped() {
        let escaped = "a\\|b &lt;script\\> \\*x\\* &amp; \\_y\\_";
        assert_eq!(markdown("a|b\n<script> *x* & _y_"), escaped);
    }
}
