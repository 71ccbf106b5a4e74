//! The exchange of distributed tables and the way back, while an application writes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use sterna::pg::{ConnInfo, connect};
use sterna::table::fingerprint::{Fingerprint, take_beside};
use tokio::task::JoinHandle;

use super::citus::{Citus, PLACEMENTS};
use crate::check::{finding, findings};
use crate::cites::{file_of, good};
use crate::server::{Finished, sterna, text_of};

/// What an application has written, by id: the term, or nothing if the row was deleted.
type Written = BTreeMap<String, Option<String>>;

/// A session of the application, which writes until it is stopped.
struct Writer {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Written>,
}

impl Writer {
    fn start(url: &str, number: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(write(url.to_owned(), number, Arc::clone(&stop)));
        Writer { stop, task }
    }

    async fn stop(self) -> Written {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}

/// None of these may fail.
async fn write(url: String, number: u32, stop: Arc<AtomicBool>) -> Written {
    let session = connect(&ConnInfo::resolve(Some(&url), &|_| None).unwrap()).await.unwrap();
    let mut written = Written::new();
    let id = |at: u64| format!("{number:08x}-0000-4000-8000-{at:012x}");
    for at in 1_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let earlier = id(at.saturating_sub(6));
        let (id, term, sql) = match at % 4 {
            0 => {
                let sql = format!("DELETE FROM public.cites_trade_records WHERE id = '{earlier}'");
                (earlier, None, sql)
            }
            1 if written.get(&earlier).is_some_and(Option::is_some) => {
                let term = format!("updated {at}");
                let sql = format!(
                    "UPDATE public.cites_trade_records SET term = '{term}' WHERE id = '{earlier}'"
                );
                (earlier, Some(term), sql)
            }
            _ => {
                let (id, term) = (id(at), format!("inserted {at}"));
                let sql = format!(
                    "INSERT INTO public.cites_trade_records
                        (id, species_id, record_id, year, appendix, taxon, term)
                    SELECT '{id}', id, 'by {number}-{at}', 2020, 'II', scientific_name, '{term}'
                    FROM public.species ORDER BY id LIMIT 1"
                );
                (id, Some(term), sql)
            }
        };
        text_of(&session, &sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        written.insert(id, term);
    }
    written
}

impl Citus {
    /// As `sterna`, while other tasks go on.
    async fn beside(&self, args: &'static [&'static str]) -> Finished {
        let mut command = sterna(args);
        command.env("DATABASE_URL", &self.url).current_dir(self.folder.path());
        let ran = tokio::task::spawn_blocking(move || command.output().unwrap());
        Finished::from(ran.await.unwrap())
    }

    pub(super) async fn fingerprint(&self) -> Fingerprint {
        let info = ConnInfo::resolve(Some(&self.url), &|_| None).unwrap();
        let session = connect(&info).await.unwrap();
        session.batch_execute("SET search_path = ''").await.unwrap();
        let oids = "SELECT oid FROM pg_class WHERE relname = ANY ($1) ORDER BY length(relname)";
        let suffixes = ["", "_old", "_staging"];
        let names: Vec<String> =
            suffixes.map(|suffix| format!("cites_trade_records{suffix}")).into();
        let oids = session.query(oids, &[&names]).await.unwrap();
        let oids: Vec<u32> = oids.iter().map(|row| row.get(0)).collect();
        let taken = take_beside(&session, oids[0], &oids[1..]).await.unwrap();
        assert_eq!(taken.entries().iter().filter(|entry| entry.kind == "distribution").count(), 1);
        taken
    }

    /// Asserts that the table holds every write, and that every node has it.
    async fn assert_holds(&self, written: &Written, what: &str) {
        let rows = self.sql("SELECT id, term FROM cites_trade_records WHERE year = 2020").await;
        let found: BTreeMap<_, _> = rows.lines().filter_map(|row| row.split_once('|')).collect();
        for (id, term) in written {
            assert_eq!(found.get(id.as_str()).copied(), term.as_deref(), "{what}: {id}");
        }
        self.assert_on_all_nodes(what).await;
    }

    /// Asserts that the coordinator and the workers agree about the table.
    pub(super) async fn assert_on_all_nodes(&self, what: &str) {
        let shards = "SELECT bool_and(success), sum(result::bigint)
            FROM run_command_on_shards('cites_trade_records', 'SELECT count(*) FROM %s')";
        let rows = self.sql("SELECT count(*) FROM cites_trade_records").await;
        assert_eq!(self.sql(shards).await, format!("t|{rows}"), "{what}");
        let names = "SELECT string_agg(DISTINCT result, ',') FROM run_command_on_workers($$
            SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
            WHERE relname IN ('cites_trade_records', 'cites_trade_records_pkey',
                'cites_trade_records_old', 'cites_trade_records_staging') $$)";
        let here = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
            WHERE relname IN ('cites_trade_records', 'cites_trade_records_pkey',
                'cites_trade_records_old', 'cites_trade_records_staging')";
        assert_eq!(self.sql(names).await, self.sql(here).await, "{what}");
    }

    async fn placed(&self, table: &str) -> String {
        self.sql(&format!("{PLACEMENTS}'{table}'::regclass")).await
    }
}

fn report(done: &Finished) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_write_is_lost_and_the_catalog_is_the_same() {
    let Some(citus) = Citus::new().await else { return };
    let (file, _) = citus.file();
    for comment in [
        "TABLE cites_trade_records IS 'traded'",
        "COLUMN cites_trade_records.unit IS 'of measurement'",
        "INDEX idx_cites_trade_year IS 'by year'",
        "CONSTRAINT cites_trade_records_pkey ON cites_trade_records IS 'the key'",
        "CONSTRAINT cites_trade_records_species_id_fkey ON cites_trade_records IS 'its species'",
        "VIEW trade_quantity_by_year IS 'summed up'",
    ] {
        citus.sql(&format!("COMMENT ON {comment}")).await;
    }
    citus.sql("GRANT SELECT ON cites_trade_records TO anon WITH GRANT OPTION").await;
    let empty = citus.fingerprint().await;
    citus.sterna(&["check", "pre"]).expect_code(0);

    // The first release is validated, and nothing has been written.
    citus.sterna(&["stage", "create"]).expect_code(0);
    citus.report(&[&file, "--all", "--on-inexact", "round"]);
    let done = citus
        .sterna(&["switchover", "--accept-check", "quantity-positive", "--format", "json"])
        .expect_code(0);
    assert_eq!(
        (&report(&done)["rows"], &report(&done)["replayed_rows"]),
        (&20_000.into(), &0.into())
    );
    assert_eq!(empty.differences(&citus.fingerprint().await), []);
    let posted = citus.sterna(&["check", "post", "--format", "json"]);
    assert_eq!(finding(&findings(&posted), "rollback")["passed"], true, "{posted:#?}");
    citus.sterna(&["cleanup", "--older-than", "0s"]).expect_code(0);

    // The second one has the same rows, one column of which is new.
    citus.sterna(&["stage", "create"]).expect_code(0);
    citus.report(&[&file, "--all", "--on-inexact", "round"]);
    citus.sql("UPDATE cites_trade_records_staging SET purpose = 'new', year = 1999").await;
    let one = "(SELECT min(record_id) FROM cites_trade_records WHERE year <> 2020)";
    let one = citus.sql(&format!("SELECT {one}")).await;
    let written = format!("UPDATE cites_trade_records SET unit = 'mine' WHERE record_id = '{one}'");
    citus.sql(&written).await;
    let before = citus.fingerprint().await;
    assert_eq!(empty.differences(&before), []);
    let placed = citus.placed("cites_trade_records").await;

    let writers = [1, 2].map(|number| Writer::start(&citus.url, number));
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let switch = &["switchover", "--accept-failed-validation", "--format", "json"];
    let switched = report(&citus.beside(switch).await.expect_code(0));
    assert_eq!(switched["parity_differences"], Value::Array(vec![]), "{switched:#?}");
    assert!(switched["replayed_rows"].as_u64() > Some(0), "{switched:#?}");
    assert!(switched["writers_locked_ms"].as_f64() >= switched["locked_ms"].as_f64());
    let mut held = Written::new();
    for writer in writers {
        held.extend(writer.stop().await);
    }
    assert!(held.len() > 20, "{}", held.len());
    citus.assert_holds(&held, "after the switchover").await;
    assert_eq!(before.differences(&citus.fingerprint().await), []);
    for table in ["cites_trade_records", "cites_trade_records_old"] {
        assert_eq!(citus.placed(table).await, placed, "{table}");
    }
    // Of a row that both have, only the column that was written to.
    let row = format!("SELECT unit, purpose FROM cites_trade_records WHERE record_id = '{one}'");
    assert_eq!(citus.sql(&row).await, "mine|new");
    let summed = "SELECT sum(records) FROM trade_quantity_by_year WHERE year = 1999";
    assert_eq!(citus.sql(summed).await, "20000");

    // And back, with the writes since.
    citus
        .sql(&format!("UPDATE cites_trade_records SET unit = 'later' WHERE record_id = '{one}'"))
        .await;
    let foreseen =
        report(&citus.sterna(&["rollback", "--dry-run", "--format", "json"]).expect_code(0));
    // The writers went on for a moment.
    assert!(foreseen["written"]["updated"].as_u64() >= Some(1), "{foreseen:#?}");
    assert_eq!(foreseen["obstacles"], Value::Array(vec![]));
    citus.sterna(&["rollback", "--keep", "none"]).expect_code(6);
    let writers = [3, 4].map(|number| Writer::start(&citus.url, number));
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    citus.beside(&["rollback", "switchover"]).await.expect_code(0);
    for writer in writers {
        held.extend(writer.stop().await);
    }
    citus.assert_holds(&held, "after the rollback").await;
    assert_eq!(before.differences(&citus.fingerprint().await), []);
    assert_eq!(citus.sql(&row).await.split_once('|').unwrap().0, "later");
    assert_eq!(
        citus.sql("SELECT count(*) FROM cites_trade_records WHERE purpose = 'new'").await,
        "0"
    );

    // Once more forwards, which leaves nothing behind when it is cleaned up.
    citus.sterna(&["switchover", "--accept-failed-validation"]).expect_code(0);
    citus.assert_holds(&held, "after the second switchover").await;
    citus.sterna(&["cleanup", "--older-than", "0s"]).expect_code(0);
    let left = "SELECT count(*) FROM pg_class WHERE relname ~ '^(base|back|changed)_[0-9]+$'";
    assert_eq!(citus.sql(left).await, "0");
    assert_eq!(before.differences(&citus.fingerprint().await), []);
    citus.sql("DROP SCHEMA sterna CASCADE").await;
}

/// The commands of the page work as they are.
#[tokio::test]
async fn the_page_is_followed() {
    let Some(citus) = Citus::new().await else { return };
    std::fs::write(citus.folder.path().join("release.zip"), file_of(&good(500))).unwrap();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/citus.md");
    let page = std::fs::read_to_string(page).unwrap();
    let block = page.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(block.lines().count(), 8, "{block}");
    for line in block.lines() {
        let command = line.split('#').next().unwrap();
        let args: Vec<_> = command.split_whitespace().skip(1).collect();
        citus.sterna(&args).expect_code(0);
        let rows = if args[0] == "switchover" { "500" } else { "0" };
        assert_eq!(citus.sql("SELECT count(*) FROM cites_trade_records").await, rows, "{line}");
    }
    citus.sql("DROP SCHEMA sterna CASCADE").await;
}

/// What an exchange would lose is refused before anything is written, by name.
#[tokio::test]
async fn what_cannot_be_carried_over_is_refused() {
    let Some(citus) = Citus::new().await else { return };
    let (file, _) = citus.file();
    citus.sterna(&["stage", "create"]).expect_code(0);
    citus.report(&[&file, "--all", "--on-inexact", "round"]);
    let before = citus.fingerprint().await;
    let switch = &["switchover", "--accept-failed-validation"];
    let refused = async |make: &str, undo: &str, named: &str| {
        citus.sql(make).await;
        let refused = citus.sterna(switch).expect_code(6);
        assert!(refused.stderr.contains(named), "{make}: {refused:#?}");
        assert!(refused.stderr.contains("hint: "), "{make}: {refused:#?}");
        assert_eq!(citus.sql("SELECT count(*) FROM sterna.switchover").await, "0");
        citus.sql(undo).await;
        assert_eq!(before.differences(&citus.fingerprint().await), [], "{undo}");
    };
    let table = "cites_trade_records";
    for (make, undo, named) in [
        (
            format!("CREATE PUBLICATION those FOR TABLE {table}"),
            "DROP PUBLICATION those",
            "publication those",
        ),
        (
            format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"),
            "ALTER TABLE cites_trade_records DISABLE ROW LEVEL SECURITY",
            "row-level security",
        ),
        (
            format!("CREATE STATISTICS more ON year, term FROM {table}"),
            "DROP STATISTICS more",
            "extended statistics more",
        ),
        (
            format!("CREATE MATERIALIZED VIEW kept AS SELECT year FROM {table}"),
            "DROP MATERIALIZED VIEW kept",
            "kept",
        ),
        (
            format!("CREATE INDEX extra ON {table} (term)"),
            "DROP INDEX extra",
            "altered during the run",
        ),
        (
            format!("GRANT SELECT (year) ON {table} TO anon"),
            "REVOKE SELECT (year) ON cites_trade_records FROM anon",
            "column year",
        ),
    ] {
        refused(&make, undo, named).await;
    }
    // Before anything is loaded, too.
    citus.sterna(&["stage", "drop"]).expect_code(0);
    citus.sql(&format!("CREATE PUBLICATION those FOR TABLE {table}")).await;
    let created = citus.sterna(&["stage", "create"]).expect_code(6);
    assert!(created.stderr.contains("publication those"), "{created:#?}");
    let pre = citus.sterna(&["check", "pre"]).expect_code(6);
    assert!(pre.stdout.contains("publication those"), "{pre:#?}");
    citus.sql("DROP PUBLICATION those").await;

    // Wider columns would have to be rounded on the way back.
    citus.report(&[&file, "--all", "--on-inexact", "widen"]);
    let wide = citus.sterna(switch).expect_code(6);
    assert!(wide.stderr.contains("quantity"), "{wide:#?}");
    // Without the copy, nobody knows what was written.
    citus.sterna(&["stage", "drop"]).expect_code(0);
    citus.report(&[&file, "--all", "--on-inexact", "round"]);
    citus
        .sql(&format!(
            "DROP TABLE sterna.base_{}",
            citus.sql("SELECT 'cites_trade_records'::regclass::oid").await
        ))
        .await;
    let blind = citus.sterna(switch).expect_code(6);
    assert!(blind.stderr.contains("there is no copy"), "{blind:#?}");
    assert_eq!(before.differences(&citus.fingerprint().await), []);
    citus.sql("DROP SCHEMA sterna CASCADE").await;
}
