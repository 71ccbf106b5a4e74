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
    for bad in
        ["", "-", ".", "1e", "1e+", "1.2.3", " 1", "1 ", "NaN", "inf", "0x10", "1_000", "1,5", "٣"]
    {
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
            (None, Ok(_)) => {
                let has_many_decimals =
                    if declared { !(0..=8).contains(&scale) } else { text.len() > 8 };
                prop_assert!(
                    text.len() > MAX_AMOUNT_LENGTH
                        || text.contains(['-', '+', 'e'])
                        || has_many_decimals
                );
            }
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
