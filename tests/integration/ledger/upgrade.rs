//! The ledger of 0.1.0, and its runs, with the current sterna.

use std::io::Write;
use std::path::Path;

use crate::load::process::until;
use crate::server::{Finished, TestDb, major};

/// The application's writes in the rows: three quantities, one row of its own.
const ROWS: &str = "SELECT count(*), count(*) FILTER (WHERE quantity = 7.5),
        count(*) FILTER (WHERE record_id = 'of the application'), count(DISTINCT id)
    FROM public.cites_trade_records";

/// Everything that could differ between an upgraded ledger and a new one. Columns are ordered by
/// name, because an added column comes last.
const CATALOG: &str = "
    SELECT format('%s %s', c.relkind, c.relname) FROM pg_class AS c
    WHERE c.relnamespace = 'sterna'::regnamespace
    UNION ALL
    SELECT format(
        'column %s %s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
        a.attnotnull, a.attidentity, pg_get_expr(d.adbin, d.adrelid)
    )
    FROM pg_attribute AS a
    INNER JOIN pg_class AS c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'sterna'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'sterna'::regnamespace
    UNION ALL
    SELECT pg_get_indexdef(i.indexrelid)
    FROM pg_index AS i
    INNER JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'sterna'::regnamespace
    UNION ALL
    SELECT pg_get_functiondef(oid) || coalesce(proacl::text, '')
    FROM pg_proc WHERE pronamespace = 'sterna'::regnamespace
    UNION ALL
    SELECT format('trigger %s', pg_get_triggerdef(t.oid))
    FROM pg_trigger AS t
    INNER JOIN pg_class AS c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'sterna'::regnamespace AND NOT t.tgisinternal
    UNION ALL
    SELECT format('type %s %s', typname, typtype)
    FROM pg_type WHERE typnamespace = 'sterna'::regnamespace
    ORDER BY 1";

/// What other versions have in place of what the dumps, which are of 15, have: in the statements, and in
/// the fingerprints that sterna 0.1.0 wrote.
fn of_this_server(dump: &str) -> String {
    let differences: [(bool, &[(&str, &str)]); 3] = [
        // Views read with their owner's rights.
        (
            major() < 15,
            &[
                (" WITH (security_invoker='true')", ""),
                (r"replica identity: n\noptions: security_invoker=true", "replica identity: n"),
            ],
        ),
        // A view of one table does not name it before each column.
        (major() >= 16, &[(" cites_trade_records.", " "), ("(cites_trade_records.", "(")]),
        (major() >= 17, &[("DELETE, INSERT, REFERENCES", "DELETE, INSERT, MAINTAIN, REFERENCES")]),
    ];
    let differ = differences.iter().filter(|(is_other, _)| *is_other);
    differ.flat_map(|(_, both)| *both).fold(dump.to_owned(), |dump, (in_dump, here)| {
        assert!(dump.contains(in_dump), "{in_dump}");
        dump.replace(in_dump, here)
    })
}

/// A database as 0.1.0 left it, and the folder of its run.
struct Left {
    db: TestDb,
    folder: tempfile::TempDir,
}

impl Left {
    /// After a completed run, and later writes.
    async fn finished() -> Self {
        Self::by(include_str!("../../fixtures/ledger-0.1.0/finished.sql")).await
    }

    /// After a run that was stopped before the switchover, and later writes.
    async fn unfinished() -> Self {
        Self::by(include_str!("../../fixtures/ledger-0.1.0/unfinished.sql")).await
    }

    async fn by(dump: &str) -> Self {
        let (db, folder) = (TestDb::new().await, tempfile::tempdir().unwrap());
        let path = folder.path().display().to_string();
        // The roles exist; the rest comes from the dump.
        db.psql("DROP SCHEMA public CASCADE; DROP PUBLICATION supabase_realtime").await;
        db.psql("CREATE SCHEMA public").await;
        db.psql(&of_this_server(dump).replace("{folder}", &path)).await;
        let release = Path::new(env!("CARGO_MANIFEST_DIR"));
        let release = release.join("tests/fixtures/ledger-0.1.0/release.csv");
        std::fs::copy(release, folder.path().join("release.csv")).unwrap();
        Left { db, folder }
    }

    fn sterna(&self, args: &[&str]) -> Finished {
        let mut command = self.db.command(args);
        Finished::from(command.current_dir(self.folder.path()).output().unwrap())
    }

    /// Runs `sterna migrate` with the arguments of the run.
    fn migrate(&self, more: &[&str]) -> Finished {
        let args = ["migrate", "release.csv", "--progress", "never", "--skip", "2.3"];
        let args = args.into_iter().chain(["--max-quantity-change", "1000"]);
        self.sterna(&args.chain(more.iter().copied()).collect::<Vec<_>>())
    }
}

/// Whether the upgrade was reported.
fn said(finished: &Finished) -> bool {
    let words = format!("ledger upgraded from version 1 to {}", sterna::ledger::VERSION);
    finished.stderr.contains(&words)
}

#[tokio::test]
async fn an_upgraded_ledger_is_that_of_a_new_one_and_says_so_once() {
    let left = Left::unfinished().await;
    let status = left.sterna(&["status", "--format", "json"]).expect_code(0);
    assert!(said(&status), "{status:?}");
    let shown: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!((&shown["state"], &shown["next"]), (&"stopped".into(), &"4.1".into()));
    assert!(!said(&left.sterna(&["status"]).expect_code(0)));
    assert!(!said(&left.sterna(&["stage", "create"])));
    let fresh = TestDb::new().await;
    fresh.sterna(&["stage", "create"]).expect_code(0);
    let mut catalogs = Vec::new();
    for db in [&left.db, &fresh] {
        // A journal's name contains the OID of its table.
        let table = db.psql("SELECT relid FROM sterna.journaled").await;
        let catalog = db.psql(CATALOG).await;
        catalogs.push(catalog.replace(&format!("journal_{table}"), "journal_of_table"));
    }
    assert_eq!(catalogs[0], catalogs[1]);
}

#[tokio::test]
async fn a_check_before_a_migration_only_looks_at_an_older_ledger() {
    let left = Left::unfinished().await;
    let before = left.db.psql(CATALOG).await;
    let found = left.sterna(&["check", "pre", "--disk-space-checked"]).expect_code(6);
    assert!(!said(&found) && found.stdout.contains("it has version 1"), "{found:?}");
    // What it cannot read, it does not claim.
    for name in [" backup", " leftovers"] {
        let line = found.stdout.lines().find(|line| line.starts_with(name));
        assert!(line.is_some_and(|line| line.contains("not known")), "{name}: {found:?}");
    }
    assert_eq!(left.db.psql(CATALOG).await, before);
    left.sterna(&["status"]).expect_code(0);
    let found = left.sterna(&["check", "pre", "--disk-space-checked"]);
    assert!(found.stdout.contains("it can be used"), "{found:?}");
}

#[tokio::test]
async fn nothing_is_upgraded_while_another_sterna_is_at_work() {
    let left = Left::unfinished().await;
    let other = left.db.connect().await;
    other.batch_execute("SELECT pg_advisory_lock_shared(1937010274, 42)").await.unwrap();
    let refused = left.sterna(&["status"]).expect_code(6);
    assert!(refused.stderr.contains("another sterna is at work") && !said(&refused));
    assert_eq!(left.db.psql("SELECT to_regclass('sterna.ledger') IS NULL").await, "t");
    other.close().await.unwrap();
    assert!(said(&left.sterna(&["status"]).expect_code(0)));
}

/// Two commands that begin at once: the one that waits for the other's upgrade is not at work.
#[tokio::test]
async fn who_waits_for_an_upgrade_is_not_waited_for() {
    let left = Left::unfinished().await;
    let others = include_str!("../../../sql/ledger/others-at-work.sql");
    let setup = include_str!("../../../sql/ledger/lock-setup.sql");
    let (upgrades, waits) = (left.db.connect().await, left.db.connect().await);
    waits.batch_execute("SELECT pg_advisory_lock_shared(1937010274, 42)").await.unwrap();
    assert_eq!(upgrades.query(others, &[]).await.unwrap().len(), 1);
    upgrades.batch_execute("BEGIN").await.unwrap();
    upgrades.batch_execute(setup).await.unwrap();
    let (waited, ()) = tokio::join!(waits.batch_execute(setup), async {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        until(&left.db, waiting, "1").await;
        assert_eq!(upgrades.query(others, &[]).await.unwrap().len(), 0);
        upgrades.batch_execute("COMMIT").await.unwrap();
    });
    waited.unwrap();
}

#[tokio::test]
async fn a_failed_upgrade_leaves_the_ledger_as_it_was() {
    let left = Left::unfinished().await;
    let before = left.db.psql(CATALOG).await;
    // The name of a table that the upgrade creates is taken.
    left.db.psql("CREATE DOMAIN sterna.ledger AS integer").await;
    let failed = left.sterna(&["status"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stderr.contains("could not upgrade the ledger from version 1"), "{failed:?}");
    left.db.psql("DROP DOMAIN sterna.ledger").await;
    assert_eq!(left.db.psql(CATALOG).await, before);
}

/// The dumps are of a server that keeps NOT NULL in the columns. From 18 on, they are constraints, and
/// the fingerprints in the ledger do not have them.
fn is_of_another_server() -> bool {
    let is_other = major() >= 18;
    if is_other {
        let text =
            b"SKIPPED: from PostgreSQL 18 on, NOT NULL is a constraint, which the dump lacks\n";
        // Bypasses the output capture of passing tests.
        std::io::stderr().write_all(text).unwrap();
    }
    is_other
}

#[tokio::test]
async fn an_unfinished_run_is_resumed_to_its_end() {
    if is_of_another_server() {
        return;
    }
    let left = Left::unfinished().await;
    let resumed = left.migrate(&["--resume"]).expect_code(0);
    assert!(said(&resumed), "{resumed:?}");
    // The release has 120 rows; the application deleted one and wrote one.
    assert_eq!(left.db.psql(ROWS).await, "120|3|1|120");
    let status = left.sterna(&["status", "--format", "json"]).expect_code(0);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status["state"], "finished");
    // And rolled back, with later writes.
    left.db.psql("UPDATE public.cites_trade_records SET quantity = 7.5 WHERE unit = 'g'").await;
    left.sterna(&["rollback", "1.1"]).expect_code(0);
    let changed = "SELECT bool_and(quantity = 7.5), count(*) > 0
        FROM public.cites_trade_records WHERE unit = 'g'";
    assert_eq!(left.db.psql(changed).await, "t|t");
}

#[tokio::test]
async fn an_unfinished_run_is_rolled_back() {
    let left = Left::unfinished().await;
    let rows = left.db.psql(ROWS).await;
    assert_eq!(rows, "90|3|1|90");
    let back = left.sterna(&["rollback", "1.1"]).expect_code(0);
    assert!(said(&back), "{back:?}");
    assert_eq!(left.db.psql(ROWS).await, rows);
    let gone = "SELECT to_regclass('public.cites_trade_records_staging') IS NULL,
        (SELECT count(*) FROM pg_trigger WHERE tgname LIKE '!sterna%'),
        (SELECT count(*) FROM sterna.journaled)";
    assert_eq!(left.db.psql(gone).await, "t|0|0");
}

#[tokio::test]
async fn a_finished_run_is_rolled_back_with_what_was_written_before_the_upgrade() {
    if is_of_another_server() {
        return;
    }
    let left = Left::finished().await;
    assert_eq!(left.db.psql(ROWS).await, "120|3|1|120");
    let back = left.sterna(&["rollback", "1.1"]).expect_code(0);
    assert!(said(&back), "{back:?}");
    // The old table's 90 rows, three of which were changed since, and the application's.
    assert_eq!(left.db.psql(ROWS).await, "91|3|1|91");
}
