//! `sterna reindex`: invalid indexes, leftovers, and interruption.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use sterna::pg::Connection;

use crate::server::{Finished, TestDb, eventually};

const INVALIDATE: &str = "UPDATE pg_index SET indisvalid = false
    WHERE indexrelid = 'public.idx_cites_trade_year'::regclass";
const LEFTOVER: &str = "CREATE INDEX idx_cites_trade_year_ccnew
        ON public.cites_trade_records (year);
    UPDATE pg_index SET indisvalid = false
        WHERE indexrelid = 'public.idx_cites_trade_year_ccnew'::regclass";
const NAMES: &str = "SELECT indexrelid::regclass::text FROM pg_index
    WHERE indrelid = 'public.cites_trade_records'::regclass AND indisvalid ORDER BY 1";
const ALL: &str = "cites_trade_records_pkey\nidx_cites_trade_species\nidx_cites_trade_year";

fn report(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap()
}

#[tokio::test]
async fn where_all_are_valid_nothing_is_left_to_rebuild() {
    let db = TestDb::new().await;
    let looked = db.sterna(&["reindex"]).expect_code(0);
    assert!(looked.stdout.contains("all 3 indexes"), "{looked:?}");
    assert!(looked.stdout.contains("nothing is left to rebuild"), "{looked:?}");
    assert_eq!(db.psql("SELECT to_regnamespace('sterna')").await, "", "it only looked");
}

#[tokio::test]
async fn an_invalid_index_is_found_and_mended() {
    let db = TestDb::new().await;
    db.psql(INVALIDATE).await;
    let looked = db.sterna(&["reindex"]).expect_code(4);
    assert!(looked.stderr.contains("idx_cites_trade_year"), "{looked:?}");
    assert!(looked.stderr.contains("sterna reindex --invalid"), "{looked:?}");
    let fixed = db.sterna(&["reindex", "--invalid", "--format", "json"]).expect_code(0);
    assert_eq!(report(&fixed)["rebuilt"], serde_json::json!(["idx_cites_trade_year"]));
    assert_eq!(db.psql(NAMES).await, ALL);
}

#[tokio::test]
async fn what_an_interrupted_rebuild_left_is_dropped() {
    let db = TestDb::new().await;
    db.psql(LEFTOVER).await;
    let looked = db.sterna(&["reindex", "--format", "json"]).expect_code(4);
    assert_eq!(report(&looked)["indexes"][3]["leftover"], true);
    let done = db.sterna(&["reindex", "--all", "--format", "json"]).expect_code(0);
    assert_eq!(report(&done)["dropped"], serde_json::json!(["idx_cites_trade_year_ccnew"]));
    assert_eq!(report(&done)["rebuilt"].as_array().unwrap().len(), 3);
    assert_eq!(db.psql(NAMES).await, ALL);
}

#[tokio::test]
async fn a_valid_index_is_no_leftover_whatever_its_name() {
    let db = TestDb::new().await;
    db.psql("CREATE INDEX my_ccnew ON public.cites_trade_records (taxon)").await;
    db.sterna(&["reindex", "--all"]).expect_code(0);
    assert!(db.psql(NAMES).await.contains("my_ccnew"));
}

#[tokio::test]
async fn an_exclusion_constraints_index_is_skipped_and_said() {
    let db = TestDb::new().await;
    db.psql(
        "ALTER TABLE public.cites_trade_records
         ADD CONSTRAINT one_record EXCLUDE USING btree (record_id WITH =)",
    )
    .await;
    let done = db.sterna(&["reindex", "--all", "--format", "json"]).expect_code(0);
    assert_eq!(report(&done)["skipped"], serde_json::json!(["one_record"]));
}

#[tokio::test]
async fn a_name_that_is_no_index_of_the_table_is_refused() {
    let db = TestDb::new().await;
    let refused = db.sterna(&["reindex", "--index", "species_pkey"]).expect_code(2);
    assert!(refused.stderr.contains("idx_cites_trade_year"), "{refused:?}");
}

/// A transaction that has used the table, which makes a rebuild wait.
async fn long_transaction(db: &TestDb) -> Connection {
    let session = db.connect().await;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; INSERT INTO public.species
        (scientific_name, common_name, kingdom, phylum, class, order_name, family, genus, species_name)
        VALUES ('a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a'); SELECT FROM public.cites_trade_records";
    session.batch_execute(begin).await.unwrap();
    session
}

/// Waits until a rebuild has begun.
async fn is_building(db: &TestDb) {
    let session = db.connect().await;
    let sql = "SELECT count(*) FROM pg_class WHERE relname ~ '_ccnew'";
    for _ in 0..400 {
        if session.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("no index is rebuilt");
}

#[tokio::test]
async fn a_rebuild_in_another_database_is_not_in_the_way() {
    let (db, other) = (TestDb::new().await, TestDb::new().await);
    // Both databases come from one template.
    let oid = "SELECT 'public.cites_trade_records'::regclass::oid";
    assert_eq!(db.psql(oid).await, other.psql(oid).await);
    let old = long_transaction(&other).await;
    let child = other.command(&["reindex", "--all"]).spawn().unwrap();
    is_building(&other).await;
    db.sterna(&["reindex", "--all"]).expect_code(0);
    old.batch_execute("COMMIT").await.unwrap();
    Finished::from(child.wait_with_output().unwrap()).expect_code(0);
}

#[tokio::test]
async fn stopped_in_the_middle_it_leaves_nothing_behind() {
    let db = TestDb::new().await;
    let old = long_transaction(&db).await;
    let child = db.command(&["reindex", "--all"]).spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    is_building(&db).await;
    kill(pid, Signal::SIGINT).unwrap();
    // Dropping the leftover waits for the old transaction, too.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    old.batch_execute("COMMIT").await.unwrap();
    let finished = Finished::from(child.wait_with_output().unwrap());
    finished.expect_code(130);
    eventually("the lock to be free", || db.sterna(&["reindex", "--invalid"]).code == Some(0));
    assert_eq!(db.psql(NAMES).await, ALL);
    assert_eq!(db.psql("SELECT count(*) FROM pg_class WHERE relname ~ '_ccnew'").await, "0");
}
