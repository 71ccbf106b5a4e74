//! Files of several formats in one load: columns that a format lacks keep their values or take
//! their defaults, in the rows of its files and in no others.

use serde_json::Value;

use super::Things;

const SCHEMA: &str = "CREATE TABLE things (
        id serial PRIMARY KEY, code text NOT NULL UNIQUE, label text NOT NULL, notes text DEFAULT 'none yet',
        weight numeric(8,2) CHECK (weight > 0), status text NOT NULL DEFAULT 'open', tags text[]);
    INSERT INTO things (code, label, notes, weight, status, tags) VALUES
        ('a', 'A', 'of a', 1, 'shut', '{x}'), ('b', 'B', 'of b', 2, 'shut', NULL),
        ('c', 'C', NULL, 3, 'open', '{}'), ('d', 'D', 'of d', NULL, 'shut', '{y}')";
/// Labels come with status and notes, weights alone.
const MAPPING: &str = "record_id = \"Code\"\n[format.columns]\n\"Code\" = \"code\"\n\
    \"Label\" = \"label\"\n\"Status\" = \"status\"\n\"Notes\" = \"notes\"\n\
    [[format]]\nname = \"weights\"\nrecord_id = \"Code\"\n[format.columns]\n\"Code\" = \"code\"\n\
    \"Weight\" = \"weight\"\n";
const LABELS: &str = "Code,Label,Status,Notes\nb,B2,new,\nn,N2,new,of n\na,A2,new,of a2\n";
const WEIGHTS: &str = "Code,Weight\nd,44\nc,33.5\n";
const ROWS: &str = "SELECT string_agg(concat_ws('/', code, id, label, coalesce(notes, '-'),
    coalesce(weight::text, '-'), status, coalesce(tags::text, '-')), ' ' ORDER BY code) FROM ";

#[tokio::test]
async fn what_one_format_lacks_is_kept_in_the_rows_of_its_files() {
    let here = Things::new(SCHEMA, MAPPING).await;
    here.write("labels.csv", LABELS);
    here.write("weights.csv", WEIGHTS);
    let report = here.load("labels.csv", &["weights.csv", "--batch-size", "1"]).expect_code(0);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!((&report["rows_matched"], &report["rows_new"]), (&4.into(), &1.into()));
    let columns = report["columns"].as_array().unwrap();
    let weight = columns.iter().find(|c| c["column"] == "weight").unwrap();
    assert_eq!((&weight["treatment"], &weight["lacked_by"][0]), (&"kept".into(), &"things".into()));
    let rows = here.db.psql(&format!("{ROWS} things_staging")).await;
    assert_eq!(
        rows,
        "a/1/A2/of a2/1.00/new/{x} b/2/B2/-/2.00/new/- c/3/C/-/33.50/open/{} \
         d/4/D/of d/44.00/shut/{y} n/5/N2/of n/-/new/-"
    );
    here.sterna(&["validate", "--all"]).expect_code(0);
    here.sterna(&["switchover"]).expect_code(0);
    assert_eq!(here.db.psql(&format!("{ROWS} things")).await, rows);
}

#[tokio::test]
async fn a_new_record_takes_the_default_of_what_its_format_lacks() {
    let here = Things::new(SCHEMA, MAPPING).await;
    here.db.psql("ALTER TABLE things ALTER label SET DEFAULT 'unnamed'").await;
    here.write("labels.csv", LABELS);
    here.write("weights.csv", &format!("{WEIGHTS}m,55\n"));
    let rows = async || here.db.psql(&format!("{ROWS} things_staging")).await;
    here.load("weights.csv", &["labels.csv"]).expect_code(0);
    assert!(rows().await.contains("/unnamed/none yet/55.00/open/-"), "{}", rows().await);
    // And every record does if nothing is to be kept.
    here.sterna(&["stage", "drop"]).expect_code(0);
    here.load("weights.csv", &["labels.csv", "--unfilled", "default"]).expect_code(0);
    assert!(rows().await.contains("d/4/unnamed/none yet/44.00/open/-"), "{}", rows().await);
    assert!(rows().await.contains("a/1/A2/of a2/-/new/-"), "{}", rows().await);
}

#[tokio::test]
async fn a_new_record_without_a_value_that_has_to_be_there_is_refused_or_rejected() {
    let here = Things::new(SCHEMA, MAPPING).await;
    here.write("labels.csv", LABELS);
    here.write("weights.csv", &format!("{WEIGHTS}m,55\n"));
    let refused = here.load("weights.csv", &["labels.csv"]).expect_code(1);
    assert!(refused.stderr.contains("\"label\""), "{refused:?}");
    here.sterna(&["stage", "drop"]).expect_code(0);
    // If nothing is kept, each record of the format that lacks it is one too many.
    let options = ["labels.csv", "--unfilled", "default", "--max-rejects", "3"];
    let report = here.load("weights.csv", &options).expect_code(0);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!((&report["rows_loaded"], &report["rows_rejected"]), (&3.into(), &3.into()));
}
