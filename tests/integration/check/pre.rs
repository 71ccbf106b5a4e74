//! What prevents a migration, each problem planted alone.

use serde_json::Value;

use super::{failed, finding, findings};
use crate::cites::{Installation, file_of, good, shipment};
use crate::rich::{fill, rich};
use crate::server::{Finished, TestDb};

const SURE: &str = "--disk-space-checked";

fn pre(db: &TestDb, args: &[&str]) -> Finished {
    db.sterna(&[&["check", "pre", "--format", "json", SURE], args].concat())
}

#[tokio::test]
async fn with_a_backup_and_mapped_files_it_is_safe_to_begin() {
    let here = Installation::new().await;
    let file = here.file("in.csv", file_of(&good(20)));
    let first = pre(&here.db, &[&file]).expect_code(6);
    assert_eq!(failed(&findings(&first), "error"), ["backup"], "{first:?}");
    assert!(first.stderr.contains("backup"), "{first:?}");
    assert_eq!(here.db.psql("SELECT to_regnamespace('sterna')").await, "", "it only looks");

    let folder = here.path("backup").display().to_string();
    here.db.sterna(&["backup", "--method", "copy", "--out", &folder]).expect_code(0);
    let ready = findings(&pre(&here.db, &[&file]).expect_code(0));
    assert_eq!((&ready["passed"], failed(&ready, "error").len()), (&Value::Bool(true), 0));
    assert!(finding(&ready, "backup")["detail"].as_str().unwrap().contains(&folder));

    here.report(0, &[&file, "--all"]);
    let loaded = findings(&pre(&here.db, &[]).expect_code(0));
    assert_eq!(finding(&loaded, "staging")["detail"], "20 rows of 1 load");
    assert_eq!(finding(&loaded, "species")["passed"], true);
    let in_the_way = findings(&pre(&here.db, &[&file]).expect_code(0));
    let staging = finding(&in_the_way, "staging");
    assert_eq!((&staging["passed"], &staging["severity"]), (&false.into(), &"warning".into()));

    // A backup that is given is read.
    pre(&here.db, &["--backup", &folder]).expect_code(0);
    let saved = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let rows = saved
        .filter(|p| p.extension().is_none_or(|e| e != "json"))
        .max_by_key(|p| std::fs::metadata(p).unwrap().len());
    std::fs::write(rows.unwrap(), "damaged").unwrap();
    let damaged = findings(&pre(&here.db, &["--backup", &folder]).expect_code(6));
    assert_eq!(failed(&damaged, "error"), ["backup"]);
    let text = here.db.sterna(&["check", "pre", SURE]).expect_code(0);
    assert!(text.stdout.contains("passed:") && text.stdout.contains("disk-space"), "{text:?}");
}

#[tokio::test]
async fn a_taxon_without_a_species_is_named() {
    let here = Installation::new().await;
    let mut records = good(3);
    records.push(shipment(&[("Id", "9"), ("Taxon", "Branta hutchinsii leucopareia")]));
    let file = here.file("in.csv", file_of(&records));
    let report = findings(&pre(&here.db, &[&file]).expect_code(6));
    let found = finding(&report, "species");
    assert!(found["detail"].as_str().unwrap().contains("Branta hutchinsii leucopareia"), "{found}");
    assert_eq!(failed(&report, "error"), ["backup", "species"]);
    // And the same from the last load's report.
    here.report(0, &[&file, "--all"]);
    let report = findings(&pre(&here.db, &[]).expect_code(6));
    assert_eq!(finding(&report, "species")["passed"], false);
}

/// What is planted, the finding that it must cause, its severity, and a part of its text.
const PLANTED: [(&str, &str, &str, &str); 9] = [
    ("CREATE TABLE cites_trade_records_old (x int)", "leftovers", "error", "_old"),
    ("CREATE VIEW cites_trade_records_staging AS SELECT 1", "leftovers", "error", "_staging"),
    ("CREATE TABLE cites_trade_records_backup (x int)", "leftovers", "error", "_backup"),
    ("CREATE TABLE child () INHERITS (cites_trade_records)", "supported", "error", "child"),
    ("CREATE TABLE holder (trade cites_trade_records)", "supported", "error", "cannot be pointed"),
    (
        "CREATE SCHEMA realtime; CREATE TABLE realtime.subscription (entity regclass);
         INSERT INTO realtime.subscription VALUES ('cites_trade_records')",
        "remembered-identity",
        "warning",
        "1 rows of \"realtime\".\"subscription\"",
    ),
    (
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''50ms''',
         current_database()); END $$",
        "deadlock-timeout",
        "warning",
        "50 ms",
    ),
    (
        "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER filled BEFORE INSERT ON cites_trade_records
             FOR EACH ROW EXECUTE FUNCTION fill();
         CREATE TRIGGER later AFTER DELETE ON cites_trade_records
             FOR EACH ROW EXECUTE FUNCTION fill()",
        "insert-triggers",
        "warning",
        "the trigger filled on public.cites_trade_records calls public.fill()",
    ),
    (
        "CREATE RULE copied AS ON INSERT TO cites_trade_records DO ALSO NOTIFY inserted",
        "insert-triggers",
        "warning",
        "the rule copied on public.cites_trade_records",
    ),
];

#[tokio::test]
async fn what_is_planted_is_found_and_nothing_else() {
    let db = TestDb::new().await;
    let clean = findings(&pre(&db, &[]).expect_code(6));
    assert_eq!(failed(&clean, "error"), ["backup"]);
    assert_eq!(failed(&clean, "warning"), ["species"]);
    for (sql, name, severity, said) in PLANTED {
        let db = TestDb::new().await;
        db.psql(sql).await;
        let report = findings(&pre(&db, &[]).expect_code(6));
        let mut expected = if severity == "error" { vec!["backup"] } else { vec!["species"] };
        expected.push(name);
        let mut found = failed(&report, severity);
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected, "{sql}");
        let detail = finding(&report, name)["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{sql}: {detail}");
    }
}

#[tokio::test]
async fn a_name_that_a_suffix_would_cut_is_an_error() {
    let db = TestDb::new().await;
    let name = "t".repeat(60);
    db.psql(&format!("CREATE TABLE {name} (id uuid PRIMARY KEY)")).await;
    let report = findings(&pre(&db, &["--table", &name]).expect_code(6));
    assert!(failed(&report, "error").contains(&"names".to_owned()), "{report:#}");
}

#[tokio::test]
async fn an_old_transaction_is_seen_only_after_its_minute() {
    let db = TestDb::new().await;
    let open = db.connect().await;
    open.batch_execute("BEGIN; SELECT FROM public.species").await.unwrap();
    let report = findings(&pre(&db, &[]).expect_code(6));
    assert_eq!(finding(&report, "long-transactions")["passed"], true);
}

/// Runs it as a role other than the owner, by PGUSER.
fn pre_as(db: &TestDb, role: &str) -> Value {
    let mut command = db.command(&["check", "pre", "--format", "json", SURE]);
    findings(&Finished::from(command.env("PGUSER", role).output().unwrap()).expect_code(6))
}

#[tokio::test]
async fn rights_that_are_missing_are_listed_and_granting_them_is_enough() {
    let db = rich().await;
    fill(&db).await;
    let role = format!("nobody_{}", db.name());
    // Before 15, everybody may create objects in public.
    db.psql(&format!(
        "CREATE ROLE {role} LOGIN; REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC;
         REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        db.name()
    ))
    .await;
    let report = pre_as(&db, &role);
    let missing = finding(&report, "rights")["detail"].as_str().unwrap().to_owned();
    for part in [
        "ownership of table",
        "GRANT trade_owner TO",
        "CREATE on the database",
        "TEMPORARY on the database",
        "CREATE on schema public",
        "REFERENCES on",
        "BYPASSRLS",
        "publication",
    ] {
        assert!(missing.contains(part), "{part}: {missing}");
    }
    // The suggestions are SQL that can be run as they are, unless that would grant more than
    // needed.
    let by_hand = |line: &&str| line.contains(": run sterna as a superuser");
    for line in missing.split("; ").filter(|line| !by_hand(line)) {
        let (_, grant) = line.split_once(": ").unwrap();
        let granted = db.try_psql(grant).await;
        assert!(granted.is_ok(), "{line}: {granted:?}");
    }
    let report = pre_as(&db, &role);
    let left = finding(&report, "rights")["detail"].as_str().unwrap();
    assert!(left.split("; ").all(|line| by_hand(&line)), "{left}");
    for owned in [
        "view analytics.trade_report, which belongs to trade_analyst: run sterna as a \
        superuser, or drop it before",
        "publication",
    ] {
        assert!(left.contains(owned), "{owned}: {left}");
    }
    let members = format!(
        "SELECT string_agg(roleid::regrole::text, ' ' ORDER BY 1) FROM pg_auth_members
        WHERE member = '{role}'::regrole"
    );
    assert_eq!(db.psql(&members).await, "authenticated trade_owner");
    assert_eq!(finding(&report, "sessions-seen")["passed"], false);
    db.psql(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn rights_on_the_summary_are_missed_before_it_is_saved_and_recomputed() {
    let db = TestDb::new().await;
    let role = format!("sterna_{}", db.name());
    db.psql(&format!(
        "CREATE ROLE {role} LOGIN;
         GRANT CREATE ON DATABASE {} TO {role}; GRANT CREATE ON SCHEMA public TO {role};
         ALTER TABLE cites_trade_records OWNER TO {role};
         ALTER PUBLICATION supabase_realtime OWNER TO {role};
         DROP VIEW trade_routes, trade_quantity_by_year, species_trade_overview;
         GRANT SELECT, REFERENCES ON species TO {role};
         REVOKE ALL ON species_trade_summary FROM PUBLIC",
        db.name()
    ))
    .await;
    let rights =
        || async { finding(&pre_as(&db, &role), "rights")["detail"].as_str().unwrap().to_owned() };
    let missing = rights().await;
    for right in ["SELECT", "INSERT", "UPDATE", "DELETE"] {
        let grant = format!("GRANT {right} ON public.species_trade_summary TO {role}");
        assert!(missing.contains(&grant), "{grant}: {missing}");
    }
    let hidden = "row-level security hides rows of public.species_trade_summary";
    assert!(missing.contains(hidden), "{missing}");
    db.psql(&format!("GRANT ALL ON species_trade_summary TO {role}")).await;
    assert!(rights().await.contains(hidden), "the rights alone do not help");
    // As a backup shows.
    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("backup");
    let mut backup = db.command(&["backup", "--method", "copy", "--out", out.to_str().unwrap()]);
    let failed = Finished::from(backup.env("PGUSER", &role).output().unwrap()).expect_code(1);
    assert!(failed.stderr.contains("row-level security"), "{failed:?}");
    db.psql(&format!("ALTER ROLE {role} BYPASSRLS")).await;
    assert!(rights().await.starts_with("the role may do all"), "{}", rights().await);
    // Any other table of that name is only saved.
    db.psql(&format!(
        "ALTER TABLE species_trade_summary DROP COLUMN annual_summaries;
         REVOKE ALL ON species_trade_summary FROM {role};
         GRANT SELECT ON species_trade_summary TO {role}"
    ))
    .await;
    assert!(rights().await.starts_with("the role may do all"), "{}", rights().await);
    db.psql(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn disks_are_looked_at_where_they_can_be() {
    let db = TestDb::new().await;
    let report = db.sterna(&["check", "pre", "--format", "json"]).expect_code(6);
    let report = findings(&report);
    let detail = finding(&report, "disk-space")["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("GiB free, 10.0 wanted"), "{detail}");
    let role = unaware(&db).await;
    let mut command = db.command(&["check", "pre", "--format", "json"]);
    let unaware = findings(&Finished::from(command.env("PGUSER", &role).output().unwrap()));
    let unknown = finding(&unaware, "disk-space");
    assert_eq!(unknown["passed"], false);
    assert!(unknown["hint"].as_str().unwrap().contains(SURE), "{unknown}");
    assert_eq!(finding(&pre_as(&db, &role), "disk-space")["passed"], true);
    db.psql(&format!("DROP ROLE {role}")).await;
}

/// A role that may not see the data folder, so that it cannot see the disks either.
async fn unaware(db: &TestDb) -> String {
    let role = format!("unaware_{}", db.name());
    db.psql(&format!("CREATE ROLE {role} LOGIN")).await;
    role
}

#[tokio::test]
async fn sizes_are_compared_with_a_limit_where_disks_cannot_be_seen() {
    let db = TestDb::new().await;
    let role = unaware(&db).await;
    let space = |args: &[&str]| {
        let mut command = db.command(&[&["check", "pre", "--format", "json"], args].concat());
        let done = Finished::from(command.env("PGUSER", &role).output().unwrap());
        finding(&findings(&done.expect_code(6)), "disk-space").clone()
    };
    let text = |found: &Value, field: &str| found[field].as_str().unwrap_or_default().to_owned();

    let unknown = space(&[]);
    assert_eq!(unknown["passed"], false);
    for figure in ["database takes", "table with its indexes", "staging", "backup table", "WAL"] {
        assert!(text(&unknown, "detail").contains(figure), "{figure}: {unknown}");
    }
    for flag in ["--disk-limit", SURE] {
        assert!(text(&unknown, "hint").contains(flag), "{unknown}");
    }

    let fits = space(&["--disk-limit", "8GB"]);
    assert_eq!(fits["passed"], true);
    assert!(text(&fits, "detail").contains("the limit is 8.0 GB"), "{fits}");
    let short = space(&["--disk-limit", "1MB"]);
    assert_eq!(short["passed"], false);
    assert!(text(&short, "detail").contains("the limit is 1.0 MB"), "{short}");
    let checked = space(&["--disk-limit", "1MB", SURE]);
    assert_eq!(checked["passed"], true);
    assert!(text(&checked, "detail").contains("checked by the operator"), "{checked}");

    // A limit also holds where the disks can be seen.
    let seen = findings(&pre(&db, &["--disk-limit", "8GB"]));
    let seen = text(finding(&seen, "disk-space"), "detail");
    assert!(seen.contains("GiB free") && seen.contains("the limit is 8.0 GB"), "{seen}");
    let refused = db.sterna(&["check", "pre", "--disk-limit", "plenty"]).expect_code(2);
    assert!(refused.stderr.contains("is not a size such as 20GiB"), "{refused:?}");
    db.psql(&format!("DROP ROLE {role}")).await;
}
