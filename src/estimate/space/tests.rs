use super::*;

const SIZES: Sizes = Sizes {
    database: 1_500_000_000,
    table: 700_000_000,
    backup_table: 500_000_000,
    rows: Some(1_000_000),
    heap: 400_000_000,
    indexes: 300_000_000,
    sorted: 100_000_000,
    max_wal_size: 1 << 30,
    keeps_wal: false,
    matches_rows: Some(false),
};

#[test]
fn the_database_and_what_is_added_must_stay_within_the_limit() {
    // Staging and the backup table, whose key is sorted on disk; WAL of the rows and of the
    // frozen pages, of indexes and of the backup table.
    let needed = 700_000_000 + 600_000_000 + 1_100_000_000 + 500_000_000;
    assert_eq!(SIZES.needed().total, needed);
    assert!(SIZES.fit(1_500_000_000 + needed) && !SIZES.fit(1_499_999_999 + needed));
    assert!(SIZES.without_backup_table().needed().total < needed);
    assert!(SIZES.with_matching(true).needed().total > needed);
    let huge = Sizes { heap: u64::MAX / 2, backup_table: u64::MAX / 2, ..SIZES };
    assert!(!huge.fit(u64::MAX - 1), "{huge:?}");
}

#[test]
fn every_figure_is_named() {
    let text = SIZES.describe(Some(8_000_000_000));
    for part in [
        "database takes 1.5 GB",
        "indexes 700.0 MB",
        "up to 2.9 GB",
        "staging 700.0 MB",
        "backup table 500.0 MB",
        "WAL 1.6 GB",
        "together 4.4 GB",
        "limit is 8.0 GB",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!SIZES.describe(None).contains("limit"));
}

#[test]
fn a_step_takes_space_by_its_rows() {
    let double = SIZES.step("3.2", Some(2_000_000));
    assert_eq!(double.bytes_added, Some(1_400_000_000));
    assert_eq!(double.temporary_bytes, Some(200_000_000));
    assert_eq!(SIZES.step("3.1", Some(500_000)).bytes_freed, Some(350_000_000));
    assert_eq!(SIZES.step("5.4", None).bytes_freed, Some(1_200_000_000));
    let matched = SIZES.with_matching(true).step("3.2", Some(1_000_000));
    // Beside the rows, whose indexes do not exist yet.
    assert_eq!(matched.temporary_bytes, Some(900_000_000));
    assert_eq!(matched.wal_bytes, Some(1_500_000_000));
}

#[test]
fn what_is_not_known_is_not_claimed() {
    for sizes in [Sizes { rows: None, ..SIZES }, Sizes { rows: Some(0), ..SIZES }] {
        let load = sizes.step("3.2", Some(5));
        assert_eq!((load.bytes_added, load.is_notable()), (None, false), "{load:?}");
        assert!(load.describe().contains("no rows to go by"), "{load:?}");
        assert!(sizes.peak(Some(5)).describe().starts_with("not known"), "{sizes:?}");
    }
    assert!(SIZES.step("2.1", None).describe().contains("not known"));
    assert_eq!(SIZES.step("3.3", Some(5)).temporary_bytes, None);
    assert!(SIZES.step("1.1", Some(5)).describe().contains("writes of others"));
}

#[test]
fn the_peak_is_where_most_is_held() {
    let files = Some(1_000_000);
    let peak = SIZES.peak(files);
    assert_eq!((peak.peak_bytes, peak.peak_step), (Some(1_300_000_000), Some("4.1")));
    assert!(peak.describe().contains("max_wal_size"), "{peak:?}");
    let matched = Sizes { keeps_wal: true, ..SIZES }.with_matching(true).peak(files);
    assert_eq!((matched.peak_bytes, matched.peak_step), (Some(1_600_000_000), Some("3.2")));
    assert!(matched.describe().contains("replication slot"), "{matched:?}");
}
