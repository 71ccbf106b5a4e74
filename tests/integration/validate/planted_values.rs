//! Further errors, planted in a table that passes all checks: values of one row, and columns of
//! the table.

use super::planted::{Planted, plant, planted};

/// A manual change of one row, which is always noticed as such, too.
macro_rules! one_row {
    ($change:literal, [$($check:literal),*], $shown:literal) => {
        planted(
            concat!(
                "UPDATE cites_trade_records_staging SET ", $change,
                " WHERE record_id = (SELECT min(record_id) FROM cites_trade_records_staging
                    WHERE taxon = 'Ursus maritimus' AND quantity > 1 AND importer <> exporter)"
            ),
            &[$($check,)* "rows-as-loaded", "equal-to-files", "rows-lost"],
            $shown,
        )
    };
}

#[tokio::test]
async fn a_value_that_cannot_be_is_named() {
    const ERRORS: &[Planted] = &[
        planted(
            "UPDATE cites_trade_records_staging SET year = 2100
             WHERE record_id = (SELECT max(record_id) FROM cites_trade_records_staging
                                WHERE year = 2020 AND taxon = 'Acipenser baerii')",
            &["year-bounds", "rows-as-loaded", "equal-to-files", "rows-lost"],
            r#""year":2100"#,
        ),
        one_row!("quantity = 'Infinity'", ["quantity-positive"], "Infinity"),
        one_row!("quantity = 'NaN'", ["quantity-positive"], "NaN"),
        one_row!("quantity = -quantity", ["quantity-positive"], r#""quantity":-"#),
        one_row!("quantity = NULL", ["quantity-missing"], r#""record_id""#),
        one_row!("appendix = 'i'", ["listed-code.appendix"], r#""appendix":"i""#),
        one_row!("importer = 'de'", ["listed-code.importer"], r#""importer":"de""#),
        one_row!("exporter = 'GL '", ["listed-code.exporter"], r#""exporter":"GL ""#),
        one_row!("unit = 'stones'", ["listed-code.unit"], "stones"),
        one_row!("purpose = 'AA'", ["listed-code.purpose"], "AA"),
        one_row!("source = '7'", ["listed-code.source"], "7"),
        one_row!("reporter_type = 'e'", ["listed-code.reporter_type"], r#""e""#),
        one_row!("appendix = ''", ["required", "listed-code.appendix"], r#""record_id""#),
        one_row!("appendix = E' \\r\\n '", ["required", "listed-code.appendix"], r#""record_id""#),
        one_row!(
            "term = E'\\t'",
            ["required", "blank-at-end.term", "listed-code.term"],
            r#""record_id""#
        ),
        one_row!("term = term || E'\\n'", ["blank-at-end.term", "listed-code.term"], "\\n"),
        one_row!("taxon = 'Ursus arctos'", ["taxon-of-species"], "Ursus arctos"),
        one_row!("record_id = ' '", ["record-id-present"], r#""id""#),
    ];
    plant(ERRORS).await;
}

#[tokio::test]
async fn a_value_that_could_be_but_is_not_the_files_is_noticed() {
    const ERRORS: &[Planted] = &[
        one_row!("importer = exporter, exporter = importer", ["rows-as-loaded"], "record_id"),
        one_row!("import_permit = 'other'", ["rows-as-loaded"], "record_id"),
        one_row!("record_id = record_id || '0'", ["rows-as-loaded"], "record_id"),
        planted(
            "UPDATE cites_trade_records_staging AS t SET quantity = o.quantity
             FROM (SELECT min(record_id) AS one, max(record_id) AS other
                   FROM cites_trade_records_staging) AS r,
                  cites_trade_records_staging AS o
             WHERE (t.record_id, o.record_id) IN ((r.one, r.other), (r.other, r.one))",
            &["rows-as-loaded", "equal-to-files", "rows-lost"],
            "record_id",
        ),
        planted(
            "INSERT INTO cites_trade_records_staging
                 (id, species_id, record_id, year, appendix, taxon, term, quantity)
             SELECT gen_random_uuid(), species_id, 'extra', year, appendix, taxon, term, 1
             FROM cites_trade_records_staging ORDER BY record_id LIMIT 1",
            &["rows-as-loaded", "equal-to-files", "rows-accounted"],
            "extra",
        ),
    ];
    plant(ERRORS).await;
}

#[tokio::test]
async fn a_table_of_another_form_is_described() {
    plant(&[
        planted(
            "ALTER TABLE cites_trade_records_staging DROP COLUMN import_permit",
            &["structure", "equal-to-files"],
            "import_permit",
        ),
        planted(
            "ALTER TABLE cites_trade_records_staging DROP COLUMN term",
            &["structure", "equal-to-files"],
            r#""name":"term""#,
        ),
        planted(
            "ALTER TABLE cites_trade_records_staging DROP COLUMN species_id",
            &["structure", "equal-to-files"],
            "species_id",
        ),
        planted(
            "ALTER TABLE cites_trade_records_staging DROP COLUMN id",
            &["structure", "equal-to-files"],
            r#""name":"id""#,
        ),
        planted(
            "ALTER TABLE cites_trade_records_staging ALTER id DROP DEFAULT",
            &["structure"],
            "gen_random_uuid",
        ),
        planted(
            "ALTER TABLE cites_trade_records_staging ADD CHECK (year > 1000)",
            &["structure"],
            "year",
        ),
        planted(
            "DELETE FROM pg_statistic WHERE starelid = 'cites_trade_records_staging'::regclass",
            &["statistics"],
            r#""columns_without""#,
        ),
        planted(
            "UPDATE pg_class SET reltuples = -1
             WHERE oid = 'cites_trade_records_staging'::regclass",
            &["statistics"],
            r#""rows_by_statistics":-1"#,
        ),
    ])
    .await;
}
