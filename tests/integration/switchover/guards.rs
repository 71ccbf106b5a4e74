//! The conditions that an exchange checks under its locks. Each is violated between the last
//! check before the locks and the locks: then nothing is exchanged.

use serde_json::Value;
use sterna::pg::{Connection, connect};

use super::exchange::{exchanging, fingerprint, names};
use super::odd::plain_installation;
use crate::cites::{Installation, file_of, good, shipment};
use crate::relay::{Relay, Verdict};
use crate::server::{Finished, TestDb, new_runtime};

const ROWS: &str =
    "SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM cites_trade_records AS t";

/// 200 rows live, and 250 in staging with writes recorded.
async fn loaded(setup: &str) -> Installation {
    let (here, release) = plain_installation().await;
    here.db.psql(setup).await;
    here.db.sterna(&["stage", "create"]).expect_code(0);
    here.report(0, &[&release, "--all"]);
    here
}

/// Like [`loaded`], but one row of staging is the only one of its species; the foreign key does
/// this with it when the species is deleted.
async fn with_a_species_of_its_own(on_delete: &str) -> Installation {
    let (here, _) = plain_installation().await;
    here.db
        .psql(&format!(
            "ALTER TABLE cites_trade_records DROP CONSTRAINT cites_trade_records_species_id_fkey,
                ADD CONSTRAINT cites_trade_records_species_id_fkey
                FOREIGN KEY (species_id) REFERENCES species {on_delete}"
        ))
        .await;
    here.db.sterna(&["stage", "create"]).expect_code(0);
    let mut records = good(250);
    records.push(shipment(&[("Id", "900"), ("Taxon", "Buteo lagopus")]));
    let release = here.file("other.csv", file_of(&records));
    here.report(0, &[&release, "--all"]);
    here
}

const DELETE_SPECIES: &str = "DELETE FROM species WHERE scientific_name = 'Buteo lagopus'";

/// Runs this in a session of its own right before an exchange takes its locks for the first time,
/// and keeps the session.
fn before_the_locks(db: &TestDb, sql: &[&'static str]) -> Relay {
    let (info, sql) = (db.info().clone(), sql.to_vec());
    let mut session: Option<(tokio::runtime::Runtime, Connection)> = None;
    Relay::start(move |number, _| {
        if number == 0 {
            return Verdict::Pass;
        }
        session.get_or_insert_with(|| {
            let runtime = new_runtime().unwrap();
            let session = runtime.block_on(async {
                let session = connect(&info).await.unwrap();
                for statement in &sql {
                    session.batch_execute(statement).await.unwrap();
                }
                session
            });
            (runtime, session)
        });
        Verdict::Pass
    })
}

/// A switchover with this happening right before its locks.
fn switched_over(db: &TestDb, sql: &[&'static str]) -> Finished {
    let relay = before_the_locks(db, sql);
    let mut args = exchanging("switchover");
    args.extend(["--max-wait", "1s", "--format", "json"]);
    Finished::from(db.command(&args).env("PGHOST", relay.host()).output().unwrap())
}

/// Like [`switched_over`]; it is refused with these words, and nothing has changed except by
/// `sql`.
async fn refused(here: &Installation, sql: &[&'static str], words: &str) {
    let db = &here.db;
    let names_before = names(db).await;
    let refused = switched_over(db, sql).expect_code(6);
    assert!(refused.stderr.contains(words), "{words}: {refused:?}");
    let left: Vec<_> = names(db).await.lines().map(str::to_owned).collect();
    let gone: Vec<_> = names_before.lines().filter(|n| !left.iter().any(|l| l == n)).collect();
    assert_eq!(gone, [""; 0], "{words}");
    assert_eq!(here.staging().await.len() / 10, 25, "staging is unchanged");
}

#[tokio::test]
async fn another_table_of_that_name_is_not_replaced() {
    let here = loaded("SELECT").await;
    let replace = "BEGIN; ALTER TABLE cites_trade_records RENAME TO first;
        CREATE TABLE cites_trade_records (LIKE first INCLUDING DEFAULTS); COMMIT";
    let refused = switched_over(&here.db, &[replace]).expect_code(6);
    assert!(refused.stderr.contains("is another table than a moment ago"), "{refused:?}");
    let counts = "SELECT (SELECT count(*) FROM first), (SELECT count(*) FROM cites_trade_records)";
    assert_eq!(here.db.psql(counts).await, "200|0");
}

#[tokio::test]
async fn what_was_altered_meanwhile_is_not_lost() {
    let here = loaded("SELECT").await;
    let alter = "ALTER TABLE cites_trade_records ALTER unit SET DEFAULT 'kg'";
    refused(&here, &[alter], "unit").await;
    let default = "SELECT column_default FROM information_schema.columns
        WHERE table_name = 'cites_trade_records' AND column_name = 'unit'";
    assert_eq!(here.db.psql(default).await, "'kg'::text");
}

#[tokio::test]
async fn a_write_that_was_not_recorded_is_not_lost() {
    let here = loaded("SELECT").await;
    let unrecorded = "ALTER TABLE cites_trade_records DISABLE TRIGGER \"!sterna_journal\";
        UPDATE cites_trade_records SET unit = 'unrecorded' WHERE record_id = '3'";
    refused(&here, &[unrecorded], "are no longer recorded").await;
    let unit = "SELECT unit FROM cites_trade_records WHERE record_id = '3'";
    assert_eq!(here.db.psql(unit).await, "unrecorded");
}

#[tokio::test]
async fn without_a_journal_no_write_since_the_load_is_lost() {
    let (here, release) = plain_installation().await;
    here.report(0, &[&release, "--all"]);
    let journals = "SELECT count(*) FROM sterna.journaled";
    assert_eq!(here.db.psql(journals).await, "0");
    for write in [
        "UPDATE cites_trade_records SET unit = 'written' WHERE record_id = '3'",
        "DELETE FROM cites_trade_records WHERE record_id = '4'",
    ] {
        refused(&here, &[write], "the writes were not recorded").await;
    }
}

#[tokio::test]
async fn rows_that_others_refer_to_do_not_go() {
    let setup = "CREATE TABLE annotations (record uuid REFERENCES cites_trade_records);
        UPDATE cites_trade_records SET record_id = 'of no release' WHERE record_id = '200'";
    let here = loaded(setup).await;
    let annotate = "INSERT INTO annotations
        SELECT id FROM cites_trade_records WHERE record_id = 'of no release'";
    refused(&here, &[annotate], "1 rows of public.annotations refer by annotations_record_fkey")
        .await;
    let orphans = "SELECT count(*) FROM annotations
        WHERE record NOT IN (SELECT id FROM cites_trade_records)";
    assert_eq!(here.db.psql(orphans).await, "0");
}

#[tokio::test]
async fn a_table_that_differs_does_not_come_in() {
    let here = loaded("SELECT").await;
    let before = fingerprint(&here.db).await;
    let alter = "ALTER TABLE cites_trade_records_staging ALTER unit SET DEFAULT 'kg'";
    refused(&here, &[alter], "the incoming table would differ from the live one").await;
    assert_eq!(before.differences(&fingerprint(&here.db).await), []);
}

#[tokio::test]
async fn nothing_goes_on_using_the_old_table() {
    // Created during the exchange, so that no check before the renames can find it.
    let setup = "CREATE FUNCTION cling() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
            IF to_regclass('public.cites_trade_records_old') IS NOT NULL
                AND to_regclass('public.clinging') IS NULL THEN
                CREATE VIEW public.clinging AS SELECT record_id FROM public.cites_trade_records_old;
            END IF;
        END $$;
        CREATE EVENT TRIGGER cling ON ddl_command_end WHEN TAG IN ('ALTER TABLE')
        EXECUTE FUNCTION cling()";
    let here = loaded(setup).await;
    let before = fingerprint(&here.db).await;
    refused(&here, &["SELECT"], "view public.clinging still depends on the old table").await;
    assert_eq!(before.differences(&fingerprint(&here.db).await), []);
    assert_eq!(here.db.psql("SELECT to_regclass('public.clinging')").await, "");
}

#[tokio::test]
async fn rows_go_with_the_species_that_goes_right_before_the_locks() {
    let here = with_a_species_of_its_own("ON DELETE CASCADE").await;
    let done = switched_over(&here.db, &[DELETE_SPECIES]).expect_code(0);
    let done: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&done["attempts"], &done["rows"]), (&2.into(), &250.into()), "{done:#}");
    let counts =
        "SELECT count(*), count(*) FILTER (WHERE record_id = '900') FROM cites_trade_records";
    assert_eq!(here.db.psql(counts).await, "250|0");
}

#[tokio::test]
async fn a_row_does_not_come_in_without_the_species_that_it_refers_to() {
    let here = with_a_species_of_its_own("").await;
    let before = here.db.psql(ROWS).await;
    refused(&here, &[DELETE_SPECIES], "1 values of cites_trade_records_species_id_fkey that").await;
    assert_eq!(here.db.psql(ROWS).await, before);
}

#[tokio::test]
async fn a_snapshot_taken_right_before_the_locks_sees_what_was_acknowledged() {
    let here = loaded("SELECT").await;
    let before = here.db.psql(ROWS).await;
    // A snapshot without a lock, which would keep the exchange from its own.
    let write_then_look = [
        "UPDATE cites_trade_records SET unit = 'acknowledged' WHERE record_id = '3'",
        "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1",
    ];
    switched_over(&here.db, &write_then_look).expect_code(7);
    let now = here.db.psql(ROWS).await;
    assert_ne!(now, before);
    let unit = "SELECT count(*), max(unit) FROM cites_trade_records";
    assert_eq!(here.db.psql(unit).await, "200|acknowledged");
}
