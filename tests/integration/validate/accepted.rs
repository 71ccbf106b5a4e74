//! `--accept-check`: one check is accepted by name, and all others still count.

use serde_json::Value;

use super::FILL_PRODUCTION;
use crate::cites::{Installation, file_of, good};

/// Staging with too few rows, and none of another year.
async fn shrunk() -> Installation {
    let here = Installation::new().await;
    let file = here.file("a.csv", file_of(&good(40)));
    here.report(0, &[&file, "--all"]);
    here.db.psql(FILL_PRODUCTION).await;
    here.db.sterna(&["stage", "drop"]).expect_code(0);
    let file = here.file("b.csv", file_of(&good(30)));
    here.report(0, &[&file, "--all"]);
    here
}

const ALL_BUT_ONE: [&str; 5] = [
    "switchover",
    "--accept-check=rows-shrunk",
    "--accept-check=year-shrunk",
    "--accept-check=species-year-shrunk",
    "--format=json",
];

#[tokio::test]
async fn a_check_is_accepted_by_its_name_and_recorded_with_its_figures() {
    let here = shrunk().await;
    let refused = here.db.sterna(&ALL_BUT_ONE).expect_code(4);
    // The check is repeated for each column, and is accepted by the name before the dot.
    assert!(refused.stderr.contains("1 of"), "{refused:?}");
    assert!(refused.stderr.contains("quantity-lost.quantity"), "{refused:?}");
    assert!(refused.stderr.contains("--accept-check"), "{refused:?}");
    let args = [&ALL_BUT_ONE[..], &["--accept-check=quantity-lost", "--accept-check=statistics"]];
    let done = here.db.sterna(&args.concat()).expect_code(0);
    assert!(done.stderr.contains("--accept-check statistics: no check"), "{done:?}");
    let deviations = here
        .db
        .psql("SELECT deviations FROM sterna.migration ORDER BY started_at DESC LIMIT 1")
        .await;
    let deviations: Vec<String> = serde_json::from_str(&deviations).unwrap();
    assert_eq!(deviations.len(), 4, "{deviations:?}");
    let said = "check rows-shrunk failed and --accept-check rows-shrunk was given: expected 40, \
                found 30";
    assert!(deviations.iter().any(|what| what.contains(said)), "{deviations:?}");
}

#[tokio::test]
async fn a_migration_goes_on_and_refuses_names_that_no_check_bears() {
    let here = shrunk().await;
    here.db.sterna(&["stage", "drop"]).expect_code(0);
    let (file, backup) = (here.path("b.csv"), here.path("backup"));
    let (file, backup) = (file.to_str().unwrap(), backup.to_str().unwrap());
    let out = here.path("report");
    let migrate = [
        "migrate",
        file,
        "--backup-out",
        backup,
        "--out",
        out.to_str().unwrap(),
        "--bench-seconds=0",
        "--format=json",
        "--accept-regression",
    ];
    // No role can run the queries, which is reported before anything is done.
    let refused = here.db.sterna(&[&migrate[..], &["--ask-dependents"]].concat()).expect_code(2);
    assert!(refused.stderr.contains("cannot log in"), "{refused:?}");
    assert_eq!(
        here.db.psql("SELECT count(*) FROM sterna.migration WHERE kind = 'migration'").await,
        "0"
    );
    let unknown = [&migrate[..], &["--accept-check=rows-shrink"]].concat();
    let refused = here.db.sterna(&unknown).expect_code(2);
    assert!(refused.stderr.contains("there is no check rows-shrink"), "{refused:?}");
    let refused = here.db.sterna(&migrate).expect_code(4);
    assert!(refused.stderr.contains("--accept-check"), "{refused:?}");
    let names = ["rows-shrunk", "year-shrunk", "species-year-shrunk", "quantity-lost"];
    let names = names.map(|name| format!("--accept-check={name}"));
    let mut args: Vec<&str> = migrate.to_vec();
    args.extend(names.iter().map(String::as_str));
    let app = format!("{}_app", here.db.name());
    here.db
        .psql(&format!(
            "CREATE ROLE {app} LOGIN IN ROLE anon;
             CREATE VIEW public.who AS
             SELECT 1 / (current_user <> '{app}')::int FROM cites_trade_records"
        ))
        .await;
    args.extend(["--resume", "--accept-check=required", "--ask-dependents", "--as-role", &app]);
    let asked = here.db.sterna(&args).expect_code(4);
    assert!(asked.stderr.contains("dependents-answer"), "{asked:?}");
    args.push("--accept-check=dependents-answer");
    let done = here.db.sterna(&args).expect_code(0);
    assert!(done.stderr.contains("--accept-check required: no check"), "{done:?}");
    let status: Value = serde_json::from_str(&done.stdout).unwrap();
    let deviations = status["deviations"].to_string();
    assert!(deviations.contains("rows-shrunk was given: expected 40, found 30"), "{deviations}");
    here.db.psql(&format!("DROP OWNED BY {app}; DROP ROLE {app}")).await;
}
