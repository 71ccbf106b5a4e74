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
mod tests;
