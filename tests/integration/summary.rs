//! `sterna summary`: compared with an independent computation, and undone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sterna::pg::embedded::ModelSchema;

use crate::cites::Installation;
use crate::server::TestDb;

/// Rows of both models: empty codes, NULL quantities, ties, blanks.
const TRADE: &str = "INSERT INTO public.cites_trade_records
        (species_id, record_id, year, appendix, taxon, term, source, purpose, importer, exporter)
    SELECT s.id, s.id || '-' || n, 1980 + n % 7, 'II', s.scientific_name,
        (ARRAY['skins', 'bodies', '', 'live'])[1 + n % 4],
        (ARRAY['W', NULL, 'C'])[1 + n % 3],
        (ARRAY['T', '', 'P', ' '])[1 + n % 4],
        (ARRAY['US', 'DE', NULL, 'CA', ''])[1 + n % 5],
        (ARRAY['CA', 'GL', 'RU'])[1 + n % 3]
    FROM (SELECT id, scientific_name FROM public.species ORDER BY scientific_name LIMIT 40) AS s,
        generate_series(1, 97) AS n";
const QUANTITY: &str = "UPDATE public.cites_trade_records SET quantity =
    CASE WHEN length(record_id) % 3 > 0 THEN round((hashtext(record_id) % 100000) / 100.0, 2) END";
const REPORTED: &str = "UPDATE public.cites_trade_records SET
    importer_reported_quantity = nullif(abs(hashtext(record_id)) % 50, 7) / 4.0,
    exporter_reported_quantity = nullif(abs(hashtext(record_id)) % 30, 3) / 8.0";
const OLD_ROWS: &str = "INSERT INTO public.species_trade_summary
        (species_id, last_updated_at, total_trade_records, overall_total_quantity, distinct_years)
    SELECT id, '2020-02-02 02:02:02.123456+00', 5, 1.50, '[1999, 1.10]'
    FROM public.species ORDER BY scientific_name LIMIT 30";
const SNAPSHOT: &str = "SELECT s::text FROM public.species_trade_summary AS s ORDER BY species_id";

/// One trade record, as far as the summary uses it, read as text.
struct Record {
    year: i64,
    quantity: f64,
    /// By kind: term, source, purpose, importer, exporter.
    codes: [String; 5],
}

const KINDS: [(&str, &str, &str); 5] = [
    ("terms_summary", "term", "Unknown"),
    ("sources_summary", "source_code", "unknown"),
    ("purposes_summary", "purpose_code", "unknown"),
    ("importers_summary", "importer_code", ""),
    ("exporters_summary", "exporter_code", ""),
];

async fn records(db: &TestDb, species: &str, quantity: &str) -> Vec<Record> {
    let rows = db
        .psql(&format!(
            "SELECT year, {quantity}, term, source, purpose, importer, exporter
             FROM public.cites_trade_records WHERE species_id = '{species}'"
        ))
        .await;
    let record = |line: &str| {
        let cells: Vec<&str> = line.split('|').collect();
        let code = |at: usize| match cells[at + 2].trim() {
            "" => KINDS[at].2.to_owned(),
            code => code.to_owned(),
        };
        Record {
            year: cells[0].parse().unwrap(),
            quantity: if cells[1].is_empty() { 0.0 } else { cells[1].parse().unwrap() },
            codes: [0, 1, 2, 3, 4].map(code),
        }
    };
    rows.lines().filter(|line| !line.is_empty()).map(record).collect()
}

/// The expected summary, computed without SQL. Quantities are in hundredths or eighths, so that
/// floating point adds them exactly enough.
fn expected(records: &[Record]) -> Value {
    let rounded = |n: f64| (n * 1e6).round() / 1e6;
    let years: BTreeSet<i64> = records.iter().map(|r| r.year).collect();
    let annual = years.iter().map(|year| {
        let of_year: Vec<&Record> = records.iter().filter(|r| r.year == *year).collect();
        let mut summary = json!({
            "year": year,
            "total_records_for_year": of_year.len(),
            "total_quantity_for_year": rounded(of_year.iter().map(|r| r.quantity).sum()),
        });
        for (kind, (list, key, _)) in KINDS.iter().enumerate() {
            let mut by_code: BTreeMap<&str, (u64, f64)> = BTreeMap::new();
            for record in of_year.iter().filter(|r| !r.codes[kind].is_empty()) {
                let entry = by_code.entry(&record.codes[kind]).or_default();
                *entry = (entry.0 + 1, entry.1 + record.quantity);
            }
            let mut entries: Vec<_> = by_code.into_iter().collect();
            entries.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
            let entry = |(code, (records, quantity)): (&str, (u64, f64))| {
                json!({*key: code, "records": records, "quantity": rounded(quantity)})
            };
            summary[list] = entries.into_iter().map(entry).collect();
        }
        summary
    });
    let distinct = |kind: usize| -> BTreeSet<&str> {
        let codes = records.iter().map(|r| r.codes[kind].as_str());
        codes.filter(|code| !code.is_empty()).collect()
    };
    let named =
        |codes: BTreeSet<&str>| codes.iter().map(|c| json!({"code": c, "name": c})).collect();
    let (importers, exporters): (Vec<Value>, Vec<Value>) = (named(distinct(3)), named(distinct(4)));
    json!({
        "total_trade_records": records.len(),
        "overall_min_year": years.first(),
        "overall_max_year": years.last(),
        "overall_total_quantity": rounded(records.iter().map(|r| r.quantity).sum()),
        "distinct_years": years,
        "distinct_terms": distinct(0),
        "distinct_importers": importers,
        "distinct_exporters": exporters,
        "annual_summaries": annual.collect::<Vec<_>>(),
    })
}

/// Numbers as floating point, as a JavaScript application sees them.
fn as_seen(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64().unwrap()),
        Value::Array(list) => list.iter().map(as_seen).collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), as_seen(v))).collect(),
        other => other.clone(),
    }
}

async fn compare_all(db: &TestDb, quantity: &str) {
    let columns = "total_trade_records, overall_min_year, overall_max_year,
        overall_total_quantity, distinct_years, distinct_terms, distinct_importers,
        distinct_exporters, annual_summaries";
    let ids = db.psql("SELECT id FROM public.species").await;
    assert_eq!(ids.lines().count(), 43);
    for id in ids.lines() {
        let sql = format!(
            "SELECT row_to_json(s) FROM (SELECT {columns} FROM public.species_trade_summary
             WHERE species_id = '{id}') AS s"
        );
        let found: Value = serde_json::from_str(&db.psql(&sql).await).unwrap();
        assert_eq!(as_seen(&found), as_seen(&expected(&records(db, id, quantity).await)), "{id}");
    }
}

#[tokio::test]
async fn it_says_of_every_species_what_its_records_say() {
    let place = Installation::new().await;
    place.db.psql(TRADE).await;
    place.db.psql(QUANTITY).await;
    let done = place.db.sterna(&["summary", "--format", "json"]).expect_code(0);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(report["species"], 43);
    assert_eq!(report["total_trade_records"], 40 * 97);
    compare_all(&place.db, "quantity").await;
    let first = place.db.psql(&SNAPSHOT.replace("s::text", "s.annual_summaries::text")).await;
    place.db.sterna(&["summary"]).expect_code(0);
    let second = place.db.psql(&SNAPSHOT.replace("s::text", "s.annual_summaries::text")).await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn the_importers_quantity_counts_and_else_the_exporters() {
    let place = Installation::with_schema(ModelSchema::ReportedQuantities).await;
    place.db.psql(TRADE).await;
    place.db.psql(REPORTED).await;
    place.db.sterna(&["summary"]).expect_code(0);
    let quantity = "coalesce(importer_reported_quantity, exporter_reported_quantity)";
    compare_all(&place.db, quantity).await;
}

#[tokio::test]
async fn undoing_restores_every_row_to_the_letter() {
    let place = Installation::new().await;
    let db = &place.db;
    db.psql(&format!("{TRADE}; {QUANTITY}; {OLD_ROWS}")).await;
    db.psql(
        "ALTER TABLE public.species_trade_summary ADD note text, ADD twice integer
            GENERATED ALWAYS AS (total_trade_records * 2) STORED;
         UPDATE public.species_trade_summary SET note = 'kept ' || species_id",
    )
    .await;
    let before = db.psql(SNAPSHOT).await;
    db.sterna(&["summary"]).expect_code(0);
    let notes = "SELECT count(note) FROM public.species_trade_summary";
    assert_eq!(db.psql(notes).await, "30", "a column that sterna does not know is left alone");
    db.sterna(&["summary"]).expect_code(0);
    assert_ne!(db.psql(SNAPSHOT).await, before);
    db.sterna(&["summary", "--undo"]).expect_code(0);
    assert_ne!(db.psql(SNAPSHOT).await, before, "the first recomputation stands");
    let undone = db.sterna(&["summary", "--undo"]).expect_code(0);
    assert!(undone.stdout.contains("restored as before: 30 rows"), "{undone:?}");
    assert_eq!(db.psql(SNAPSHOT).await, before);
    db.sterna(&["summary", "--undo"]).expect_code(6);
    assert_eq!(db.psql("SELECT count(*) FROM sterna.summary_before").await, "0");
}

#[tokio::test]
async fn what_others_have_written_since_is_kept_and_named_when_it_is_undone() {
    let place = Installation::new().await;
    let db = &place.db;
    db.psql(&format!("{TRADE}; {QUANTITY}; {OLD_ROWS}")).await;
    db.psql(
        "ALTER TABLE public.species_trade_summary ADD note text, ADD twice integer
            GENERATED ALWAYS AS (total_trade_records * 2 + length(note)) STORED",
    )
    .await;
    // Existing rows, and one that only the recomputation has created.
    let old = "SELECT string_agg(species_id::text, ' ' ORDER BY species_id)
        FROM public.species_trade_summary";
    let old = db.psql(old).await;
    let old: Vec<_> = old.split(' ').collect();
    let before = db.psql(SNAPSHOT).await;
    db.sterna(&["summary"]).expect_code(0);
    let new = db
        .psql(&format!(
            "SELECT min(species_id::text) FROM public.species_trade_summary
             WHERE species_id::text <> ALL ('{{{}}}')",
            old.join(",")
        ))
        .await;
    let total = |species: &str| {
        format!(
            "SELECT total_trade_records, overall_total_quantity, note
             FROM public.species_trade_summary WHERE species_id = '{species}'"
        )
    };
    let (first, second) = (db.psql(&total(old[0])).await, db.psql(&total(&new)).await);
    db.psql(&format!(
        "UPDATE public.species_trade_summary SET note = 'mine' WHERE species_id = '{}';
         UPDATE public.species_trade_summary SET note = 'mine too' WHERE species_id = '{new}';
         DELETE FROM public.species_trade_summary WHERE species_id = '{}'",
        old[0], old[1]
    ))
    .await;
    let undone = db.sterna(&["summary", "--undo"]).expect_code(0);
    for words in [
        "kept because others have written to them since: 3".to_owned(),
        format!("species {} changed note, twice", old[0]),
        format!("species {new} changed note, twice"),
        format!("species {} deleted", old[1]),
    ] {
        assert!(undone.stdout.contains(&words), "{words}: {undone:?}");
    }
    // The note is the application's, the rest of the row is as before.
    let now = db.psql(&total(old[0])).await;
    assert!(now.ends_with("|mine") && now != first + "mine", "{now}");
    assert_eq!(db.psql(&total(&new)).await, second + "mine too");
    let rows = "SELECT count(*) FROM public.species_trade_summary";
    assert_eq!(db.psql(rows).await, old.len().to_string());
    // The others are unchanged.
    let touched = [old[0], old[1], &new];
    let others = |rows: &str| {
        let others = rows.lines().filter(|row| !touched.iter().any(|id| row.contains(id)));
        others.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(others(&db.psql(SNAPSHOT).await), others(&before));
    for table in ["summary_before", "summary_written"] {
        assert_eq!(db.psql(&format!("SELECT count(*) FROM sterna.{table}")).await, "0");
    }
}

#[tokio::test]
async fn a_trigger_that_changes_what_is_written_is_noticed() {
    let place = Installation::new().await;
    let db = &place.db;
    db.psql(&format!("{TRADE}; {QUANTITY}; {OLD_ROWS}")).await;
    let before = db.psql(SNAPSHOT).await;
    db.psql(
        "CREATE FUNCTION public.one_more() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN NEW.total_trade_records := NEW.total_trade_records + 1; RETURN NEW; END $$;
         CREATE TRIGGER one_more BEFORE INSERT OR UPDATE ON public.species_trade_summary
         FOR EACH ROW EXECUTE FUNCTION public.one_more()",
    )
    .await;
    let failed = db.sterna(&["summary"]).expect_code(4);
    assert!(failed.stderr.contains("43 rows differ"), "{failed:?}");
    assert_eq!(db.psql(SNAPSHOT).await, before, "nothing was changed");
    assert_eq!(db.psql("SELECT count(*) FROM sterna.summary_run").await, "0");
}

#[tokio::test]
async fn an_installation_without_a_summary_is_told_so() {
    let place = Installation::new().await;
    place.db.psql("ALTER TABLE public.species_trade_summary DROP distinct_terms").await;
    let refused = place.db.sterna(&["summary"]).expect_code(6);
    assert!(refused.stderr.contains("no column distinct_terms"), "{refused:?}");
    place.db.psql("DROP TABLE public.species_trade_summary").await;
    let refused = place.db.sterna(&["summary"]).expect_code(6);
    assert!(refused.stderr.contains("there is no table"), "{refused:?}");
}

#[tokio::test]
async fn forced_row_security_is_refused_where_it_would_hide_rows() {
    let place = Installation::new().await;
    let db = &place.db;
    db.psql(&format!("{TRADE}; {QUANTITY}")).await;
    let role = format!("owner_{}", db.name());
    db.psql(&format!(
        "CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {} TO {role};
         GRANT USAGE ON SCHEMA public TO {role};
         ALTER TABLE public.species OWNER TO {role};
         ALTER TABLE public.cites_trade_records OWNER TO {role};
         ALTER TABLE public.species_trade_summary OWNER TO {role}",
        db.name()
    ))
    .await;
    let as_owner = || {
        let mut command = db.command(&["summary"]);
        command.env("PGUSER", &role);
        crate::server::Finished::from(command.output().unwrap())
    };
    as_owner().expect_code(0);
    db.psql(
        "ALTER TABLE public.cites_trade_records ENABLE ROW LEVEL SECURITY,
         FORCE ROW LEVEL SECURITY",
    )
    .await;
    let refused = as_owner().expect_code(1);
    assert!(refused.stderr.contains("BYPASSRLS"), "{refused:?}");
    db.psql(&format!("ALTER ROLE {role} BYPASSRLS")).await;
    as_owner().expect_code(0);
    db.psql(&format!(
        "REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}"
    ))
    .await;
}

#[tokio::test]
async fn a_writer_of_the_summary_does_not_wait_and_is_not_overwritten_unseen() {
    let place = Installation::new().await;
    let db = &place.db;
    db.psql(&format!("{TRADE}; {QUANTITY}; {OLD_ROWS}")).await;
    let writer = db.connect().await;
    writer
        .batch_execute("BEGIN; UPDATE public.species_trade_summary SET total_trade_records = 6")
        .await
        .unwrap();
    let child = db.command(&["summary"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    writer.batch_execute("COMMIT").await.unwrap();
    let finished = crate::server::Finished::from(child.wait_with_output().unwrap());
    finished.expect_code(0);
    let kept = "SELECT count(*) FROM sterna.summary_before
        WHERE summary->>'total_trade_records' = '6'";
    assert_eq!(db.psql(kept).await, "30", "what the writer wrote was kept");
}
