//! For each check, an error that only this check is about, planted in a table that passes all of
//! them; and the row that it must name.

use serde_json::json;

use super::{FILL_PRODUCTION, check, failed, validated};
use crate::cites::{Installation, file_of, generated, good, insert_species, shipment};

/// An error: SQL that plants it, the checks that must fail, and what the first of them must show
/// among its rows.
pub(super) struct Planted {
    sql: &'static str,
    checks: &'static [&'static str],
    shown: &'static str,
}

pub(super) const fn planted(
    sql: &'static str,
    checks: &'static [&'static str],
    shown: &'static str,
) -> Planted {
    Planted { sql, checks, shown }
}

/// Plants each error in a valid table of generated rows; production has the same rows.
pub(super) async fn plant(errors: &[Planted]) {
    let here = Installation::new().await;
    here.db
        .psql(
            "DROP VIEW trade_quantity_by_year;
             ALTER TABLE cites_trade_records ALTER quantity TYPE numeric",
        )
        .await;
    let file = here.file("g.csv", generated(2_000, 7));
    for Planted { sql, checks, shown } in errors {
        here.db.psql(&format!("TRUNCATE species CASCADE; {}", insert_species())).await;
        here.report(0, &[&file, "--all"]);
        here.db.psql(FILL_PRODUCTION).await;
        let before = validated(&here, 0, &[]);

        here.db.psql(&format!("SET session_replication_role = replica; {sql}")).await;
        // A check that exists only because of what is planted has severity error.
        let is_warning = |name: &&str| {
            super::checks(&before).iter().any(|c| c["name"] == **name && c["severity"] == "warning")
        };
        let code = if checks.iter().all(is_warning) { 0 } else { 4 };
        let after = validated(&here, code, &[]);

        let first = check(&after, checks[0]);
        let mut expected: Vec<_> =
            failed(&before).into_iter().chain(checks.iter().copied()).collect();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(failed(&after), expected, "{sql}\n{after:#}");
        assert!(first["rows"].to_string().contains(shown), "{sql}\n{first:#}");
        assert_ne!(first["observed"], json!(0), "{sql}");
        here.db.psql("DROP TABLE IF EXISTS public.child").await;
        here.db.sterna(&["stage", "drop"]).expect_code(0);
    }
}

/// A row written by hand is always noticed as such, too.
macro_rules! and_touched {
    ($($check:literal),*) => { &[$($check,)* "equal-to-files", "rows-as-loaded", "rows-lost"] };
}

#[tokio::test]
async fn a_row_that_was_changed_is_named() {
    plant(&[
        planted(
            "UPDATE cites_trade_records_staging SET quantity = quantity + 0.01
             WHERE record_id = (SELECT max(record_id) FROM cites_trade_records_staging)",
            &["rows-as-loaded", "equal-to-files", "rows-lost"],
            "record_id",
        ),
        planted(
            "UPDATE cites_trade_records_staging SET year = 1874, record_id = 'old'
             WHERE record_id = (SELECT max(record_id) FROM cites_trade_records_staging
                                WHERE year = 2020 AND taxon = 'Acipenser baerii')",
            and_touched!["year-bounds"],
            r#""record_id":"old","year":1874"#,
        ),
        planted(
            "UPDATE cites_trade_records_staging SET species_id =
                 (SELECT id FROM species WHERE scientific_name = 'Ursus maritimus')
             WHERE record_id = (SELECT max(record_id) FROM cites_trade_records_staging
                                WHERE year = 2020 AND taxon = 'Acipenser baerii')",
            and_touched!["taxon-of-species"],
            "Acipenser baerii",
        ),
        planted(
            "UPDATE cites_trade_records_staging SET quantity = 0
             WHERE record_id = (SELECT max(record_id) FROM cites_trade_records_staging)",
            and_touched!["quantity-positive"],
            r#""quantity":0"#,
        ),
        planted(
            "UPDATE cites_trade_records_staging SET quantity = 'NaN'
             WHERE record_id = (SELECT max(record_id) FROM cites_trade_records_staging)",
            and_touched!["quantity-positive"],
            "NaN",
        ),
        planted(
            "UPDATE cites_trade_records_staging SET term = ' '
             WHERE record_id = (SELECT max(record_id) FROM cites_trade_records_staging)",
            and_touched!["required", "blank-at-end.term", "listed-code.term"],
            r#""record_id""#,
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_row_that_was_exchanged_doubled_or_lost_is_noticed() {
    plant(&[
        planted(
            "INSERT INTO cites_trade_records_staging (id, species_id, record_id, year, appendix, taxon, term)
             SELECT gen_random_uuid(), species_id, 'other', year, appendix, taxon, term
             FROM cites_trade_records_staging ORDER BY record_id LIMIT 1;
             DELETE FROM cites_trade_records_staging WHERE record_id =
                 (SELECT min(record_id) FROM cites_trade_records_staging)",
            and_touched!["quantity-missing"],
            "other",
        ),
        planted(
            "INSERT INTO cites_trade_records_staging
                 (id, species_id, record_id, year, appendix, taxon, term, quantity)
             SELECT gen_random_uuid(), species_id, record_id, year, appendix, taxon, term, 1
             FROM cites_trade_records_staging ORDER BY record_id LIMIT 1",
            &["record-id-unique", "equal-to-files", "rows-accounted", "rows-as-loaded"],
            "record_id",
        ),
        planted(
            "ALTER TABLE cites_trade_records_staging DROP CONSTRAINT cites_trade_records_pkey_staging;
             UPDATE cites_trade_records_staging SET id =
                 (SELECT id FROM cites_trade_records_staging ORDER BY record_id LIMIT 1)
             WHERE record_id = (SELECT max(record_id) FROM cites_trade_records_staging)",
            and_touched!["unique-key.cites_trade_records_pkey", "structure"],
            "record_id",
        ),
        planted(
            "DELETE FROM cites_trade_records_staging WHERE record_id =
                 (SELECT min(record_id) FROM cites_trade_records_staging WHERE year = 2020)",
            &["rows-lost", "rows-accounted", "equal-to-files"],
            "g.csv",
        ),
        planted(
            "UPDATE cites_trade_records_staging SET record_id = NULL
             WHERE record_id = (SELECT max(record_id) FROM cites_trade_records_staging)",
            and_touched!["record-id-present"],
            r#""id""#,
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_production_has_and_staging_lacks_is_noticed() {
    plant(&[
        planted(
            "INSERT INTO cites_trade_records (species_id, record_id, year, appendix, taxon, term)
             SELECT id, 'lost', 1976, 'I', scientific_name, 'live' FROM species
             WHERE scientific_name = 'Ursus maritimus'",
            &["species-year-missing", "year-shrunk"],
            r#""species":"Ursus maritimus""#,
        ),
        planted(
            "INSERT INTO cites_trade_records (species_id, year, appendix, taxon, term)
             SELECT species_id, 2020, appendix, taxon, term FROM cites_trade_records
             WHERE taxon = 'Acipenser baerii' AND year = 2020",
            &["species-year-shrunk", "year-shrunk"],
            "2020",
        ),
        planted(
            "UPDATE cites_trade_records SET quantity = 2 * quantity WHERE unit = 'kg'",
            &["quantity-lost.quantity"],
            r#""unit":"kg""#,
        ),
        planted(
            "UPDATE cites_trade_records SET quantity = quantity / 2 WHERE unit = 'kg'",
            &["quantity-grown.quantity"],
            r#""unit":"kg""#,
        ),
        planted(
            "CREATE TABLE public.child (trade uuid REFERENCES cites_trade_records);
             INSERT INTO public.child VALUES ('7d1c9f0e-52b4-4a68-9c3b-0e6a41d8f725')",
            &["referring-key.child_trade_fkey"],
            "7d1c9f0e",
        ),
        planted(
            "DELETE FROM species WHERE scientific_name = 'Ursus maritimus'",
            &["foreign-key.cites_trade_records_species_id_fkey"],
            "record_id",
        ),
    ])
    .await;
}

#[tokio::test]
async fn structure_statistics_and_the_ledger_are_looked_at() {
    plant(&[
        planted("DROP INDEX idx_cites_trade_year_staging", &["structure"], "btree (year)"),
        planted(
            "ALTER TABLE cites_trade_records_staging ADD CHECK (year > 1900)",
            &["structure"],
            "year > 1900",
        ),
        planted(
            "ALTER TABLE cites_trade_records_staging ALTER source DROP NOT NULL,
                 ALTER source SET DEFAULT 'W'",
            &["structure"],
            "default 'W'",
        ),
        planted(
            "DELETE FROM pg_statistic WHERE starelid = 'cites_trade_records_staging'::regclass
                 AND staattnum = 4",
            &["statistics"],
            r#""columns_without":1"#,
        ),
        planted(
            "UPDATE sterna.load_run SET state = 'rejected' WHERE state = 'loaded'",
            &["load-complete"],
            "rejected",
        ),
        planted(
            "UPDATE sterna.load_file SET account = account || '{\"rows_loaded\": 5}'",
            &["load-account"],
            r#""in_files":5"#,
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_files_hold_is_judged_and_the_file_is_named() {
    let here = Installation::new().await;
    let odd: &[(&[(&str, &str)], &str)] = &[
        (&[("Year", "1874")], "year-bounds"),
        (&[("Year", "2999")], "year-bounds"),
        (&[("Appendix", "IV")], "listed-code.appendix"),
        (&[("Term", "Skins")], "listed-code.term"),
        (&[("Unit", "stones")], "listed-code.unit"),
        (&[("Importer", "UK")], "listed-code.importer"),
        (&[("Exporter", "??")], "listed-code.exporter"),
        (&[("Origin", "gl")], "listed-code.origin"),
        (&[("Purpose", "A")], "listed-code.purpose"),
        (&[("Source", "B")], "listed-code.source"),
        (&[("Reporter.type", "X")], "listed-code.reporter_type"),
        (&[("Term", "jewellery - ivory ")], "blank-at-end.term"),
        (&[("Quantity", "-3")], "quantity-positive"),
        (&[("Quantity", "")], "quantity-missing"),
        (&[("Taxon", "ursus  MARITIMUS")], ""),
        (&[("Importer", "SU"), ("Exporter", "XX"), ("Origin", "ZZ")], ""),
        (&[("Appendix", "N"), ("Unit", "Number of specimens")], ""),
    ];
    let records = odd.iter().enumerate().map(|(at, (changes, _))| {
        let id = format!("odd-{at}");
        shipment(&[*changes, &[("Id", id.as_str())]].concat())
    });
    let first = here.file("good.csv", file_of(&good(20)));
    let second = here.file("odd.csv", file_of(&records.collect::<Vec<_>>()));
    here.report(0, &[&first, &second, "--all"]);
    let report = validated(&here, 4, &[]);
    let mut expected: Vec<_> =
        odd.iter().map(|(_, name)| *name).filter(|n| !n.is_empty()).collect();
    expected.sort_unstable();
    expected.dedup();
    assert_eq!(failed(&report), expected, "{report:#}");
    for (at, (_, name)) in odd.iter().enumerate().filter(|(_, (_, name))| !name.is_empty()) {
        let found = check(&report, name);
        let rows = found["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["record_id"] == format!("odd-{at}"));
        let row = row.unwrap_or_else(|| panic!("{at} is not in {found:#}"));
        assert_eq!(row["file"], json!(second), "{row}");
        assert_eq!(found["observed"], json!(rows.len()));
    }
}

#[tokio::test]
async fn a_year_with_few_rows_warns() {
    let here = Installation::new().await;
    let record = |at: usize| {
        let year = if at < 150 { "2019" } else { "2020" };
        shipment(&[("Id", &at.to_string()), ("Year", year)])
    };
    let file = here.file("few.csv", file_of(&(0..170).map(record).collect::<Vec<_>>()));
    here.report(0, &[&file, "--all"]);
    let report = validated(&here, 0, &[]);
    assert_eq!(failed(&report), ["few-rows-in-year"]);
    assert_eq!(check(&report, "few-rows-in-year")["rows"][0]["year"], 2020);
}
