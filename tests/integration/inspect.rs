//! `sterna inspect`: what it reports about files, checked against the files themselves and
//! against a load of the same files.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use serde_json::{Value, json};
use sterna::cites::arctic;
use sterna::cites::generate::SHIPMENT_HEADER;
use sterna::pg::embedded::ModelSchema;

use crate::server::{Finished, TestDb, sterna};

/// A database of one of the known installations, with the 43 species.
async fn database(schema: ModelSchema) -> TestDb {
    let db = TestDb::with_schema(schema).await;
    let client = db.connect().await;
    let sql = "INSERT INTO species (id, scientific_name, common_name, kingdom, phylum, class,
            order_name, family, genus, species_name)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    for row in arctic::species_rows() {
        let values: [&dyn sterna::pg::Typed; 10] = [
            &row.id,
            &row.scientific_name,
            &row.common_name,
            &row.kingdom,
            &row.phylum,
            &row.class,
            &row.order_name,
            &row.family,
            &row.genus,
            &row.species_name,
        ];
        client.execute(sql, &values).await.unwrap();
    }
    db
}

fn generate(out: &Path, more: &[&str]) {
    let args = [&["generate", "--out", out.to_str().unwrap()], more].concat();
    Finished::from(sterna(&args).output().unwrap()).expect_code(0);
}

/// The JSON output of `sterna inspect`, whose exit code says the same as its verdict.
fn inspect(db: &TestDb, input: &Path, more: &[&str]) -> Value {
    let input = input.to_str().unwrap();
    let args = [&["inspect", input, "--format", "json", "--progress", "never"], more].concat();
    let done = db.sterna(&args);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    let is_ready = report["verdict"].as_str().unwrap().starts_with("ready");
    assert_eq!(done.code, Some(if is_ready { 0 } else { 4 }), "{done:?}");
    report
}

/// A shipment record; the row ids do not matter here.
fn record(id: u32, year: &str, taxon: &str, quantity: &str, codes: [&str; 4]) -> String {
    let [term, importer, source, reporter] = codes;
    format!(
        "{id},{year},II,{taxon},Mammalia,Carnivora,Ursidae,Ursus,{term},{quantity},kg,{importer},CA,,T,{source},{reporter},,,\n"
    )
}

const PLAIN: [&str; 4] = ["skins", "DE", "W", "E"];

fn shipments(folder: &Path, records: &[String]) -> std::path::PathBuf {
    let path = folder.join("shipments.csv");
    fs::write(&path, SHIPMENT_HEADER.to_owned() + &records.concat()).unwrap();
    path
}

/// The rows of a zip's files, parsed without sterna.
fn rows_by_file(zip: &Path) -> Vec<Vec<Vec<String>>> {
    let mut archive = zip::ZipArchive::new(fs::File::open(zip).unwrap()).unwrap();
    let texts = (0..archive.len()).map(|index| {
        let mut text = String::new();
        archive.by_index(index).unwrap().read_to_string(&mut text).unwrap();
        assert!(!text.contains('"'), "a field is quoted, which this reader does not support");
        let fields = |line: &str| line.split(',').map(str::to_owned).collect();
        text.lines().skip(1).map(fields).collect()
    });
    texts.collect()
}

/// How many decimals `numeric(10,2)` would round, and how many exceed it, by PostgreSQL's own
/// arithmetic.
async fn misfits_of_the_server(db: &TestDb, decimals: &[&str]) -> (u64, u64) {
    let sql = "SELECT count(*) FILTER (WHERE q < 1e8 AND round(q, 2) <> q),
            count(*) FILTER (WHERE q >= 1e8)
        FROM (SELECT text::numeric FROM unnest($1::text[]) AS text) AS parsed (q)";
    let row = db.connect().await.query_one(sql, &[&decimals]).await.unwrap();
    (row.get::<_, i64>(0) as u64, row.get::<_, i64>(1) as u64)
}

#[tokio::test]
async fn the_counts_are_those_of_the_files() {
    let place = tempfile::tempdir().unwrap();
    let zip = place.path().join("download.zip");
    generate(&zip, &["--rows", "20000", "--seed", "5"]);
    let db = database(ModelSchema::Production).await;
    let report = inspect(&db, &zip, &[]);

    let files = rows_by_file(&zip);
    assert_eq!(report["files"].as_array().unwrap().len(), files.len());
    let mut years = BTreeMap::<String, u64>::new();
    let mut taxa = BTreeMap::<String, u64>::new();
    let mut quantities = Vec::new();
    for (file, rows) in report["files"].as_array().unwrap().iter().zip(&files) {
        assert_eq!(file["rows_read"], rows.len() as u64);
        let mut own_years = BTreeMap::<String, u64>::new();
        for row in rows {
            *own_years.entry(row[1].clone()).or_default() += 1;
            *taxa.entry(row[3].clone()).or_default() += 1;
            quantities.push(row[9].as_str());
        }
        assert_eq!(file["years"], json!(own_years));
        own_years.into_iter().for_each(|(year, rows)| *years.entry(year).or_default() += rows);
    }
    assert_eq!(report["years"], json!(years));
    let (inexact, too_large) = misfits_of_the_server(&db, &quantities).await;
    assert!(inexact > 1000, "the files have no values that do not fit");
    assert_eq!(report["rows_read"], 20_000);
    assert_eq!(report["rows_rejected"], inexact + too_large);
    assert_eq!(
        report["policies"],
        json!([
            {"on_inexact": "reject", "rows_loaded": 20_000 - inexact - too_large,
                "rows_rejected": inexact + too_large, "rows_rounded": 0},
            {"on_inexact": "widen", "rows_loaded": 20_000, "rows_rejected": 0, "rows_rounded": 0},
            {"on_inexact": "round", "rows_loaded": 20_000 - too_large,
                "rows_rejected": too_large, "rows_rounded": inexact},
        ])
    );
    let scale = &report["misfits"][0];
    assert_eq!((&scale["column"], &scale["reason"]), (&json!("quantity"), &json!("numeric_scale")));
    assert_eq!(
        [&scale["values"], &scale["fit_with_round"], &scale["fit_with_widen"]],
        [inexact; 3]
    );
    let with_rows: BTreeMap<_, _> = report["species"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| (t["taxon"].as_str().unwrap().to_owned(), t["rows"].as_u64().unwrap()))
        .collect();
    assert_eq!(with_rows, taxa);
    assert_eq!(report["species_without_rows"].as_array().unwrap().len(), 43 - taxa.len());
    assert_eq!(report["unlisted_codes"], json!([]));
    let widen_or_round = if too_large == 0 { "widen|round" } else { "widen" };
    assert_eq!(report["verdict"], format!("ready with --on-inexact {widen_or_round}"));
    assert_eq!(report["ready"], false);
    assert_eq!(inspect(&db, &zip, &["--on-inexact", "widen"])["ready"], true);
}

#[tokio::test]
async fn a_load_does_what_was_foretold() {
    let place = tempfile::tempdir().unwrap();
    let zip = place.path().join("world.zip");
    generate(&zip, &["--rows", "60000", "--world"]);
    let db = database(ModelSchema::Production).await;
    let counts = ["read", "loaded", "rejected", "unmapped", "filtered", "rounded"];
    let counts = counts.map(|count| format!("rows_{count}"));
    let same = |foretold: &Value, done: &Value| {
        counts.iter().for_each(|count| assert_eq!(foretold[count], done[count], "{count}"));
    };
    for policy in ["reject", "round", "widen"] {
        let foretold = inspect(&db, &zip, &["--year", "2000-2015", "--on-inexact", policy]);
        let rejects = place.path().join("rejects.csv");
        let args = [
            ["load", zip.to_str().unwrap()],
            ["--year", "2000-2015"],
            ["--on-inexact", policy],
            ["--max-rejects", "100%"],
            ["--rejects", rejects.to_str().unwrap()],
            ["--format", "json"],
        ];
        let done = db.sterna(&args.concat()).expect_code(0);
        let done: Value = serde_json::from_str(&done.stdout).unwrap();
        same(&foretold, &done);
        assert!(foretold["rows_loaded"].as_u64() > Some(0));
        let files = |report: &Value| report["files"].as_array().unwrap().clone();
        for (foretold, done) in files(&foretold).iter().zip(&files(&done)) {
            assert_eq!(foretold["path"], done["path"]);
            same(foretold, done);
        }
        db.sterna(&["stage", "drop"]).expect_code(0);
    }
}

#[tokio::test]
async fn it_needs_no_right_but_to_read_the_names() {
    let place = tempfile::tempdir().unwrap();
    generate(&place.path().join("files"), &["--rows", "2000"]);
    let db = database(ModelSchema::Production).await;
    let reader = format!("reader_of_{}", db.name());
    db.psql(&format!("CREATE ROLE {reader} LOGIN; GRANT SELECT ON species TO {reader}")).await;
    let files = place.path().join("files");
    let mut command = db.command(&["inspect", files.to_str().unwrap()]);
    Finished::from(command.env("PGUSER", &reader).output().unwrap()).expect_code(0);
    inspect(&db, &files, &[]);
    let made = "SELECT count(*) FROM pg_class WHERE relname LIKE '%staging%';
        SELECT count(*) FROM pg_namespace WHERE nspname = 'sterna'";
    assert_eq!(db.psql(made).await, "0\n0");
    db.psql(&format!("DROP OWNED BY {reader}; DROP ROLE {reader}")).await;
}

#[tokio::test]
async fn an_unmapped_name_is_suggested_and_a_synonym_maps_it() {
    let place = tempfile::tempdir().unwrap();
    let records = [
        record(1, "2001", "Ursus maritimus", "1", PLAIN),
        record(2, "2003", "Ursus maritimus", "1", PLAIN),
        record(3, "2002", "falco  RUSTICOLUS", "1", PLAIN),
        record(4, "2002", "Python\u{1b}[31m regius", "1", PLAIN),
    ];
    let input = shipments(place.path(), &records);
    let db = database(ModelSchema::Production).await;
    let renamed = "UPDATE species SET scientific_name = 'Ursus marittimus'
        WHERE scientific_name = 'Ursus maritimus'";
    db.psql(renamed).await;
    let report = inspect(&db, &input, &[]);
    assert_eq!(report["rows_unmapped"], 3);
    assert_eq!(report["unmapped_names"], 2);
    let bear = json!({"taxon": "Ursus maritimus", "rows": 2, "near_misses": ["Ursus marittimus"]});
    let python = json!({"taxon": "Python\u{1b}[31m regius", "rows": 1, "near_misses": []});
    assert_eq!(report["unmapped_taxa"], json!([bear, python]));
    assert_eq!(report["near_misses"], json!([bear]));
    let shown = db.sterna(&["inspect", input.to_str().unwrap()]).expect_code(0).stdout;
    assert!(shown.contains("Python\\u{1b}[31m regius"), "{shown}");
    assert_eq!(
        report["species"],
        json!([{"taxon": "Falco rusticolus", "rows": 1, "first_year": 2002, "last_year": 2002,
            "spellings": ["falco  RUSTICOLUS"]}])
    );

    let synonyms = place.path().join("synonyms.csv");
    fs::write(&synonyms, "synonym,scientific_name\nUrsus maritimus,Ursus marittimus\n").unwrap();
    let report = inspect(&db, &input, &["--synonyms", synonyms.to_str().unwrap()]);
    assert_eq!(report["rows_unmapped"], 1);
    let bear = &report["species"][0];
    assert_eq!((&bear["taxon"], &bear["rows"]), (&json!("Ursus marittimus"), &json!(2)));
    assert_eq!((&bear["first_year"], &bear["last_year"]), (&json!(2001), &json!(2003)));
}

#[tokio::test]
async fn faults_are_told_with_their_place_and_the_policies_that_help() {
    let place = tempfile::tempdir().unwrap();
    let good = |id| record(id, "2001", "Ursus maritimus", "1.50", PLAIN);
    let records = [
        good(1),
        // Two faults in one record: no policy accepts it, whatever would fix the second one.
        record(2, "MMI", "Ursus maritimus", "0.048", PLAIN),
        record(3, "2001", "Ursus maritimus", "99999999.995", PLAIN),
        record(4, "2001", "Ursus maritimus", "1e8", PLAIN),
        record(5, "2001", "Ursus maritimus", "many", PLAIN),
        record(6, "2001", "Ursus maritimus", "", ["", "UK", "w", "X"]),
        record(7, "2001", "Ursus maritimus", "0.125", ["skins", "UK", "W", "I"]),
        // Neither its taxon nor its codes are reported.
        record(8, "MM", "Python regius", "x", ["?", "?", "?", "?"]),
        "9,2001,II\n".to_owned(),
        good(10),
    ];
    let input = shipments(place.path(), &records);
    let db = database(ModelSchema::Production).await;
    let report = inspect(&db, &input, &[]);
    let misfits = report["misfits"].as_array().unwrap().iter().map(|m| {
        let counts = ["values", "fit_with_round", "fit_with_widen"].map(|c| m[c].as_u64().unwrap());
        let lines: Vec<u64> =
            m["examples"].as_array().unwrap().iter().map(|e| e["line"].as_u64().unwrap()).collect();
        (m["column"].as_str(), m["reason"].as_str().unwrap(), counts, lines)
    });
    assert_eq!(
        misfits.collect::<Vec<_>>(),
        [
            (None, "field_count", [1, 0, 0], vec![10]),
            (Some("year"), "invalid_integer", [1, 0, 0], vec![3]),
            (Some("term"), "missing_required", [1, 0, 0], vec![7]),
            (Some("quantity"), "invalid_number", [1, 0, 0], vec![6]),
            (Some("quantity"), "numeric_scale", [3, 2, 3], vec![3, 4, 8]),
            (Some("quantity"), "numeric_precision", [1, 0, 1], vec![5]),
        ]
    );
    assert_eq!(report["misfits"][4]["examples"][0]["value"], "0.048");
    assert_eq!(report["misfits"][4]["sql_type"], "numeric(10,2)");
    let codes = report["unlisted_codes"].as_array().unwrap().iter().map(|c| {
        let rows = (c["rows"].as_u64().unwrap(), c["line"].as_u64().unwrap());
        (c["column"].as_str().unwrap(), c["code"].as_str().unwrap(), rows)
    });
    assert_eq!(
        codes.collect::<Vec<_>>(),
        [("importer", "UK", (2, 7)), ("source", "w", (1, 7)), ("reporter_type", "X", (1, 7)),]
    );
    let loaded = |policy: usize| report["policies"][policy]["rows_loaded"].as_u64().unwrap();
    assert_eq!([loaded(0), loaded(1), loaded(2)], [2, 5, 3]);
    assert_eq!(report["years"], json!({"2001": 7}));

    let shown = db.sterna(&["inspect", input.to_str().unwrap()]).expect_code(4).stdout;
    let verdict = "verdict    not ready: 4 records would be rejected even with --on-inexact widen; \
        fix them, or accept them with --max-rejects 4";
    assert_eq!(shown.lines().last(), Some(verdict), "{shown}");
    assert!(shown.contains("quantity numeric(10,2)") && shown.contains("\"UK\""), "{shown}");

    let year = inspect(&db, &input, &["--year", "2002"]);
    assert_eq!((&year["rows_filtered"], &year["rows_rejected"]), (&json!(7), &json!(2)));
    let none = place.path().join("none.csv");
    fs::write(&none, SHIPMENT_HEADER).unwrap();
    assert_eq!(inspect(&db, &none, &[])["verdict"], "not ready: the files hold no records");
}

#[tokio::test]
async fn tabulations_need_the_columns_of_reported_quantities() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("tabulation");
    generate(&folder, &["--rows", "3000", "--world", "--comptab", "2012"]);
    let db = database(ModelSchema::Production).await;
    let input = folder.to_str().unwrap();
    let refused = db.sterna(&["inspect", input]).expect_code(2);
    assert!(refused.stderr.contains("_reported_quantity"), "{}", refused.stderr);
    let same = db.sterna(&["load", input, "--all"]).expect_code(2);
    assert_eq!(refused.stderr, same.stderr);

    let db = database(ModelSchema::ReportedQuantities).await;
    let report = inspect(&db, &folder, &[]);
    assert_eq!(report["files"][0]["layout"], "cites-comptab");
    assert_eq!(report["rows_read"], 3000);
    assert_eq!(report["years"].as_object().unwrap().keys().collect::<Vec<_>>(), ["2012"]);
    assert!(report["rows_unmapped"].as_u64() > Some(2000), "{report:#}");
}

#[tokio::test]
async fn files_that_cannot_be_read_are_all_named() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    shipments(place.path(), &[record(1, "2001", "Ursus maritimus", "1", PLAIN)]);
    fs::write(path("first.csv"), "1,2001,II\n").unwrap();
    fs::write(path("second.csv"), "Id;Year;Appendix\n").unwrap();
    let db = database(ModelSchema::Production).await;
    let folder = place.path().to_str().unwrap();
    let failed = db.sterna(&["inspect", folder]).expect_code(1);
    assert!(failed.stdout.is_empty());
    for part in ["2 of 3 files", "first.csv", "second.csv", "';'"] {
        assert!(failed.stderr.contains(part), "{part}: {}", failed.stderr);
    }

    let whole = fs::read(path("shipments.csv")).unwrap().repeat(2000);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&whole).unwrap();
    let mut gzip = gzip.finish().unwrap();
    gzip.truncate(gzip.len() - 100);
    fs::write(path("cut.csv.gz"), gzip).unwrap();
    let failed = db.sterna(&["inspect", path("cut.csv.gz").to_str().unwrap()]).expect_code(1);
    assert!(failed.stderr.contains("cut.csv.gz"), "{}", failed.stderr);
}
