//! Checks of the user's own, from a folder.

use serde_json::json;

use super::{check, failed, validated};
use crate::cites::{Installation, file_of, good};

const HEADER: &str = "-- Purpose: nothing is from 2020.\n-- Severity: ";

#[tokio::test]
async fn a_folder_of_checks_is_run_with_the_others() {
    let here = Installation::new().await;
    let file = here.file("a.csv", file_of(&good(3)));
    here.report(0, &[&file, "--all"]);
    let folder = here.path("checks");
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, severity: &str, sql: &str| {
        std::fs::write(folder.join(name), format!("{HEADER}{severity}\n{sql}\n")).unwrap();
    };
    let args = ["--checks", folder.to_str().unwrap()];
    here.db.sterna(&["validate", args[0], args[1]]).expect_code(2);

    write("a.sql", "warning", "SELECT t.xmin, record_id FROM {staging} t WHERE year = 2020;");
    write("b.sql", "error", "SELECT record_id FROM {table} WHERE year = 2020 -- as it stands");
    let report = validated(&here, 0, &args);
    assert_eq!(failed(&report), ["a"]);
    let found = check(&report, "a");
    assert_eq!((&found["observed"], &found["severity"]), (&json!(3), &json!("warning")));
    assert_eq!(found["rows"][0]["file"], json!(file));

    write("c.sql", "error", "-- Form: condition\nyear = 2020");
    let report = validated(&here, 4, &args);
    assert_eq!(failed(&report), ["a", "c"]);
    assert_eq!(check(&report, "c")["rows"].as_array().unwrap().len(), 3);

    // It cannot write, and a fault of its own is told with its name.
    write("c.sql", "error", "SELECT set_config('x.y', 'z', false) FROM {nothing}");
    let refused = here.db.sterna(&["validate", args[0], args[1]]).expect_code(1);
    assert!(refused.stderr.contains("check c"), "{refused:?}");
    write("c.sql", "error", "SELECT nextval('public.s')");
    here.db.psql("CREATE SEQUENCE public.s").await;
    let refused = here.db.sterna(&["validate", args[0], args[1]]).expect_code(1);
    assert!(refused.stderr.contains("read-only"), "{refused:?}");
    write("c.sql", "fatal", "SELECT 1");
    let refused = here.db.sterna(&["validate", args[0], args[1]]).expect_code(2);
    assert!(refused.stderr.contains("c.sql") && refused.stderr.contains("fatal"), "{refused:?}");
}
