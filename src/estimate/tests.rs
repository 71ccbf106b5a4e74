use proptest::prelude::*;

use super::*;

fn basis(round_trip_ms: f64, earlier: &[(&str, Option<u64>, f64)]) -> Basis {
    let line = Line {
        up: Rate { bytes_per_second: 250e3, is_least: false },
        down: Rate { bytes_per_second: 12.5e6, is_least: true },
    };
    let earlier = earlier.iter().map(|(step, rows, seconds)| {
        let when = "on 2026-11-30".to_owned();
        let round_trip_ms = (*step == "3.2").then_some(20.0);
        let (rows, seconds, rate) = (*rows, *seconds, None);
        ((*step).to_owned(), Earlier { rows, seconds, when, round_trip_ms, rate })
    });
    Basis {
        distance: Distance { round_trip_ms, line },
        live_rows: Some(1000),
        row_bytes: Some(200.0),
        earlier: earlier.collect(),
    }
}

#[test]
fn without_an_earlier_run_only_the_line_is_known() {
    let basis = basis(50.0, &[]);
    let load = basis.step("3.2", Some(500_000));
    assert_eq!(load.estimated_seconds, Some(400.0 + 72.0 * 0.05));
    let says = "at least 7 min: only the line, without the server's work: about 100.0 MB up at \
                2.0 Mbit/s, up to 72 round trips of 50 ms";
    assert_eq!(load.describe(), says);
    let backup = basis.step("1.1", Some(500_000));
    assert_eq!(backup.estimated_seconds, Some(8.0));
    assert!(backup.describe().ends_with("down at 100 Mbit/s or more"), "{backup:?}");
    assert!(basis.step("4.2", None).estimated_seconds.is_some_and(|s| (s - 2.8).abs() < 1e-9));
    for (step, rows) in [("3.2", None), ("3.3", Some(500_000)), ("2.3", None)] {
        assert_eq!(basis.step(step, rows), unknown(), "{step}");
    }
}

#[test]
fn an_earlier_run_counts_by_its_rows() {
    let basis = basis(50.0, &[("3.2", Some(1000), 20.0), ("3.3", None, 4.0)]);
    let load = basis.step("3.2", Some(3000));
    let says = "about 62 s: as on 2026-11-30, by the number of rows; the round trip was 20 ms";
    assert_eq!(load.describe(), says);
    assert_eq!(basis.step("3.3", Some(9)).describe(), "about 4.0 s: as on 2026-11-30");
    let near = Basis { distance: Distance { round_trip_ms: 1.0, ..basis.distance }, ..basis };
    assert_eq!(near.step("3.2", None).estimated_seconds, Some(20.0));
}

#[test]
fn a_line_that_has_become_slower_counts() {
    let basis = basis(50.0, &[("3.2", Some(1000), 0.1), ("1.1", Some(1000), 0.1)]);
    // 100 MB over eight connections of 250 kB/s.
    let load = basis.step("3.2", Some(500_000));
    assert_eq!(load.estimated_seconds, Some(50.0 + 72.0 * 0.05), "{load:?}");
    assert!(load.estimated_from.starts_with("longer than on 2026-11-30"), "{load:?}");
    // This direction may be faster than it was measured.
    let backup = basis.step("1.1", Some(500_000));
    assert_eq!(backup.describe(), "about 50 s: as on 2026-11-30, by the number of rows");
}

#[test]
fn a_load_of_one_year_counts_for_all_years_until_these_have_been_loaded() {
    let mut basis = basis(50.0, &[]);
    let report = serde_json::json!({
        "rows_loaded": 1000, "batches": 1, "batch_ms": {"p50": 100.0}, "writers": 1,
        "load_seconds": 3.0, "match_seconds": 2.0, "index_seconds": 0.5, "resumed": false,
    });
    basis.learn("2.1", Some(1000), 9.0, &report);
    let load = basis.step("3.2", Some(100_000));
    assert_eq!(load.estimated_seconds, Some(10.0 + 2.0 + 50.0), "{load:?}");
    assert!(load.describe().contains("2.1 in this run"), "{load:?}");
    assert_eq!(basis.settling("3.2", Some(100_000)), Some(52.0));
    assert_eq!(basis.settling("3.3", Some(100_000)), None);
    assert_eq!((basis.has_matched("2.1"), basis.has_matched("3.2")), (Some(true), None));
    basis.learn("3.2", Some(100_000), 30.0, &report);
    assert_eq!(basis.step("3.2", Some(100_000)).estimated_seconds, Some(30.0));
}

proptest! {
    #[test]
    fn more_rows_and_a_longer_way_never_take_less_time(
        rows in 0u64..1_000_000_000, more in 0u64..1_000_000_000,
        trip in 0.0f64..1000.0, longer in 0.0f64..1000.0,
        step in prop::sample::select(vec!["1.1", "2.1", "3.2", "4.2", "5.2"]),
        has_run: bool,
    ) {
        let earlier = [(step, Some(1000), 3.0)];
        let earlier = if has_run { &earlier[..] } else { &[] };
        let seconds = |trip, rows| basis(trip, earlier).step(step, Some(rows)).estimated_seconds;
        prop_assert!(seconds(trip, rows) <= seconds(trip + longer, rows + more));
        let is_known = has_run || step != "5.2";
        prop_assert_eq!(seconds(trip, rows).is_some(), is_known);
    }
}
