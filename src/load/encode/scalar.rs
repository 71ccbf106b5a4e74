//! Encodes text as the binary form of every type but `numeric`.
//!
//! Integers, floats, booleans, dates and times are written big-endian, as PostgreSQL's
//! receive functions of these types expect. Each function accepts one notation and rejects
//! text that could be read in two ways.

use std::str::FromStr;

use bytes::{BufMut, BytesMut};
use jiff::Unit;
use jiff::civil::Date;
use uuid::Uuid;

use crate::load::account::Reason;

/// The maximum number of significant digits of a double.
const MOST_DIGITS: usize = 767;
/// The maximum number of digits accepted in the fraction of a second.
const MOST_SECOND_DIGITS: usize = 9;

/// Parses an optional sign and digits, nothing else.
fn integer(text: &[u8]) -> Result<i64, Reason> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return Err(Reason::InvalidInteger);
    }
    // Summed as a negative number: i64 has one more of these.
    let mut sum = Some(0i64);
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(Reason::InvalidInteger);
        }
        sum = sum.and_then(|sum| sum.checked_mul(10)?.checked_sub(i64::from(digit)));
    }
    let value = if negative { sum } else { sum.and_then(i64::checked_neg) };
    value.ok_or(Reason::OutOfRange)
}

/// Parses a whole number in the range of `T`: `smallint`, `integer` or `bigint`.
pub(crate) fn parse_integer<T: TryFrom<i64>>(text: &[u8]) -> Result<T, Reason> {
    T::try_from(integer(text)?).map_err(|_| Reason::OutOfRange)
}

pub(super) fn boolean(text: &[u8]) -> Result<bool, Reason> {
    match text.to_ascii_lowercase().as_slice() {
        b"t" | b"true" | b"y" | b"yes" | b"on" | b"1" => Ok(true),
        b"f" | b"false" | b"n" | b"no" | b"off" | b"0" => Ok(false),
        _ => Err(Reason::InvalidBoolean),
    }
}

/// Parses a binary float; returns it and whether it is inexact.
///
/// It is exact if the server prints it as it was written: with as many digits as were
/// written, or, if that many do not read back as the same float, with the fewest that do.
/// (The two differ next to a power of two.)
pub(super) fn float<T>(text: &[u8], is_finite: impl Fn(&T) -> bool) -> Result<(T, bool), Reason>
where
    T: FromStr + PartialEq + std::fmt::LowerExp,
{
    let text = std::str::from_utf8(text).map_err(|_| Reason::InvalidNumber)?;
    let numeric =
        text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if !numeric {
        // Rust also accepts "inf" and "nan".
        return Err(Reason::InvalidNumber);
    }
    let value: T = text.parse().map_err(|_| Reason::InvalidNumber)?;
    if !is_finite(&value) {
        return Err(Reason::OutOfRange);
    }
    let written = Decimal::read(text);
    let digits = written.digits.len().clamp(1, MOST_DIGITS);
    let printed = format!("{value:.*e}", digits - 1);
    let stored = Decimal::read(&printed);
    if written == stored {
        return Ok((value, false));
    }
    if stored.digits.is_empty() {
        return Err(Reason::OutOfRange);
    }
    let reads_back = printed.parse().is_ok_and(|read: T| read == value);
    let inexact = reads_back || written != Decimal::read(&format!("{value:e}"));
    Ok((value, inexact))
}

/// The digits of a decimal without leading and trailing zeros, and the exponent of the last
/// digit.
#[derive(PartialEq)]
struct Decimal {
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn read(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i64 = exponent.parse().unwrap_or(0);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: String =
            whole.chars().chain(fraction.chars()).filter(char::is_ascii_digit).collect();
        let significant = digits.trim_end_matches('0');
        let dropped = digits.len() - significant.len();
        let digits = significant.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Decimal { digits, exponent: 0 };
        }
        let exponent = exponent.saturating_sub(fraction.len() as i64);
        Decimal { digits, exponent: exponent.saturating_add(dropped as i64) }
    }
}

/// Days since 2000-01-01 of a date such as `2024-12-31`.
pub(super) fn date(text: &[u8]) -> Result<i32, Reason> {
    let form = |(i, b): (usize, &u8)| {
        if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() }
    };
    if text.len() != 10 || !text.iter().enumerate().all(form) {
        return Err(Reason::InvalidDate);
    }
    let text = std::str::from_utf8(text).map_err(|_| Reason::InvalidDate)?;
    let date: Date = text.parse().map_err(|_| Reason::InvalidDate)?;
    // Year 0 is 1 BC, which PostgreSQL writes differently.
    if date.year() < 1 {
        return Err(Reason::InvalidDate);
    }
    let epoch = jiff::civil::date(2000, 1, 1);
    let span = epoch.until((Unit::Day, date)).map_err(|_| Reason::OutOfRange)?;
    Ok(span.get_days())
}

/// Microseconds since 2000-01-01 UTC of a time with an offset, such as
/// `2024-12-31T23:59:59Z` or `2024-12-31 23:59:59.5+01`, rounded like the server to `digits`
/// fractional digits, and whether it has more significant ones.
///
/// Without an offset the value would depend on the session, so it is rejected.
pub(super) fn timestamptz(text: &[u8], digits: u8) -> Result<(i64, bool), Reason> {
    let (day, time) = text.split_at_checked(10).ok_or(Reason::InvalidTimestamp)?;
    let days = date(day).map_err(|_| Reason::InvalidTimestamp)?;
    let (seconds, fraction) = time_of_day(time).ok_or(Reason::InvalidTimestamp)?;
    let seconds = i64::from(days) * 86_400 + seconds;
    let micros = seconds * 1_000_000 + micros(fraction);
    // Rounds half away from 2000-01-01, like AdjustTimestampForTypmod in PostgreSQL's timestamp.c.
    let unit = 10i64.pow(6 - u32::from(digits.min(6)));
    let rounded = (micros.abs() + unit / 2) / unit * unit * micros.signum();
    let significant = fraction.iter().rposition(|digit| *digit != b'0').map_or(0, |at| at + 1);
    Ok((rounded, significant > usize::from(digits)))
}

/// Seconds of a time of day in UTC, and the digits of the fraction of a second.
///
/// The form is ` 23:59:59.123456+01:00`, with a blank or `T` in front. The fraction may be
/// missing, and so may the minutes of the offset, or only their colon.
fn time_of_day(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b' ' | b'T', h, i, b':', m, n, b':', s, t, rest @ ..] = text else { return None };
    let seconds = two_digits(h, i, 24)? * 3600 + two_digits(m, n, 60)? * 60;
    let seconds = seconds + two_digits(s, t, 60)?;
    let (fraction, offset) = match rest {
        [b'.', rest @ ..] => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=MOST_SECOND_DIGITS).contains(&digits) {
                return None;
            }
            rest.split_at(digits)
        }
        rest => rest.split_at(0),
    };
    let ahead = match offset {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), h, i, minutes @ ..] => {
            let minutes = match minutes {
                [] => 0,
                [m, n] | [b':', m, n] => two_digits(m, n, 60)?,
                _ => return None,
            };
            // PostgreSQL accepts offsets below 16 hours.
            let seconds = two_digits(h, i, 16)? * 3600 + minutes * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    Some((seconds - ahead, fraction))
}

/// A two-digit number below `end`.
fn two_digits(tens: &u8, ones: &u8, end: i64) -> Option<i64> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?).filter(|number| *number < end)
}

/// Microseconds of the fraction of a second with these digits, rounded through a binary
/// float, like ParseFractionalSecond in PostgreSQL's datetime.c.
fn micros(fraction: &[u8]) -> i64 {
    let digits = fraction.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let seconds = digits as f64 / 10i64.pow(fraction.len() as u32) as f64;
    (seconds * 1e6).round_ties_even() as i64
}

pub(super) fn uuid(text: &[u8]) -> Result<Uuid, Reason> {
    // The crate also accepts URNs, which PostgreSQL does not.
    if text.len() > 38 {
        return Err(Reason::InvalidUuid);
    }
    Uuid::try_parse_ascii(text).map_err(|_| Reason::InvalidUuid)
}

/// The value of a `char(n)`, without trailing blanks, which are not part of it.
pub(super) fn unpadded(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
    &text[..end]
}

/// Appends text of at most `limit` characters.
pub(super) fn put_text(text: &[u8], limit: Option<u32>, out: &mut BytesMut) -> Result<(), Reason> {
    if text.contains(&0) {
        return Err(Reason::NulByte);
    }
    if let Some(limit) = limit {
        // Continuation bytes do not begin a character; the record is known to be UTF-8.
        let chars = text.iter().filter(|b| (**b as i8) >= -0x40).count();
        if chars > limit as usize {
            return Err(Reason::ValueTooLong);
        }
    }
    out.put_slice(text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_keep_to_their_range() {
        assert_eq!(parse_integer::<i16>(b"-32768"), Ok(-32768));
        assert_eq!(parse_integer::<i16>(b"32768"), Err(Reason::OutOfRange));
        assert_eq!(parse_integer::<i64>(b"-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(parse_integer::<i64>(b"9223372036854775808"), Err(Reason::OutOfRange));
        assert_eq!(parse_integer::<i32>(b"+007"), Ok(7));
        for bad in ["", "-", "1.0", "1e3", " 1", "1 ", "1_000", "0x1", "٣"] {
            assert_eq!(
                parse_integer::<i32>(bad.as_bytes()),
                Err(Reason::InvalidInteger),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn floats_say_whether_they_read_back_as_written() {
        let double = |text: &str| float::<f64>(text.as_bytes(), |v| v.is_finite());
        let real = |text: &str| float::<f32>(text.as_bytes(), |v| v.is_finite());
        assert_eq!(double("0.1"), Ok((0.1, false)));
        assert_eq!(double("1.50e1"), Ok((15.0, false)));
        assert_eq!(double("-0.0"), Ok((-0.0, false)));
        assert_eq!(double("0.12345678901234567890"), Ok((0.123_456_789_012_345_68, true)));
        assert_eq!(real("16777217"), Ok((16_777_216.0, true)));
        // As the server prints it, with any number of digits.
        assert_eq!(double("9.999999999999999e+22"), Ok((1e23, false)));
        assert_eq!(double("0.10000000000000001"), Ok((0.1, false)));
        assert_eq!(double("5.684341886080802e-14"), Ok((2f64.powi(-44), false)));
        assert_eq!(double("9007199254740993"), Ok((9_007_199_254_740_992.0, true)));
        assert_eq!(double("7e-324"), Ok((5e-324, true)));
        // Of two equally close texts the server prints the even one.
        assert_eq!(double("213819684465543.12"), Ok((213_819_684_465_543.12, false)));
        assert_eq!(double("213819684465543.13"), Ok((213_819_684_465_543.12, true)));
        assert_eq!(real("2.4414062e-4"), Ok((2f32.powi(-12), false)));
        assert_eq!(real("2.4414063e-4"), Ok((2f32.powi(-12), true)));
        assert_eq!(real("0.100000001490116119384765625"), Ok((0.1, false)));
        assert_eq!(double("1e999"), Err(Reason::OutOfRange));
        assert_eq!(double("1e-999"), Err(Reason::OutOfRange));
        for bad in ["", "nan", "inf", "1e", " 1"] {
            assert_eq!(double(bad), Err(Reason::InvalidNumber), "{bad:?}");
        }
    }

    #[test]
    fn dates_and_times_count_from_2000() {
        assert_eq!(date(b"2000-01-01"), Ok(0));
        assert_eq!(date(b"1999-12-31"), Ok(-1));
        assert_eq!(date(b"2024-02-29"), Ok(8825));
        for bad in
            ["2023-02-29", "24-01-01", "01/02/2024", "2024-1-1", "2024-01-01T00:00", "0000-01-01"]
        {
            assert_eq!(date(bad.as_bytes()), Err(Reason::InvalidDate), "{bad}");
        }
        let time = |text: &str, digits| timestamptz(text.as_bytes(), digits);
        assert_eq!(time("2000-01-01T00:00:00Z", 6), Ok((0, false)));
        assert_eq!(time("2000-01-01 01:00:00.5+01", 6), Ok((500_000, false)));
        assert_eq!(time("1999-12-31T23:59:59.5Z", 0), Ok((-1_000_000, true)));
        assert_eq!(time("2000-01-01T00:00:00.12500Z", 3), Ok((125_000, false)));
        assert_eq!(time("2000-01-01T00:00:00.1249Z", 3), Ok((125_000, true)));
        assert_eq!(time("2000-01-01T00:00:00.9999999Z", 6), Ok((1_000_000, true)));
        let last = time("9999-12-31T23:59:59.999999-15:59", 6).unwrap().0;
        assert_eq!(last, 252_455_615_999_999_999 + (15 * 60 + 59) * 60_000_000);
        for bad in [
            "2000-01-01T00:00:00",
            "2000-01-01",
            "now",
            "2000-01-01T00:00:00.1234567890Z",
            "2000-01-01T00:00:00.Z",
            "2000-01-01T24:00:00Z",
            "2000-01-01T00:00:00+16",
            "2016-12-31T23:59:60Z",
            "2000-01-01T00:00:00+01[Europe/Paris]",
        ] {
            assert_eq!(time(bad, 6), Err(Reason::InvalidTimestamp), "{bad}");
        }
    }

    #[test]
    fn text_is_counted_in_characters() {
        let put = |text: &str, limit| {
            let mut out = BytesMut::new();
            put_text(text.as_bytes(), limit, &mut out)
                .map(|()| String::from_utf8(out.to_vec()).unwrap())
        };
        assert_eq!(put("Ørn", Some(3)), Ok("Ørn".into()));
        assert_eq!(put("Ørne", Some(3)), Err(Reason::ValueTooLong));
        assert_eq!(put("trailing ", None), Ok("trailing ".into()));
        assert_eq!(put("a\0b", None), Err(Reason::NulByte));
        assert_eq!((unpadded(b" a  "), unpadded(b"  ")), (&b" a"[..], &b""[..]));
    }

    proptest! {
        #[test]
        fn every_double_reads_back(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
            // With 17 significant digits, which distinguish all doubles. The shortest text may
            // be one of two equally close ones, of which the server prints the even one.
            let text = format!("{value:.16e}");
            prop_assert_eq!(float::<f64>(text.as_bytes(), |v| v.is_finite()), Ok((value, false)));
        }

        #[test]
        fn every_integer_reads_back(value: i64) {
            prop_assert_eq!(parse_integer::<i64>(value.to_string().as_bytes()), Ok(value));
        }
    }
}
