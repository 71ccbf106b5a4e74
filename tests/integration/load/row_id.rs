//! Row ids: production's own if it has the record, otherwise made from the record id, and the
//! same in every load.

use uuid::Uuid;

use crate::cites::{Installation, file_of, generated, good, shipment};

async fn ids(here: &Installation) -> String {
    here.db.psql("SELECT record_id, id FROM cites_trade_records_staging ORDER BY 1, 2").await
}

#[tokio::test]
async fn known_records_keep_their_id_and_new_ones_get_one_of_their_name() {
    let here = Installation::new().await;
    here.db.psql(
        "INSERT INTO cites_trade_records (id, species_id, record_id, year, appendix, taxon, term)
        SELECT md5(n::text)::uuid, s.id, record, 2020, 'II', s.scientific_name, 'skins'
        FROM (SELECT * FROM species LIMIT 1) s, (VALUES (1, '2'), (2, '4'), (3, '5'), (4, '5'), (5, NULL)) v (n, record)",
    ).await;
    let file = here.file("in.csv", file_of(&good(5)));
    here.report(0, &[&file, "--all"]);
    let namespace = Uuid::new_v5(&Uuid::nil(), b"sterna.record");
    let new = |record: &str| Uuid::new_v5(&namespace, record.as_bytes()).to_string();
    let known = here.db.psql("SELECT string_agg(md5(n::text)::uuid::text, ' ' ORDER BY n) FROM generate_series(1, 2) n").await;
    let known: Vec<&str> = known.split(' ').collect();
    // The record id 5 occurs in two rows of production, so it identifies neither.
    let expected = [
        ("1", new("1")),
        ("2", known[0].into()),
        ("3", new("3")),
        ("4", known[1].into()),
        ("5", new("5")),
    ];
    let expected: Vec<String> =
        expected.iter().map(|(record, id)| format!("{record}|{id}")).collect();
    assert_eq!(ids(&here).await, expected.join("\n"));
}

#[tokio::test]
async fn a_second_load_gives_the_same_ids() {
    let here = Installation::new().await;
    let mut text = generated(2_000, 3);
    // Records without an id are identified by their position.
    for _ in 0..5 {
        text.push_str(&shipment(&[("Id", "")]));
        text.push('\n');
    }
    let file = here.file("in.csv", &text);
    let load = |batch_size| {
        here.report(0, &[&file, "--all", "--on-inexact", "widen", "--batch-size", batch_size])
    };
    load("10000");
    let first = ids(&here).await;
    here.db.sterna(&["stage", "drop"]).expect_code(0);
    load("77");
    assert_eq!(ids(&here).await, first);
    let places =
        "SELECT count(DISTINCT id) FROM cites_trade_records_staging WHERE record_id IS NULL";
    assert_eq!(here.db.psql(places).await, "5");
    let elsewhere = Installation::new().await;
    let report = elsewhere
        .report(0, &[&elsewhere.file("other name.csv", &text), "--all", "--on-inexact", "widen"]);
    assert_eq!(report["rows_loaded"], 2_005);
    assert_eq!(ids(&elsewhere).await, first);
}

/// A column type for record ids, with an id as stored in production, the same value in another
/// notation, and a new one in two notations.
const WRITTEN: [(&str, &str, &str, [&str; 2]); 4] = [
    ("bigint", "12", "00012", ["7", "+007"]),
    ("numeric(10,2)", "12.50", "1.25e1", ["7", "7.0"]),
    (
        "uuid",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "A0EEBC999C0B4EF8BB6D6BB9BD380A11",
        ["b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "B0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"],
    ),
    ("char(6)", "ab", "ab  ", ["c", "c "]),
];

#[tokio::test]
async fn record_ids_are_the_same_where_their_values_are() {
    for (sql_type, known, written, new) in WRITTEN {
        let here = Installation::new().await;
        here.db
            .psql(&format!(
                "ALTER TABLE cites_trade_records ALTER COLUMN record_id TYPE {sql_type}
                    USING record_id::{sql_type};
                INSERT INTO cites_trade_records (id, species_id, record_id, year, appendix, taxon, term)
                SELECT md5('known')::uuid, id, '{known}', 2020, 'II', scientific_name, 'skins'
                FROM species LIMIT 1"
            ))
            .await;
        let ids = [written, new[0], new[1]];
        let records = ids.map(|id| shipment(&[("Id", id)]));
        let file = here.file("in.csv", file_of(&records));
        let args = [&file, "--all", "--max-rejects", "1", "--rejects", "r.csv"];
        let report = here.report(0, &args);
        assert_eq!(report["rows_rejected"], 1, "{sql_type}: {report:#}");
        let kept = "SELECT id = md5('known')::uuid FROM cites_trade_records_staging
            ORDER BY id = md5('known')::uuid";
        assert_eq!(here.db.psql(kept).await, "f\nt", "{sql_type}");
    }
}
