//! An error caused by one row costs only that row: a value that is too large for an index, an
//! exception raised by a function of the table, a duplicate key. Its neighbours are loaded, even
//! if the indexes are built after them.

use serde_json::{Value, json};

use crate::cites::{Installation, csv_records, file_of, header, shipment};

/// Two hundred records, of which the hundredth has these fields.
fn records(bad: &[(&str, &str)]) -> String {
    let record = |at: usize| {
        let id = at.to_string();
        let mut fields = vec![("Id", id.as_str())];
        fields.extend(if at == 100 { bad } else { &[] });
        shipment(&fields)
    };
    file_of(&(0..200).map(record).collect::<Vec<_>>())
}

/// Loads the file; only the hundredth record is rejected, with this in its message.
async fn costs_one_row(here: &Installation, bad: &[(&str, &str)], message: &str) -> Value {
    let file = here.file("in.csv", records(bad));
    let args = [&file, "--all", "--max-rejects", "1", "--rejects", "r.csv", "--verify"];
    let report = here.report(0, &args);
    assert_eq!(report["reject_reasons"], json!({"constraint": 1}));
    let rows = here.db.psql(
        "SELECT count(*), count(*) FILTER (WHERE record_id = '100') FROM cites_trade_records_staging",
    );
    assert_eq!(rows.await, "199|0");
    let rejects = csv_records(&here.path("r.csv"));
    let said = header().split(',').count() + 6;
    assert_eq!((rejects.len(), rejects[1][0].as_str()), (2, "100"));
    assert!(rejects[1][said].contains(message), "{:?}", rejects[1][said]);
    report
}

#[tokio::test]
async fn what_a_check_raises_costs_the_row() {
    let here = Installation::new().await;
    // Its name in the error context looks like a line of the COPY.
    here.db
        .psql(
            "CREATE FUNCTION \"odd, line 1\"(integer) RETURNS boolean LANGUAGE plpgsql AS
            'BEGIN IF $1 = 2500 THEN RAISE EXCEPTION ''no such year: %'', $1; END IF; RETURN true; END';
            ALTER TABLE cites_trade_records ADD CHECK (\"odd, line 1\"(year))",
        )
        .await;
    costs_one_row(&here, &[("Year", "2500")], "no such year: 2500").await;
}

#[tokio::test]
async fn a_value_too_large_for_a_tsvector_costs_the_row() {
    let here = Installation::new().await;
    here.db
        .psql(
            "ALTER TABLE cites_trade_records ADD COLUMN words tsvector
                GENERATED ALWAYS AS (to_tsvector('simple', export_permit)) STORED",
        )
        .await;
    let words: String = (100_000..220_000).map(|number| format!("{number} ")).collect();
    let bad = [("Export.permit.RandomID", words.as_str())];
    costs_one_row(&here, &bad, "too long for tsvector").await;
}

#[tokio::test]
async fn a_value_too_large_for_an_index_that_is_built_later_costs_the_row() {
    let here = Installation::new().await;
    here.db.psql("CREATE INDEX permits ON cites_trade_records (export_permit)").await;
    // Digits that do not compress.
    let mut state = 1u64;
    let digits = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        format!("{:08x}", state >> 32)
    });
    let long: String = digits.take(2_000).collect();
    let bad = [("Export.permit.RandomID", long.as_str())];
    costs_one_row(&here, &bad, "index row").await;
    let indexes = "SELECT count(*) FROM pg_index
        WHERE indrelid = 'cites_trade_records_staging'::regclass AND indisvalid";
    assert_eq!(here.db.psql(indexes).await, "4");
}

#[tokio::test]
async fn an_expression_that_an_index_computes_costs_the_row() {
    let here = Installation::new().await;
    here.db.psql("CREATE INDEX ON cites_trade_records ((1 / (year - 2500)))").await;
    costs_one_row(&here, &[("Year", "2500")], "division by zero").await;
}

#[tokio::test]
async fn the_first_of_several_with_one_key_stays_where_the_key_is_built_later() {
    let here = Installation::new().await;
    here.db.psql("ALTER TABLE cites_trade_records ADD UNIQUE (import_permit)").await;
    let record = |at: usize| {
        let (id, permit) = (at.to_string(), (at % 500).to_string());
        shipment(&[("Id", &id), ("Import.permit.RandomID", &permit)])
    };
    let file = here.file("in.csv", file_of(&(0..1_000).map(record).collect::<Vec<_>>()));
    let args = [&file, "--all", "--batch-size", "10", "--max-rejects", "50%", "--verify"];
    let report = here.report(0, &args);
    assert_eq!((&report["rows_loaded"], &report["rows_rejected"]), (&json!(500), &json!(500)));
    let last = "SELECT max(record_id::integer) FROM cites_trade_records_staging";
    assert_eq!(here.db.psql(last).await, "499");
    // A later file with the same keys adds nothing, and the rows stay.
    let other = here.file("other.csv", file_of(&[record(1_200), record(700)]));
    let args = [&other, "--all", "--append", "--max-rejects", "2", "--rejects", "r2.csv"];
    assert_eq!(here.report(0, &args)["rows_rejected"], 2);
    assert_eq!(here.db.psql(last).await, "499");
}
