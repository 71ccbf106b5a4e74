//! `sterna backup`: a restore yields what was there, and damage is found.

mod damage;
pub(crate) mod partitions;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sterna::pg::connect;
use sterna::pg::embedded::ModelSchema;
use sterna::table::fingerprint::Entry;

use crate::cites::Installation;
use crate::server::{Finished, TestDb, shared};
use crate::switchover::exchange::fingerprint_of;

const TABLES: [&str; 3] = ["cites_trade_records", "species", "species_trade_summary"];
const TRADE: &str = "INSERT INTO public.cites_trade_records
        (species_id, record_id, year, appendix, taxon, term, importer)
    SELECT s.id, n::text, 1990 + n % 9, 'II', E'tab\\t, \"quote\", back\\\\slash\\nline\\n\\\\.\\n', 'é',
        CASE n % 3 WHEN 0 THEN '' WHEN 1 THEN 'DE' END
    FROM public.species AS s, generate_series(1, 20) AS n";
const SUMMARY: &str = "INSERT INTO public.species_trade_summary (species_id, distinct_years)
    SELECT id, '[1990]' FROM public.species LIMIT 5";
/// Everything about columns, constraints and indexes.
const STRUCTURE: &str = "SET search_path = '';
    SELECT attrelid::regclass || ' ' || attname || ' ' || format_type(atttypid, atttypmod)
        || attnotnull || coalesce(pg_get_expr(adbin, adrelid), '')
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped AND attrelid IN (
        'public.cites_trade_records'::regclass, 'public.species'::regclass,
        'public.species_trade_summary'::regclass)
    UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' ||
        -- The server itself writes a check on varchar otherwise once it has read it.
        CASE contype WHEN 'c' THEN regexp_replace(pg_get_constraintdef(oid),
            '[][()]|::character varying|::text', '', 'g')
        ELSE pg_get_constraintdef(oid) END
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
        AND conrelid IN ('public.cites_trade_records'::regclass, 'public.species'::regclass,
        'public.species_trade_summary'::regclass)
    UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid IN ('public.cites_trade_records'::regclass, 'public.species'::regclass,
        'public.species_trade_summary'::regclass)
    ORDER BY 1";

async fn filled(schema: ModelSchema) -> Installation {
    let place = Installation::with_schema(schema).await;
    place.db.psql(&format!("{TRADE}; {SUMMARY}")).await;
    place
}

fn backup(place: &Installation, name: &str, args: &[&str]) -> Finished {
    let out = place.path(name).display().to_string();
    let all = [&["backup", "--format", "json", "--out", &out], args].concat();
    place.db.sterna(&all)
}

fn verify(place: &Installation, name: &str, args: &[&str]) -> Finished {
    let folder = place.path(name).display().to_string();
    place.db.sterna(&[&["backup", "verify", &folder], args].concat())
}

fn shell(folder: &Path, line: &str, db: &TestDb) -> Finished {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", line]).current_dir(folder);
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", shared().bin_folder().display()));
    command.env("PGHOST", shared().socket_folder()).env("PGPORT", shared().port().to_string());
    command.env("PGUSER", shared().user()).env("PGDATABASE", db.name());
    Finished::from(command.output().unwrap())
}

/// The rows of a table as text, which must be the same in both databases.
async fn rows(db: &TestDb, table: &str) -> Vec<String> {
    let session = connect(db.info()).await.unwrap();
    let sql = format!("SELECT t::text FROM public.{table} AS t ORDER BY 1");
    let found = session.query(&sql, &[]).await.unwrap();
    found.iter().map(|row| row.get(0)).collect()
}

async fn assert_same(before: &TestDb, after: &TestDb) {
    for table in TABLES {
        let (was, is) = (rows(before, table).await, rows(after, table).await);
        assert!(!was.is_empty());
        assert_eq!(was, is, "{table}");
    }
    assert_eq!(before.psql(STRUCTURE).await, after.psql(STRUCTURE).await);
}

#[tokio::test]
async fn what_pg_dump_saved_is_restored_to_the_letter() {
    for schema in [ModelSchema::Production, ModelSchema::ReportedQuantities] {
        let place = filled(schema).await;
        let taken = backup(&place, "saved", &[]).expect_code(0);
        let report: Value = serde_json::from_str(&taken.stdout).unwrap();
        assert_eq!((&report["method"], &report["verified"]), (&"pg-dump".into(), &true.into()));
        let counts: Vec<_> = report["tables"].as_array().unwrap().iter().collect();
        assert_eq!(counts.iter().map(|t| t["rows"].as_u64().unwrap()).sum::<u64>(), 860 + 43 + 5);
        verify(&place, "saved", &["--restore"]).expect_code(0);
        let empty = TestDb::empty().await;
        let line = "pg_restore --no-owner --no-privileges --no-publications \
                    --exit-on-error --dbname $PGDATABASE backup.dump";
        shell(&place.path("saved"), line, &empty).expect_code(0);
        assert_same(&place.db, &empty).await;
        shell(&place.path("saved"), "sha256sum -c SHA256SUMS", &empty).expect_code(0);
    }
}

#[tokio::test]
async fn what_was_copied_is_restored_by_psql_to_the_letter() {
    for schema in [ModelSchema::Production, ModelSchema::ReportedQuantities] {
        let place = filled(schema).await;
        place
            .db
            .psql(
                "ALTER TABLE public.species ADD number serial, ADD own integer GENERATED ALWAYS
                 AS IDENTITY, ADD twice integer GENERATED ALWAYS AS (number * 2) STORED,
                 ADD CONSTRAINT named CHECK (number > 0)",
            )
            .await;
        backup(&place, "saved", &["--method", "copy"]).expect_code(0);
        verify(&place, "saved", &["--restore"]).expect_code(0);
        let empty = TestDb::empty().await;
        shell(&place.path("saved"), "psql -qf restore.sql", &empty).expect_code(0);
        assert_same(&place.db, &empty).await;
        let sequences = "SELECT nextval('public.species_number_seq'),
            nextval(pg_get_serial_sequence('public.species', 'own'))";
        assert_eq!(empty.psql(sequences).await, "44|44");
    }
}

#[tokio::test]
async fn what_is_attached_to_a_copied_table_is_restored_where_its_functions_exist() {
    let place = filled(ModelSchema::Production).await;
    let attached = "ALTER TABLE public.cites_trade_records ENABLE ROW LEVEL SECURITY;
        CREATE POLICY \"some; rows\" ON public.cites_trade_records FOR SELECT TO anon
            USING (term <> 'a;b');
        CREATE TRIGGER stamp BEFORE UPDATE ON public.cites_trade_records FOR EACH ROW
            EXECUTE FUNCTION public.stamp();
        ALTER TABLE public.cites_trade_records DISABLE TRIGGER stamp;
        CREATE RULE kept AS ON DELETE TO public.cites_trade_records WHERE OLD.year < 1980
            DO INSTEAD NOTHING;
        GRANT SELECT (id, year) ON public.cites_trade_records TO anon WITH GRANT OPTION;
        COMMENT ON TABLE public.cites_trade_records IS 'Trade; since 1975.';
        ALTER TABLE public.species_trade_summary OWNER TO service_role";
    let function = "CREATE FUNCTION public.stamp() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN RETURN NEW; END'";
    place.db.psql(&format!("{function}; {attached}")).await;
    backup(&place, "saved", &["--method", "copy"]).expect_code(0);
    let copy = TestDb::empty().await;
    copy.psql(function).await;
    for script in ["restore.sql", "attached.sql"] {
        shell(&place.path("saved"), &format!("psql -qf {script}"), &copy).expect_code(0);
    }
    for table in ["cites_trade_records", "species_trade_summary"] {
        let (before, after) =
            (attached_to(&place.db, table).await, attached_to(&copy, table).await);
        assert!(before.iter().any(|entry| entry.definition.contains("owner: ")), "{before:#?}");
        assert_eq!(before, after);
    }
    let policies = "SELECT string_agg(polname, ' ') FROM pg_policy";
    assert!(copy.psql(policies).await.contains("some; rows"));
}

/// What a copied table has attached to it in this database.
async fn attached_to(db: &TestDb, table: &str) -> Vec<Entry> {
    let found = fingerprint_of(db, table).await;
    let is_of_table = |entry: &&Entry| {
        matches!(entry.kind.as_str(), "policy" | "trigger" | "rule" | "table")
            || matches!(entry.kind.as_str(), "comment" | "privilege") && entry.key.contains(table)
    };
    found.entries().iter().filter(is_of_table).cloned().collect()
}

#[tokio::test]
async fn nobody_else_reads_it_and_nothing_is_overwritten() {
    let place = filled(ModelSchema::Production).await;
    backup(&place, "saved", &[]).expect_code(0);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.path("saved")), 0o700);
    for entry in std::fs::read_dir(place.path("saved")).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    let refused = backup(&place, "saved", &[]).expect_code(2);
    assert!(refused.stderr.contains("is not empty"), "{refused:?}");
    verify(&place, "saved", &[]).expect_code(0);
    let stored = "SELECT verified, tables->0->>'rows', path FROM sterna.backup";
    let path = place.path("saved").canonicalize().unwrap();
    assert_eq!(place.db.psql(stored).await, format!("t|860|{}", path.display()));
}

#[tokio::test]
async fn damage_is_found() {
    let place = filled(ModelSchema::Production).await;
    for method in ["pg-dump", "copy"] {
        backup(&place, method, &["--method", method]).expect_code(0);
        let names = std::fs::read_dir(place.path(method)).unwrap().map(|e| e.unwrap().path());
        for path in names.filter(|path| !path.ends_with("SHA256SUMS")) {
            let good = std::fs::read(&path).unwrap();
            let mut bad = good.clone();
            let middle = bad.len() / 2;
            bad[middle] ^= 1;
            std::fs::write(&path, &bad).unwrap();
            verify(&place, method, &[]).expect_code(4);
            std::fs::remove_file(&path).unwrap();
            verify(&place, method, &[]).expect_code(4);
            std::fs::write(&path, &good).unwrap();
        }
        verify(&place, method, &[]).expect_code(0);
        // Files with forged checksums are found by their rows.
        let manifest = place.path(method).join("manifest.json");
        let text = std::fs::read_to_string(&manifest).unwrap();
        std::fs::write(&manifest, text.replace("\"rows\": 860", "\"rows\": 861")).unwrap();
        let line = "sha256sum $(ls | grep -v SHA256SUMS) > SHA256SUMS";
        shell(&place.path(method), line, &place.db).expect_code(0);
        let found = verify(&place, method, &[]).expect_code(4);
        assert!(found.stderr.contains("860 rows of"), "{found:?}");
        std::fs::remove_file(place.path(method).join("SHA256SUMS")).unwrap();
        verify(&place, method, &[]).expect_code(1);
    }
}

#[tokio::test]
async fn forced_row_security_is_refused_and_never_saves_fewer() {
    let place = filled(ModelSchema::Production).await;
    let role = format!("saver_{}", place.db.name());
    place
        .db
        .psql(&format!(
            "CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {} TO {role};
             GRANT USAGE ON SCHEMA public TO {role};
             ALTER TABLE public.species OWNER TO {role};
             ALTER TABLE public.cites_trade_records OWNER TO {role};
             ALTER TABLE public.species_trade_summary OWNER TO {role};
             ALTER TABLE public.cites_trade_records ENABLE ROW LEVEL SECURITY,
             FORCE ROW LEVEL SECURITY",
            place.db.name()
        ))
        .await;
    for method in ["pg-dump", "copy"] {
        let out = place.path(method).display().to_string();
        let args = ["backup", "--method", method, "--out", &out];
        let run = || {
            let output = place.db.command(&args).env("PGUSER", &role).output().unwrap();
            Finished::from(output)
        };
        let refused = run().expect_code(1);
        assert!(refused.stderr.contains("BYPASSRLS"), "{refused:?}");
        assert_eq!(
            std::fs::read_dir(place.folder.path()).unwrap().count(),
            usize::from(method == "copy")
        );
        place.db.psql(&format!("ALTER ROLE {role} BYPASSRLS")).await;
        run().expect_code(0);
        place.db.psql(&format!("ALTER ROLE {role} NOBYPASSRLS")).await;
    }
    let end =
        format!("REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}");
    place.db.psql(&end).await;
}

#[tokio::test]
async fn the_whole_database_is_saved_and_restored() {
    let place = filled(ModelSchema::Production).await;
    place.db.psql("CREATE SCHEMA other; CREATE TABLE other.\"o.d d\" AS SELECT 1 AS a").await;
    let taken = backup(&place, "whole", &["--full"]).expect_code(0);
    assert!(taken.stdout.contains("o.d d"), "{taken:?}");
    verify(&place, "whole", &["--restore"]).expect_code(0);
    backup(&place, "none", &["--full", "--method", "copy"]).expect_code(2);
}

#[tokio::test]
async fn counts_and_rows_are_of_one_snapshot_while_others_write() {
    let place = filled(ModelSchema::Production).await;
    let info = place.db.info().clone();
    let writer = tokio::spawn(async move {
        let session = connect(&info).await.unwrap();
        loop {
            session.batch_execute(TRADE).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    });
    for method in ["pg-dump", "copy"] {
        let out = place.path(method).display().to_string();
        let mut command = place.db.command(&["backup", "--method", method, "--out", &out]);
        let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        Finished::from(done).expect_code(0);
    }
    writer.abort();
}

#[tokio::test]
async fn an_interrupted_backup_leaves_nothing_that_looks_finished() {
    let place = filled(ModelSchema::Production).await;
    // Another session locks the table, so that the backup waits.
    let holder = place.db.connect().await;
    let lock = "BEGIN; LOCK TABLE public.species_trade_summary IN ACCESS EXCLUSIVE MODE";
    let out = place.path("saved").display().to_string();
    for signal in [nix::sys::signal::Signal::SIGINT, nix::sys::signal::Signal::SIGKILL] {
        holder.batch_execute(lock).await.unwrap();
        let child = place.db.command(&["backup", "--out", &out]).spawn().unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
        nix::sys::signal::kill(pid, signal).unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        holder.batch_execute("ROLLBACK").await.unwrap();
        let ended = child.wait_with_output().unwrap();
        assert!(!ended.status.success());
        assert!(!place.path("saved").exists());
        let left = std::fs::read_dir(place.folder.path()).unwrap();
        let left: Vec<_> = left.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        if signal == nix::sys::signal::Signal::SIGINT {
            assert!(left.is_empty(), "{left:?}");
        } else {
            assert!(left.iter().all(|name| name.starts_with(".saved.unfinished-")), "{left:?}");
        }
    }
}
