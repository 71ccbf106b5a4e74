//! Quantities: their distribution for a kind of goods, and their notation in the
//! files.
//!
//! The notation is that of R, which wrote the public download: up to fifteen
//! digits, in scientific notation if that is shorter (`1e+05`, `3e-04`).

use crate::list::Entry;
use sterna_error::Result;

/// A quantity: `digits` divided by ten to the power of `decimals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quantity {
    digits: u64,
    decimals: u32,
}

/// The few quantities that do not fit `numeric(10,2)`.
pub(super) const OVERFLOWING: [Quantity; 3] =
    [Quantity::new(330_000_000, 0), Quantity::new(100_000_000, 0), Quantity::new(123_370_000, 0)];

const TEN: [u64; 16] = {
    let mut powers = [1; 16];
    let mut i = 1;
    while i < powers.len() {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// Points of distributions are stored in millionths of a unit.
const POINT_DECIMALS: u32 = 6;
/// Drawn quantities stay below this, so that only [`OVERFLOWING`] overflow.
const LARGEST: u64 = 99_000_000 * TEN[POINT_DECIMALS as usize];

impl Quantity {
    pub(super) const fn new(digits: u64, decimals: u32) -> Self {
        Quantity { digits, decimals }
    }

    /// Appends the quantity in the notation of the files.
    pub(super) fn write(self, line: &mut Vec<u8>) {
        let (mut digits, mut decimals) = (self.digits, self.decimals as i32);
        while digits != 0 && digits.is_multiple_of(10) {
            digits /= 10;
            decimals -= 1;
        }
        let text = itoa(digits);
        let text = text.as_bytes();
        let count = text.len() as i32;
        let fixed_width = match decimals {
            ..=0 => count - decimals,
            d if d < count => count + 1,
            d => d + 2,
        };
        let scientific_width = count + i32::from(count > 1) + 4;
        if fixed_width <= scientific_width {
            write_fixed(text, decimals, line);
        } else {
            write_scientific(text, count - 1 - decimals, line);
        }
    }
}

fn write_fixed(text: &[u8], decimals: i32, line: &mut Vec<u8>) {
    if decimals <= 0 {
        line.extend_from_slice(text);
        line.extend((decimals..0).map(|_| b'0'));
        return;
    }
    let decimals = decimals as usize;
    if let Some(whole) = text.len().checked_sub(decimals).filter(|&whole| whole > 0) {
        line.extend_from_slice(&text[..whole]);
        line.push(b'.');
        line.extend_from_slice(&text[whole..]);
    } else {
        line.extend_from_slice(b"0.");
        line.extend((text.len()..decimals).map(|_| b'0'));
        line.extend_from_slice(text);
    }
}

fn write_scientific(text: &[u8], exponent: i32, line: &mut Vec<u8>) {
    line.push(text[0]);
    if text.len() > 1 {
        line.push(b'.');
        line.extend_from_slice(&text[1..]);
    }
    line.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
    let exponent = exponent.unsigned_abs() as u8;
    line.extend_from_slice(&[b'0' + exponent / 10, b'0' + exponent % 10]);
}

/// The distribution of quantities for a kind of goods.
#[derive(Clone, Copy, Debug)]
pub(super) struct Law {
    /// Permille of shipments with the quantity one.
    one: u64,
    /// Permille of shipments with a whole number, including one.
    whole: u64,
    /// Permille of shipments with more than two decimals.
    inexact: u64,
    /// The 10th, 50th, 90th and 99th percentile, in millionths.
    points: [u64; 4],
}

impl Law {
    /// Reads the seven fields of `entry` starting at `column`.
    pub(super) fn read(entry: &Entry, column: usize) -> Result<Self> {
        let mut points = [0; 4];
        for (point, column) in points.iter_mut().zip(column + 3..) {
            let text = entry.text(column);
            *point = millionths(text).ok_or_else(|| entry.wrong(text, "number of six decimals"))?;
        }
        Ok(Law {
            one: entry.number(column)?,
            whole: entry.number(column + 1)?,
            inexact: entry.number(column + 2)?,
            points,
        })
    }

    /// The quantity selected by 64 random bits.
    pub(super) fn draw(&self, bits: u64) -> Quantity {
        let kind = ((bits & 0xffff) * 1000) >> 16;
        let value = self.value((bits >> 16) & 0xffff);
        let detail = bits >> 32;
        if kind < self.one {
            Quantity::new(1, 0)
        } else if kind < self.whole {
            Quantity::new(rounded((value / TEN[6]).max(2), detail), 0)
        } else if kind < 1000 - self.inexact {
            hundredths(value, detail)
        } else {
            inexact(value, detail)
        }
    }

    /// The value, in millionths, at `place` of 2^16 in the distribution.
    fn value(&self, place: u64) -> u64 {
        let [p10, p50, p90, p99] = self.points;
        let permille = (place * 1000) >> 16;
        let (from, to, start, width) = match permille {
            0..100 => (p10 / 10, p10, 0, 100),
            100..500 => (p10, p50, 100, 400),
            500..900 => (p50, p90, 500, 400),
            900..990 => (p90, p99, 900, 90),
            _ => (p99, p99 * 2, 990, 10),
        };
        // Squared, because quantities cluster at the lower end of each interval.
        let share = (place * 1000 - (start << 16)) / width;
        let share = (share * share) >> 16;
        let step = (u128::from(to.saturating_sub(from)) * u128::from(share)) >> 16;
        (from + step as u64).clamp(1, LARGEST)
    }
}

/// People weigh and count in round numbers: two out of three quantities are rounded.
fn rounded(value: u64, detail: u64) -> u64 {
    let digits = itoa(value).as_bytes().len();
    let kept = match detail % 3 {
        0 => 1,
        1 => 2,
        _ => return value,
    };
    let unit = TEN[digits.saturating_sub(kept)];
    value / unit * unit
}

/// A quantity with one or two decimals.
fn hundredths(value: u64, detail: u64) -> Quantity {
    let (decimals, unit) = if detail & 1 == 0 { (1, TEN[5]) } else { (2, TEN[4]) };
    let digits = (value / unit).max(1);
    let whole = digits.is_multiple_of(TEN[decimals as usize]);
    Quantity::new(digits + u64::from(whole) * (1 + (detail >> 1) % 9), decimals)
}

/// A quantity with three to nine decimals, most often three.
fn inexact(value: u64, detail: u64) -> Quantity {
    let decimals = match detail & 63 {
        0..50 => 3,
        50..53 => 4,
        53..59 => 5,
        59..62 => 6,
        _ => 9,
    };
    let detail = detail >> 6;
    let digits = if decimals == 9 {
        value * 1000 + detail % 1000
    } else {
        (value / TEN[(POINT_DECIMALS - decimals) as usize]).max(1)
    };
    // A trailing zero would be cut off, leaving fewer decimals.
    let ends_in_zero = digits.is_multiple_of(10);
    Quantity::new(digits + u64::from(ends_in_zero) * (1 + detail % 9), decimals)
}

/// Parses a decimal number as millionths; `None` if it is not one.
fn millionths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let missing = (POINT_DECIMALS as usize).checked_sub(fraction.len())?;
    let fraction = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().ok()? };
    whole.parse::<u64>().ok()?.checked_mul(TEN[6])?.checked_add(fraction * TEN[missing])
}

/// The decimal digits of a number, on the stack.
pub(super) struct Digits {
    bytes: [u8; 20],
    start: usize,
}

impl Digits {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// The decimal digits of `value`.
pub(super) fn itoa(mut value: u64) -> Digits {
    let mut digits = Digits { bytes: [b'0'; 20], start: 20 };
    loop {
        digits.start -= 1;
        digits.bytes[digits.start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return digits;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(digits: u64, decimals: u32) -> String {
        let mut line = Vec::new();
        Quantity::new(digits, decimals).write(&mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn quantities_are_spelled_as_r_does() {
        let cases = [
            ((1, 0), "1"),
            ((48, 3), "0.048"),
            ((150, 2), "1.5"),
            ((1000, 0), "1000"),
            ((10_000, 0), "10000"),
            ((100_000, 0), "1e+05"),
            ((120_000, 0), "120000"),
            ((25_000_000, 0), "2.5e+07"),
            ((330_000_000, 0), "3.3e+08"),
            ((123_370_000, 0), "123370000"),
            ((1, 3), "0.001"),
            ((3, 4), "3e-04"),
            ((12, 4), "0.0012"),
            ((84, 6), "8.4e-05"),
            ((1_234_567, 6), "1.234567"),
        ];
        for ((digits, decimals), text) in cases {
            assert_eq!(spelled(digits, decimals), text);
        }
    }

    #[test]
    fn a_law_keeps_its_shares() {
        let law =
            Law { one: 100, whole: 400, inexact: 300, points: [20_000, 900_000, TEN[7], TEN[8]] };
        let mut counts = [0; 3];
        for i in 0..60_000u64 {
            let quantity = law.draw(i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            assert_ne!(quantity.digits, 0);
            let mut text = Vec::new();
            quantity.write(&mut text);
            let text = String::from_utf8(text).unwrap();
            let decimals = quantity.decimals;
            counts[match decimals {
                0 => 0,
                1 | 2 => 1,
                _ => 2,
            }] += 1;
            assert_eq!(decimals == 0, text.parse::<f64>().unwrap().fract() == 0.0, "{text}");
        }
        for (count, permille) in counts.into_iter().zip([400, 300, 300]) {
            assert!((count * 1000 / 60_000i32 - permille).abs() < 10, "{counts:?}");
        }
    }

    #[test]
    fn points_are_read_exactly() {
        assert_eq!(millionths("0.00034"), Some(340));
        assert_eq!(millionths("12"), Some(12_000_000));
        assert_eq!(millionths("1.2345678"), None);
        assert_eq!(millionths("x"), None);
    }
}
