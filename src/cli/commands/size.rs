//! Sizes on the command line.

use crate::error::{Error, Result};

/// Parses a number of bytes with or without a unit: `20GiB`, `500 MB`, `1e9`.
pub(super) fn size(text: &str) -> Result<u64> {
    const UNITS: [(&str, f64); 8] = [
        ("KIB", 1024.0),
        ("MIB", 1_048_576.0),
        ("GIB", 1_073_741_824.0),
        ("TIB", 1_099_511_627_776.0),
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
    ];
    let upper = text.trim().to_uppercase();
    let unit = UNITS.into_iter().find_map(|(unit, bytes)| Some((upper.strip_suffix(unit)?, bytes)));
    let (number, bytes) = unit.unwrap_or((&upper, 1.0));
    match number.trim().parse::<f64>() {
        Ok(number) if number >= 0.0 && number.is_finite() => Ok((number * bytes) as u64),
        _ => Err(Error::usage(format!("{text:?} is not a size such as 20GiB or 500MB"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("20GiB", 21_474_836_480), ("500 MB", 500_000_000), ("12", 12)] {
            assert_eq!(size(text).unwrap(), bytes, "{text}");
        }
        for bad in ["", "GiB", "-1GB", "a lot", "inf"] {
            assert!(size(bad).is_err(), "{bad:?}");
        }
    }
}
