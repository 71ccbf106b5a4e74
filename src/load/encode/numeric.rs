//! Encodes decimal text as PostgreSQL's binary `numeric`, without rounding unless asked.
//!
//! The wire form is the number of base-10000 digits, the weight of the first one,
//! the sign, the display scale, and the digits (source: `numeric_recv` in
//! PostgreSQL's `numeric.c`). The text grammar is that of `numeric_in`, without
//! blanks, `NaN` and infinities, which a column of amounts should not accept silently.

use bytes::{BufMut, BytesMut};

use crate::load::account::Reason;
use crate::pg::NumericType;

/// The maximum number of digits before the point in a `numeric`.
const MAX_INTEGER_DIGITS: i64 = 131_072;
/// The maximum number of digits after the point in a `numeric`.
const MAX_SCALE: i64 = 16_383;

/// The smallest exponent that is refused, whatever the digits. `numeric_in` has a higher
/// limit, which depends on the version.
const MAX_EXPONENT: i64 = 1_000_000_000;

/// The longest text that [`put_amount`] reads: with 8 more decimals it still fits 64 bits.
const MAX_AMOUNT_LENGTH: usize = 11;
/// The powers of ten below 2^64.
const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// Appends the wire form of a short number without sign and exponent, as nearly all amounts
/// are; returns whether it was rounded. `None` if it is another one, or does not fit: then
/// [`Decimal`] decides.
pub(super) fn put_amount(
    text: &[u8],
    to: Option<NumericType>,
    round: bool,
    out: &mut BytesMut,
) -> Option<bool> {
    if text.len() > MAX_AMOUNT_LENGTH {
        return None;
    }
    let (mut digits, mut point) = (0, None);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => digits = digits * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    if text.len() == usize::from(point.is_some()) {
        return None;
    }
    let decimals = point.map_or(0, |at| text.len() - 1 - at);
    let scale = to.map_or(Some(decimals), |to| usize::try_from(to.scale).ok())?;
    if scale > 8 {
        return None;
    }
    let (value, is_exact) = if decimals <= scale {
        (digits * POWERS[scale - decimals], true)
    } else {
        let unit = POWERS[decimals - scale];
        ((digits + unit / 2) / unit, digits.is_multiple_of(unit))
    };
    let limit = to.and_then(|to| POWERS.get(usize::from(to.precision)));
    if !(is_exact || round) || limit.is_some_and(|limit| value >= *limit) {
        return None;
    }
    let (whole, fraction) = (value / POWERS[scale], value % POWERS[scale] * POWERS[8 - scale]);
    let base = 10_000;
    let groups =
        [whole / base / base, whole / base % base, whole % base, fraction / base, fraction % base];
    let first = groups.iter().position(|group| *group != 0);
    let used = groups.iter().rposition(|group| *group != 0).map_or(0, |last| last + 1);
    let (first, weight) = first.map_or((0, 0), |first| (first, 2 - first as i16));
    out.put_u16((used - first) as u16);
    out.put_i16(weight);
    out.put_u16(0);
    out.put_u16(scale as u16);
    groups[first..used].iter().for_each(|group| out.put_u16(*group as u16));
    Some(!is_exact)
}

/// A parsed decimal number; reused from value to value.
#[derive(Debug, Default)]
pub(super) struct Decimal {
    negative: bool,
    /// Digits 0 to 9, most significant first.
    digits: Vec<u8>,
    /// The position of the point in `digits`; may lie outside of it.
    point: i64,
    /// The number of digits after the point in the text.
    scale: i64,
}

impl Decimal {
    /// Parses decimal text such as `-12.50` or `3.3E+8`.
    pub(super) fn parse(&mut self, text: &[u8]) -> Result<(), Reason> {
        let (negative, unsigned) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        self.negative = negative;
        self.digits.clear();
        let mut point = None;
        let mut rest = unsigned;
        while let [byte, tail @ ..] = rest {
            match byte {
                b'0'..=b'9' => self.digits.push(byte - b'0'),
                b'.' if point.is_none() => point = Some(self.digits.len() as i64),
                _ => break,
            }
            rest = tail;
        }
        let exponent = match rest {
            _ if self.digits.is_empty() => return Err(Reason::InvalidNumber),
            [] => 0,
            [b'e' | b'E', exponent @ ..] => parse_exponent(exponent)?,
            _ => return Err(Reason::InvalidNumber),
        };
        let point = point.unwrap_or(self.digits.len() as i64);
        self.scale = (self.digits.len() as i64 - point - exponent).max(0);
        self.point = point + exponent;
        Ok(())
    }

    /// The number of digits before the point, without leading zeros; `None` for zero.
    fn integer_digits(&self) -> Option<i64> {
        let first = self.digits.iter().position(|d| *d != 0)?;
        Some(self.point - first as i64)
    }

    /// Checks that it fits `numeric` without a declared precision.
    pub(super) fn fit_any(&self) -> Result<(), Reason> {
        let too_large = self.integer_digits().is_some_and(|n| n > MAX_INTEGER_DIGITS);
        if too_large || self.scale > MAX_SCALE { Err(Reason::OutOfRange) } else { Ok(()) }
    }

    /// Makes it fit `numeric(p,s)`; returns whether it had to be rounded.
    ///
    /// Rounds half away from zero, as PostgreSQL does, and only if `round` is set.
    pub(super) fn fit(&mut self, to: NumericType, round: bool) -> Result<bool, Reason> {
        // The server parses the text before it rounds, so this limit applies first.
        if self.scale > MAX_SCALE {
            return Err(Reason::OutOfRange);
        }
        let scale = i64::from(to.scale);
        let max_integer_digits = i64::from(to.precision) - scale;
        if self.integer_digits().is_some_and(|n| n > max_integer_digits) {
            return Err(Reason::NumericPrecision);
        }
        self.scale = scale.max(0);
        let keep = self.point + scale;
        let dropped = &self.digits[usize::try_from(keep).unwrap_or(0).min(self.digits.len())..];
        if dropped.iter().all(|d| *d == 0) {
            return Ok(false);
        }
        if !round {
            return Err(Reason::NumericScale);
        }
        // Only the first dropped digit decides, and only if it directly follows the last
        // kept one.
        let up = keep >= 0 && dropped[0] >= 5;
        self.digits.truncate(usize::try_from(keep).unwrap_or(0));
        if up {
            self.increment();
        }
        if self.integer_digits().is_some_and(|n| n > max_integer_digits) {
            return Err(Reason::NumericPrecision);
        }
        Ok(true)
    }

    /// Adds one to the last digit.
    fn increment(&mut self) {
        for digit in self.digits.iter_mut().rev() {
            if *digit < 9 {
                *digit += 1;
                return;
            }
            *digit = 0;
        }
        self.digits.insert(0, 1);
        self.point += 1;
    }

    /// The number in plain notation, without insignificant zeros.
    pub(super) fn plain(&self) -> Result<Vec<u8>, Reason> {
        self.fit_any()?;
        let first = self.digits.iter().position(|d| *d != 0);
        let last = self.digits.iter().rposition(|d| *d != 0);
        let (Some(first), Some(last)) = (first, last) else { return Ok(b"0".to_vec()) };
        let digit = |at: i64| {
            let digit = usize::try_from(at).ok().and_then(|at| self.digits.get(at));
            b'0' + digit.copied().unwrap_or(0)
        };
        let mut text = if self.negative { vec![b'-'] } else { Vec::new() };
        text.extend((first as i64..self.point).map(digit));
        if first as i64 >= self.point {
            text.push(b'0');
        }
        if last as i64 >= self.point {
            text.push(b'.');
            text.extend((self.point..=last as i64).map(digit));
        }
        Ok(text)
    }

    /// Appends the wire form; call `fit` or `fit_any` first.
    pub(super) fn put(&self, out: &mut BytesMut) {
        let first = self.digits.iter().position(|d| *d != 0);
        let last = self.digits.iter().rposition(|d| *d != 0);
        let (Some(first), Some(last)) = (first, last) else {
            // Zero: no digits, weight 0, and never negative.
            out.put_u64(self.scale as u64 & 0xffff);
            return;
        };
        // The digit at index i stands for 10^(point - 1 - i).
        let group = |index: usize| (self.point - 1 - index as i64).div_euclid(4);
        let (weight, lowest) = (group(first), group(last));
        out.put_i16((weight - lowest + 1) as i16);
        out.put_i16(weight as i16);
        out.put_u16(if self.negative { 0x4000 } else { 0 });
        out.put_u16(self.scale as u16);
        let mut index = self.point - 4 * (weight + 1);
        for _ in lowest..=weight {
            let mut value = 0u16;
            for at in index..index + 4 {
                let digit = usize::try_from(at).ok().and_then(|at| self.digits.get(at));
                value = value * 10 + u16::from(digit.copied().unwrap_or(0));
            }
            out.put_u16(value);
            index += 4;
        }
    }
}

fn parse_exponent(text: &[u8]) -> Result<i64, Reason> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Reason::InvalidNumber);
    }
    // Out of range for any column, even for zero: the server does not accept it as a number.
    let value =
        digits.iter().fold(0i64, |sum, d| (sum * 10 + i64::from(d - b'0')).min(MAX_EXPONENT));
    if value == MAX_EXPONENT {
        return Err(Reason::OutOfRange);
    }
    Ok(sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wire(text: &str, to: Option<NumericType>, round: bool) -> Result<(bool, Vec<u8>), Reason> {
        let mut decimal = Decimal::default();
        decimal.parse(text.as_bytes())?;
        let rounded = match to {
            Some(to) => decimal.fit(to, round)?,
            None => decimal.fit_any().map(|()| false)?,
        };
        let mut out = BytesMut::new();
        decimal.put(&mut out);
        Ok((rounded, out.to_vec()))
    }

    /// Decodes the wire form to text, independently of the encoder.
    fn text(wire: &[u8]) -> String {
        let word = |i: usize| i16::from_be_bytes([wire[2 * i], wire[2 * i + 1]]);
        let (count, weight, scale) = (word(0), i32::from(word(1)), word(3) as usize);
        assert_eq!(wire.len(), 8 + 2 * count as usize);
        let group = |g: i32| {
            let index = weight - g;
            if index < 0 || index >= i32::from(count) { 0 } else { word(4 + index as usize) }
        };
        let whole: String = (0..=weight.max(0)).rev().map(|g| format!("{:04}", group(g))).collect();
        let fraction: String =
            (1..=(scale as i32).div_euclid(4) + 1).map(|g| format!("{:04}", group(-g))).collect();
        let whole = whole.trim_start_matches('0');
        let sign = if word(2) as u16 == 0x4000 { "-" } else { "" };
        let whole = if whole.is_empty() { "0" } else { whole };
        let point = if scale > 0 { "." } else { "" };
        format!("{sign}{whole}{point}{}", &fraction[..scale])
    }

    const MONEY: Option<NumericType> = Some(NumericType { precision: 10, scale: 2 });

    #[test]
    fn the_real_files_values() {
        let to = |value, round| wire(value, MONEY, round).map(|(r, w)| (r, text(&w)));
        assert_eq!(to("150", false), Ok((false, "150.00".into())));
        assert_eq!(to("0.048", false), Err(Reason::NumericScale));
        assert_eq!(to("0.048", true), Ok((true, "0.05".into())));
        assert_eq!(to("-0.005", true), Ok((true, "-0.01".into())));
        assert_eq!(to("0.004999", true), Ok((true, "0.00".into())));
        assert_eq!(to("1E+5", false), Ok((false, "100000.00".into())));
        assert_eq!(to("1.50E1", false), Ok((false, "15.00".into())));
        assert_eq!(to("12.3000", false), Ok((false, "12.30".into())));
        for large in ["3.3E+8", "1E+8", "123370000", "99999999.995"] {
            assert_eq!(to(large, true), Err(Reason::NumericPrecision), "{large}");
        }
        assert_eq!(to("99999999.994", true), Ok((true, "99999999.99".into())));
        let free = |value| wire(value, None, false).map(|(_, w)| text(&w));
        assert_eq!(free("3.3E+8"), Ok("330000000".into()));
        assert_eq!(free("0.048"), Ok("0.048".into()));
        assert_eq!(free("1.50e1"), Ok("15.0".into()));
        assert_eq!(free("-0.0"), Ok("0.0".into()));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for bad in [
            "", "-", ".", "1e", "1e+", "1.2.3", " 1", "1 ", "NaN", "inf", "0x10", "1_000", "1,5",
            "٣",
        ] {
            assert_eq!(wire(bad, None, true), Err(Reason::InvalidNumber), "{bad:?}");
        }
        assert_eq!(wire("1e999999999999", None, true), Err(Reason::OutOfRange));
        assert_eq!(wire("1e-999999999999", None, true), Err(Reason::OutOfRange));
        assert_eq!(wire("1e131072", None, true), Err(Reason::OutOfRange));
        assert!(wire("1e131071", None, true).is_ok());
    }

    #[test]
    fn numbers_are_written_out_without_zeros_that_say_nothing() {
        let mut decimal = Decimal::default();
        let mut plain = |text: &str| {
            decimal
                .parse(text.as_bytes())
                .and_then(|()| decimal.plain())
                .map(|text| String::from_utf8(text).unwrap())
        };
        for (text, wanted) in [
            ("00012", "12"),
            ("+12.00", "12"),
            ("1.2e1", "12"),
            ("-0.050", "-0.05"),
            ("5e-3", "0.005"),
            ("12e2", "1200"),
            ("-0", "0"),
        ] {
            assert_eq!(plain(text), Ok(wanted.into()), "{text}");
        }
        assert_eq!(plain("1e999999"), Err(Reason::OutOfRange));
    }

    #[test]
    fn negative_and_large_scales() {
        let thousands = Some(NumericType { precision: 2, scale: -3 });
        let to = |value, round| wire(value, thousands, round).map(|(r, w)| (r, text(&w)));
        assert_eq!(to("12000", false), Ok((false, "12000".into())));
        assert_eq!(to("12500", true), Ok((true, "13000".into())));
        assert_eq!(to("499", true), Ok((true, "0".into())));
        assert_eq!(to("500", true), Ok((true, "1000".into())));
        assert_eq!(to("99500", true), Err(Reason::NumericPrecision));
        let small = Some(NumericType { precision: 2, scale: 4 });
        assert_eq!(wire("0.0012", small, false).map(|(_, w)| text(&w)), Ok("0.0012".into()));
        assert_eq!(wire("0.01", small, false), Err(Reason::NumericPrecision));
    }

    proptest! {
        #[test]
        fn short_amounts_are_encoded_as_any_other(
            text in prop_oneof!["[0-9.]{0,12}", "0{0,3}[0-9]{0,8}\\.[0-9]{0,3}", "[0-9]{1,9}", "[-+0-9.e]{1,6}"],
            precision in 1u16..25, scale in -2i16..10, declared: bool, round: bool,
        ) {
            let to = declared.then_some(NumericType { precision, scale });
            let mut out = BytesMut::new();
            let amount = put_amount(text.as_bytes(), to, round, &mut out);
            match (amount, wire(&text, to, round)) {
                (Some(rounded), any) => prop_assert_eq!(Ok((rounded, out.to_vec())), any),
                (None, Ok(_)) => prop_assert!(
                    text.len() > MAX_AMOUNT_LENGTH || text.contains(['-', '+', 'e'])
                        || !(0..=8).contains(&scale)
                ),
                (None, Err(_)) => prop_assert!(out.is_empty()),
            }
        }

        #[test]
        fn exact_values_come_back(whole in 0u64..100_000_000, cents in 0u8..100, negative: bool) {
            let sign = if negative && (whole > 0 || cents > 0) { "-" } else { "" };
            let value = format!("{sign}{whole}.{cents:02}");
            let (rounded, bytes) = wire(&value, MONEY, false).unwrap();
            prop_assert!(!rounded);
            prop_assert_eq!(text(&bytes), value);
        }

        #[test]
        fn plain_numeric_keeps_every_digit(digits in "[0-9]{1,40}", scale in 0usize..40) {
            let scale = scale.min(digits.len() - 1);
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            let point = if scale > 0 { "." } else { "" };
            let value = format!("{whole}{point}{fraction}");
            let (_, bytes) = wire(&value, None, false).unwrap();
            let expected = value.trim_start_matches('0');
            let expected = if expected.is_empty() || expected.starts_with('.') {
                format!("0{expected}")
            } else { expected.into() };
            prop_assert_eq!(text(&bytes), expected);
        }

        #[test]
        fn an_exponent_only_moves_the_point(mantissa in 1u64..1_000_000, exponent in -8i32..8) {
            let scientific = format!("{mantissa}e{exponent}");
            let plain = if exponent >= 0 {
                format!("{mantissa}{}", "0".repeat(exponent as usize))
            } else {
                let padded = format!("{mantissa:0>width$}", width = exponent.unsigned_abs() as usize + 1);
                let (whole, fraction) = padded.split_at(padded.len() - exponent.unsigned_abs() as usize);
                format!("{whole}.{fraction}")
            };
            prop_assert_eq!(wire(&scientific, None, false), wire(&plain, None, false));
        }
    }
}
