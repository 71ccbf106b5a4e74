//! What happens to each column is shown before anything is done.

use serde_json::{Value, json};

use super::Things;

const SCHEMA: &str = "CREATE TABLE things (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text UNIQUE, label text,
        tags text[], twice text GENERATED ALWAYS AS (code || code) STORED);
    INSERT INTO things (code) VALUES ('a')";
const MAPPING: &str = "[format.columns]\n\"Code\" = \"code\"\n\"Label\" = \"label\"\n";

#[tokio::test]
async fn inspect_and_check_pre_say_what_is_filled_kept_and_new() {
    let here = Things::new(SCHEMA, MAPPING).await;
    here.write("in.csv", "Code,Label\na,A\nb,B\n");
    let inspect = ["inspect", "in.csv", "--mapping", "m.toml"];
    let shown = here.sterna(&[&inspect[..], &["--format", "json"]].concat()).expect_code(0);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["matched_by"], json!(["code"]));
    let treatments = |shown: &Value| -> Vec<String> {
        let columns = shown["columns"].as_array().unwrap().iter();
        columns.map(|c| format!("{} {}", c["column"], c["treatment"]).replace('"', "")).collect()
    };
    assert_eq!(
        treatments(&shown),
        ["id kept", "code filled", "label filled", "tags kept", "twice computed"]
    );
    let text = here.sterna(&inspect).expect_code(0).stdout;
    assert!(text.contains("kept where code is production's: id, tags"), "{text}");

    let check = ["check", "pre", "in.csv", "--mapping", "m.toml", "--format", "json"];
    let found = |more: &[&str]| {
        let done = here.sterna(&[&check[..], more].concat());
        let report: Value = serde_json::from_str(&done.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap().clone();
        (checks.iter().find(|c| c["name"] == "columns").unwrap().clone(), report)
    };
    let (finding, report) = found(&[]);
    assert_eq!(finding["passed"], true, "{finding}");
    assert_eq!(treatments(&report), treatments(&shown));
    let detail = finding["detail"].as_str().unwrap();
    assert!(detail.contains("kept where code is production's: id, tags"), "{detail}");
    let (finding, _) = found(&["--unfilled", "default"]);
    assert!(finding["detail"].as_str().unwrap().contains("by default: tags"), "{finding}");

    // What a load would refuse is reported here already.
    here.write("m.toml", "[[format]]\nname = \"x\"\n[format.columns]\n\"Label\" = \"label\"\n");
    let refused = here.sterna(&inspect).expect_code(6);
    assert!(refused.stderr.contains("rows cannot be matched"), "{refused:?}");
    let (finding, _) = found(&[]);
    assert_eq!(finding["passed"], false);
    assert!(finding["detail"].as_str().unwrap().contains("rows cannot be matched"), "{finding}");
    here.sterna(&["plan"]).expect_code(0);
}
