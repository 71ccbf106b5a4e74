//! Text to the binary form of every type but `numeric`.
//!
//! Integers, floats, booleans, dates and times are written big-endian, as the
//! types' receive functions in PostgreSQL read them. Each function takes one way
//! of writing a value and refuses what could be read in two.

use std::str::FromStr;

use bytes::{BufMut, BytesMut};
use jiff::civil::Date;
use jiff::{Timestamp, Unit};
use uuid::Uuid;

use crate::load::account::Reason;

/// Days from 1970-01-01 to 2000-01-01, PostgreSQL's day zero.
const EPOCH_DAYS: i64 = 10_957;
/// Microseconds from 1970-01-01 to 2000-01-01.
const EPOCH_MICROS: i64 = EPOCH_DAYS * 86_400_000_000;

/// Reads an optional sign and digits, nothing else.
fn integer(text: &[u8]) -> Result<i64, Reason> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Reason::InvalidInteger);
    }
    // Summed below zero, where there is room for one more.
    let sum = digits
        .iter()
        .try_fold(0i64, |sum, digit| sum.checked_mul(10)?.checked_sub(i64::from(digit - b'0')));
    let value = if negative { sum } else { sum.and_then(i64::checked_neg) };
    value.ok_or(Reason::OutOfRange)
}

/// A whole number of the range of `T`: `smallint`, `integer` or `bigint`.
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

/// A binary float and whether it reads back as another decimal than was written.
pub(super) fn float<T>(text: &[u8], is_finite: impl Fn(&T) -> bool) -> Result<(T, bool), Reason>
where
    T: FromStr + std::fmt::LowerExp,
{
    let text = std::str::from_utf8(text).map_err(|_| Reason::InvalidNumber)?;
    let numeric =
        text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if !numeric {
        // Rust also reads "inf" and "nan".
        return Err(Reason::InvalidNumber);
    }
    let value: T = text.parse().map_err(|_| Reason::InvalidNumber)?;
    if !is_finite(&value) {
        return Err(Reason::OutOfRange);
    }
    let (written, stored) = (significand(text), significand(&format!("{value:e}")));
    if stored.0.is_empty() && !written.0.is_empty() {
        return Err(Reason::OutOfRange);
    }
    Ok((value, written != stored))
}

/// The digits of a decimal without leading and trailing zeros, and their exponent.
fn significand(text: &str) -> (String, i64) {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String =
        whole.chars().chain(fraction.chars()).filter(char::is_ascii_digit).collect();
    let significant = digits.trim_end_matches('0');
    let dropped = digits.len() - significant.len();
    let significant = significant.trim_start_matches('0');
    match significant {
        "" => (String::new(), 0),
        _ => (significant.into(), exponent - fraction.len() as i64 + dropped as i64),
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
    // Year 0 is 1 BC, which the text form of PostgreSQL writes otherwise.
    if date.year() < 1 {
        return Err(Reason::InvalidDate);
    }
    let epoch = jiff::civil::date(2000, 1, 1);
    let span = epoch.until((Unit::Day, date)).map_err(|_| Reason::OutOfRange)?;
    Ok(span.get_days())
}

/// Microseconds since 2000-01-01 UTC of a time with an offset, such as
/// `2024-12-31T23:59:59Z` or `2024-12-31 23:59:59+01`.
///
/// Without an offset the value would depend on the session, so it is refused.
pub(super) fn timestamptz(text: &[u8]) -> Result<i64, Reason> {
    if !has_timestamp_form(text) {
        return Err(Reason::InvalidTimestamp);
    }
    let text = std::str::from_utf8(text).map_err(|_| Reason::InvalidTimestamp)?;
    let time: Timestamp = text.parse().map_err(|_| Reason::InvalidTimestamp)?;
    if time.subsec_nanosecond() % 1_000 != 0 {
        return Err(Reason::InvalidTimestamp);
    }
    Ok(time.as_microsecond() - EPOCH_MICROS)
}

/// Whether text is of the form `2024-12-31T23:59:59.123456+01:00`; blank or `T`, the
/// fraction, and minutes of the offset with or without colon are free.
///
/// The parser takes more: annotations, hours without minutes, and a 60th second,
/// which it makes the 59th while PostgreSQL makes it the next minute.
fn has_timestamp_form(text: &[u8]) -> bool {
    const FORM: &[u8] = b"0000-00-00 00:00:00";
    let fits = |(form, byte): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        b' ' => matches!(byte, b' ' | b'T'),
        other => byte == other,
    };
    let Some((moment, rest)) = text.split_at_checked(FORM.len()) else { return false };
    if !FORM.iter().zip(moment).all(fits) || moment[17] > b'5' || moment.starts_with(b"0000") {
        return false;
    }
    let offset = match rest {
        [b'.', fraction @ ..] => {
            let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            &fraction[digits..]
        }
        rest => rest,
    };
    let digits: &[&u8] = match offset {
        b"Z" => return true,
        [b'+' | b'-', h, i] => &[h, i],
        [b'+' | b'-', h, i, m, n] | [b'+' | b'-', h, i, b':', m, n] => &[h, i, m, n],
        _ => return false,
    };
    // PostgreSQL reads offsets below 16 hours.
    digits.iter().all(|b| b.is_ascii_digit()) && (digits[0], digits[1]) < (&b'1', &b'6')
}

pub(super) fn uuid(text: &[u8]) -> Result<Uuid, Reason> {
    // The crate also reads a URN, which PostgreSQL does not.
    if text.len() > 38 {
        return Err(Reason::InvalidUuid);
    }
    Uuid::try_parse_ascii(text).map_err(|_| Reason::InvalidUuid)
}

/// Text of at most `limit` characters, padded with blanks up to `pad` of them.
pub(super) fn put_text(
    text: &[u8],
    limit: Option<u32>,
    pad: u32,
    out: &mut BytesMut,
) -> Result<(), Reason> {
    if text.contains(&0) {
        return Err(Reason::NulByte);
    }
    if limit.is_none() {
        out.put_slice(text);
        return Ok(());
    }
    // Continuation bytes do not begin a character; the record is known to be UTF-8.
    let chars = text.iter().filter(|b| (**b as i8) >= -0x40).count();
    if limit.is_some_and(|limit| chars > limit as usize) {
        return Err(Reason::ValueTooLong);
    }
    out.put_slice(text);
    out.put_bytes(b' ', (pad as usize).saturating_sub(chars));
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
        assert_eq!(timestamptz(b"2000-01-01T00:00:00Z"), Ok(0));
        assert_eq!(timestamptz(b"2000-01-01 01:00:00.5+01"), Ok(500_000));
        for bad in [
            "2000-01-01T00:00:00",
            "2000-01-01",
            "now",
            "2000-01-01T00:00:00.1234567Z",
            "2016-12-31T23:59:60Z",
            "2000-01-01T00:00:00+01[Europe/Paris]",
        ] {
            assert_eq!(timestamptz(bad.as_bytes()), Err(Reason::InvalidTimestamp), "{bad}");
        }
    }

    #[test]
    fn text_is_counted_in_characters() {
        let put = |text: &str, limit, pad| {
            let mut out = BytesMut::new();
            put_text(text.as_bytes(), limit, pad, &mut out)
                .map(|()| String::from_utf8(out.to_vec()).unwrap())
        };
        assert_eq!(put("Ørn", Some(3), 0), Ok("Ørn".into()));
        assert_eq!(put("Ørne", Some(3), 0), Err(Reason::ValueTooLong));
        assert_eq!(put("ab", Some(4), 4), Ok("ab  ".into()));
        assert_eq!(put("trailing ", None, 0), Ok("trailing ".into()));
        assert_eq!(put("a\0b", None, 0), Err(Reason::NulByte));
    }

    proptest! {
        #[test]
        fn every_double_reads_back(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
            prop_assert_eq!(float::<f64>(format!("{value:e}").as_bytes(), |v| v.is_finite()), Ok((value, false)));
        }

        #[test]
        fn every_integer_reads_back(value: i64) {
            prop_assert_eq!(parse_integer::<i64>(value.to_string().as_bytes()), Ok(value));
        }
    }
}
