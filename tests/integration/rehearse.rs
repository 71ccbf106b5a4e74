//! `sterna rehearse`: the whole plan on a copy of production, which finds what would go wrong
//! there and leaves nothing behind.

mod gate;
mod interrupted;
mod partitions;
mod planted;
mod rights;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::migrate::{ROWS, Scenario};
use crate::server::Finished;
use crate::switchover::exchange::{self, fingerprint};

/// Options that keep a rehearsal short and independent of timing.
const QUICK: [&str; 6] = ["--skip", "2.3", "--batch-size", "200", "--max-quantity-change", "1000"];

/// `sterna rehearse` of the scenario's release, with a temporary folder of its own that must be
/// empty afterwards.
struct Stage {
    scenario: Scenario,
    scratch: tempfile::TempDir,
}

impl Stage {
    async fn new() -> Self {
        Stage::of(Scenario::new().await)
    }

    fn of(scenario: Scenario) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        // The embedded server's account creates its folder there.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(scratch.path(), open).unwrap();
        Stage { scenario, scratch }
    }

    /// `sterna rehearse` of the scenario's release.
    fn command(&self, more: &[&str]) -> Command {
        let args = ["rehearse", self.scenario.release(), "--progress", "never", "--format", "json"];
        let args: Vec<&str> = args.into_iter().chain(QUICK).chain(more.iter().copied()).collect();
        let mut command = self.scenario.here.db.command(&args);
        command.current_dir(self.scenario.here.folder.path()).env("TMPDIR", self.scratch.path());
        command
    }

    /// Rehearses; production must be unchanged, and nothing left over.
    async fn rehearse(&self, more: &[&str]) -> Finished {
        let db = &self.scenario.here.db;
        let before = (fingerprint(db).await, exchange::names(db).await, db.psql(ROWS).await);
        let done = Finished::from(self.command(more).output().unwrap());
        let after = (fingerprint(db).await, exchange::names(db).await, db.psql(ROWS).await);
        assert!(before == after, "production was touched: {done:#?}");
        self.assert_nothing_left();
        done
    }

    #[track_caller]
    fn assert_nothing_left(&self) {
        assert_eq!(names(self.scratch.path()), Vec::<String>::new());
    }
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn report(done: &Finished) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or_else(|e| panic!("{e}: {done:#?}"))
}

/// A check in the report, by name.
#[track_caller]
fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{report:#}"))
}

#[tokio::test]
async fn the_whole_plan_goes_there_and_back_on_a_copy() {
    let stage = Stage::new().await;
    let db = &stage.scenario.here.db;
    // The copy also includes a role of its own, rights, a function and a child table.
    db.psql(
        "CREATE TABLE public.remarks (record uuid REFERENCES public.cites_trade_records (id));
         INSERT INTO public.remarks SELECT id FROM public.cites_trade_records LIMIT 3;
         CREATE TABLE public.unconcerned AS SELECT generate_series(1, 50) AS n;",
    )
    .await;
    let done = stage.rehearse(&["--out", "report"]).await.expect_code(0);
    let report = report(&done);
    assert_eq!((&report["passed"], &report["recorded"]), (&true.into(), &true.into()));
    let names = ["backup", "restore", "same", "plan", "rollback", "as before", "space"];
    for name in names {
        assert_eq!(check(&report, name)["passed"], true, "{report:#}");
    }
    assert!(report["switchover"]["locked_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(report["switchover"]["rows"], 2000);
    assert!(report["space"]["needed_bytes"].as_u64().unwrap() > 0);
    let saved = report["backup"]["tables"].as_array().unwrap();
    let rows = |name: &str| saved.iter().find(|t| t["name"] == name).map(|t| t["rows"].clone());
    assert_eq!((rows("remarks"), rows("unconcerned")), (Some(3.into()), None));
    let folder = stage.scenario.here.path("report");
    for name in ["rehearsal.json", "rehearsal.md", "report.json", "report.html"] {
        assert!(folder.join(name).is_file(), "{name}");
    }
    let ledger = "SELECT count(*) FROM sterna.rehearsal";
    assert_eq!(db.psql(ledger).await, "1");
    assert_eq!(db.psql("SELECT count(*) FROM sterna.backup").await, "0", "it is not kept");
}

#[tokio::test]
async fn a_given_backup_of_the_whole_database_is_restored() {
    let stage = Stage::new().await;
    let scenario = &stage.scenario;
    scenario.sterna(&["backup", "--out", "tables"]).expect_code(0);
    let refused = stage.rehearse(&["--backup", "tables"]).await.expect_code(2);
    assert!(refused.stderr.contains("backup --full"), "{refused:?}");
    // What sterna has recorded and left there is not part of the copy.
    scenario.here.db.psql("DELETE FROM public.species_trade_summary").await;
    scenario.sterna(&["species", "synonym", "Ursus maritimus albus", "Ursus maritimus"]);
    scenario.migrate(&[]).expect_code(0);
    scenario.sterna(&["rollback", "switchover"]).expect_code(0);
    scenario.sterna(&["backup", "--full", "--out", "whole"]).expect_code(0);
    let done = stage.rehearse(&["--backup", "whole"]).await.expect_code(0);
    assert_eq!(report(&done)["backup"]["full"], true);
    // A table that was altered since counts as a different one.
    let changed = "ALTER TABLE public.cites_trade_records ADD COLUMN remark text";
    scenario.here.db.psql(changed).await;
    let other = stage.rehearse(&["--backup", "whole"]).await.expect_code(6);
    let other = report(&other);
    assert!(check(&other, "same")["detail"].as_str().unwrap().contains("remark"), "{other:#}");
    assert_eq!(other["recorded"], false);
}

#[tokio::test]
async fn a_database_that_was_given_is_filled_and_stays() {
    let stage = Stage::new().await;
    let db = &stage.scenario.here.db;
    let place = crate::server::TestDb::empty().await;
    let socket = crate::server::shared().socket_folder().to_str().unwrap().replace('/', "%2F");
    let url_of = |role: &str| format!("postgresql://{role}@{socket}/{}", place.name());
    let refused = stage.rehearse(&["--into", &url_of("postgres")]).await.expect_code(6);
    assert!(refused.stderr.contains("postgres is a superuser"), "{refused:?}");
    // The ordinary role that owns everything on production, too.
    db.psql(HAND_OVER).await;
    place.psql(&format!("ALTER DATABASE {} OWNER TO rehearsal_owner", place.name())).await;
    let url = url_of("rehearsal_owner");
    let done = stage.rehearse(&["--into", &url]).await.expect_code(0);
    assert!(report(&done)["place"].as_str().unwrap().ends_with(place.name()));
    let rows = "SELECT count(*) FROM public.cites_trade_records";
    assert_eq!(place.psql(rows).await, db.psql(rows).await);
    // Nothing is restored into a database that is not empty, least of all production.
    let again = stage.rehearse(&["--into", &url]).await.expect_code(6);
    assert!(again.stderr.contains("is not empty"), "{again:?}");
}

#[tokio::test]
async fn the_richest_table_is_alike_on_the_copy() {
    let scenario = Scenario::rich().await;
    // What an owner may not do to its table requires a superuser, and the copy has none.
    let truncate = "GRANT TRUNCATE ON public.cites_trade_records TO trade_owner";
    scenario.here.db.psql(truncate).await;
    let stage = Stage::of(scenario);
    let done = stage.rehearse(&["--expect-rows", "2537"]).await.expect_code(0);
    let report = report(&done);
    let same = check(&report, "same")["detail"].as_str().unwrap();
    let told = "pg_dump does not save comment type public.cites_trade_records";
    assert!(same.ends_with(told), "everything else is equal: {same}");
    let saved = report["backup"]["tables"].as_array().unwrap();
    let names: Vec<&str> = saved.iter().map(|table| table["name"].as_str().unwrap()).collect();
    // The tables that refer to it, and those its rows need; nothing else.
    for needed in ["trade_annotations", "trade_disputes", "trade_parties"] {
        assert!(names.contains(&needed), "{names:?}");
    }
    assert!(!names.contains(&"trade_log"), "{names:?}");
}

/// Gives everything to a role that is not a superuser.
const HAND_OVER: &str = "
    DROP SCHEMA sterna CASCADE;
    DO $$ BEGIN
        CREATE ROLE rehearsal_owner LOGIN BYPASSRLS;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$;
    DO $$ DECLARE what text; BEGIN
        EXECUTE format('GRANT CREATE ON DATABASE %I TO rehearsal_owner', current_database());
        GRANT USAGE, CREATE ON SCHEMA public TO rehearsal_owner;
        FOR what IN
            SELECT format('%s %s', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass)
            FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')
            UNION ALL SELECT 'FUNCTION ' || oid::regprocedure
            FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            UNION ALL SELECT 'PUBLICATION ' || quote_ident(pubname) FROM pg_publication
        LOOP
            EXECUTE 'ALTER ' || what || ' OWNER TO rehearsal_owner';
        END LOOP;
    END $$";

#[tokio::test]
async fn the_plan_is_rehearsed_with_the_rights_of_the_role_that_will_run_it() {
    let stage = Stage::new().await;
    let db = &stage.scenario.here.db;
    db.psql(HAND_OVER).await;
    let rehearse = || {
        let mut command = stage.command(&[]);
        let done = Finished::from(command.env("PGUSER", "rehearsal_owner").output().unwrap());
        stage.assert_nothing_left();
        done
    };
    let passed = report(&rehearse().expect_code(0));
    assert_eq!(passed["plan"]["role"], "rehearsal_owner");
    // What the role may not do to production, it may not do to the copy.
    db.psql("ALTER VIEW public.species_trade_overview OWNER TO postgres").await;
    let refused = report(&rehearse().expect_code(6));
    assert_eq!(check(&refused, "plan")["passed"], false);
    assert!(refused["failure"].as_str().unwrap().contains("species_trade_overview"), "{refused:#}");
}
