//! The fingerprint shows every change of the catalog, and nothing else.

use std::collections::BTreeSet;

use sterna::pg::Connection;
use sterna::table::fingerprint::{Difference, Fingerprint, take, take_beside};

use crate::cites::{Installation, file_of, good};
use crate::rich::{fill, rich};
use crate::server::{TestDb, for_server};

const CHANGES: &str = include_str!("../../fixtures/rich-changes.sql");

/// A session set up like sterna's.
async fn session(db: &TestDb) -> Connection {
    let session = db.connect().await;
    session.batch_execute("SET search_path = ''; SET row_security = off").await.unwrap();
    session
}

async fn oid(session: &Connection, table: &str) -> u32 {
    let sql = "SELECT $1::text::regclass::oid";
    session.query_one(sql, &[&format!("public.{table}")]).await.unwrap().get(0)
}

/// The fingerprint of the table now called `cites_trade_records`.
async fn now(session: &Connection) -> Fingerprint {
    take(session, oid(session, "cites_trade_records").await).await.unwrap()
}

fn kinds(differences: &[Difference]) -> BTreeSet<&str> {
    differences.iter().map(|d| d.kind.as_str()).collect()
}

#[tokio::test]
async fn the_same_table_has_the_same_fingerprint() {
    let db = rich().await;
    let mut session = session(&db).await;
    let before = now(&session).await;
    // Data is not part of it, nor are statistics about data.
    fill(&db).await;
    db.psql("VACUUM ANALYZE").await;
    db.psql("SELECT setval('cites_trade_records_revision_seq', 70000)").await;
    assert_eq!(before.differences(&now(&session).await), []);
    // It works in a transaction, too.
    let table = oid(&session, "cites_trade_records").await;
    let transaction = session.transaction().await.unwrap();
    let within = take(&transaction, table).await.unwrap();
    assert_eq!(within, before);
    assert_eq!(within.digest(), before.digest());
    // No entry occurs twice, and none contains an OID.
    let keys: BTreeSet<_> = before.entries().iter().map(|e| (&e.kind, &e.key)).collect();
    assert_eq!(keys.len(), before.entries().len());
    let oid = table.to_string();
    assert!(before.entries().iter().all(|e| !e.key.contains(&oid) && !e.definition.contains(&oid)));
    let gone = take(&transaction, 1).await.unwrap_err();
    assert_eq!(gone.kind(), sterna::Kind::Unsafe);
}

#[tokio::test]
async fn the_owner_sees_what_the_superuser_sees() {
    let db = rich().await;
    let all = now(&session(&db).await).await;
    let owner = session(&db).await;
    owner.batch_execute("SET ROLE trade_owner").await.unwrap();
    assert_eq!(all.differences(&now(&owner).await), []);
}

/// The kind of entry that changes, the change, and how to undo it.
fn changes() -> Vec<(&'static str, &'static str, &'static str)> {
    let (mut changes, mut kind) = (Vec::new(), "");
    let (_, text) = CHANGES.split_once("\n\n").unwrap();
    let mut lines = text.lines().filter(|line| !line.is_empty());
    while let Some(line) = lines.next() {
        match line.strip_prefix("-- ") {
            Some(heading) => kind = heading,
            None => changes.push((kind, line, lines.next().unwrap())),
        }
    }
    changes
}

#[tokio::test]
async fn every_change_is_seen_and_its_undoing_too() {
    let changes = changes();
    assert!(changes.len() >= 100, "{}", changes.len());
    let db = rich().await;
    let session = session(&db).await;
    let before = now(&session).await;
    for (kind, change, undo) in changes {
        if for_server(change).starts_with("/*") {
            continue;
        }
        db.psql(change).await;
        let found = before.differences(&now(&session).await);
        assert!(kinds(&found).contains(kind), "{change}: {kind} is not among {found:#?}");
        db.psql(undo).await;
        let left = before.differences(&now(&session).await);
        assert_eq!(left, [], "after {change}; {undo}");
    }
}

/// Statements that drop an object and create it again unchanged.
const REMADE: [&str; 9] = [
    "DROP TRIGGER trade_stamp ON cites_trade_records;
    CREATE TRIGGER trade_stamp BEFORE INSERT OR UPDATE ON cites_trade_records
        FOR EACH ROW EXECUTE FUNCTION trade_stamp();
    COMMENT ON TRIGGER trade_stamp ON cites_trade_records IS 'Stamps.'",
    "DROP POLICY trade_read ON cites_trade_records;
    CREATE POLICY trade_read ON cites_trade_records FOR SELECT USING (year >= 1980);
    COMMENT ON POLICY trade_read ON cites_trade_records IS 'Nothing older.'",
    "DROP RULE trade_delete_logged ON cites_trade_records;
    CREATE RULE trade_delete_logged AS ON DELETE TO cites_trade_records
        DO ALSO INSERT INTO trade_log (what, record) VALUES ('rule DELETE', old.id);
    COMMENT ON RULE trade_delete_logged ON cites_trade_records IS 'Logs.'",
    "DROP VIEW trade_public;
    CREATE VIEW trade_public WITH (security_barrier = true /*15 , security_invoker = true 15*/) AS
    SELECT id, species_id, year, term, quantity FROM cites_trade_records WHERE year >= 1980;
    REVOKE ALL ON trade_public FROM anon, authenticated;
    GRANT SELECT (year, id) ON trade_public TO anon;
    GRANT SELECT ON trade_public TO authenticated WITH GRANT OPTION",
    "DROP VIEW trade_status; DROP FUNCTION trade_count_twice();
    CREATE FUNCTION trade_count_twice() RETURNS bigint LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT 2 * public.trade_count();
    END;
    CREATE VIEW trade_status AS SELECT trade_count() AS records;
    GRANT UPDATE (records) ON trade_status TO trade_auditor",
    "DROP STATISTICS trade_ranks_stats;
    CREATE STATISTICS trade_ranks_stats (ndistinct, dependencies)
        ON class, order_name, family, genus FROM cites_trade_records;
    ALTER STATISTICS trade_ranks_stats SET STATISTICS 1000;
    ALTER STATISTICS trade_ranks_stats OWNER TO trade_owner;
    COMMENT ON STATISTICS trade_ranks_stats IS 'Ranks go together.'",
    "DROP INDEX trade_large_idx;
    CREATE INDEX trade_large_idx ON cites_trade_records (importer) WHERE quantity > 1000;
    COMMENT ON INDEX trade_large_idx IS 'Large imports alone.'",
    "ALTER TABLE trade_disputes DROP CONSTRAINT disputed_record;
    ALTER TABLE trade_disputes ADD CONSTRAINT disputed_record FOREIGN KEY (record)
        REFERENCES cites_trade_records DEFERRABLE INITIALLY DEFERRED;
    COMMENT ON CONSTRAINT disputed_record ON trade_disputes IS 'Looked at at the end.'",
    "ALTER PUBLICATION trade_feed DROP TABLE cites_trade_records;
    ALTER PUBLICATION trade_feed ADD TABLE cites_trade_records
        /*15 (quantity, term, year, species_id, id) WHERE (year > 2000 AND appendix <> 'N') 15*/",
];

#[tokio::test]
async fn what_is_made_anew_as_it_was_is_the_same() {
    let db = rich().await;
    let session = session(&db).await;
    let before = now(&session).await;
    for sql in REMADE {
        db.psql(sql).await;
        assert_eq!(before.differences(&now(&session).await), [], "{sql}");
    }
    // Columns are identified by their order, whatever was between them.
    db.psql("ALTER TABLE cites_trade_records ADD COLUMN passing text").await;
    db.psql("ALTER TABLE cites_trade_records DROP COLUMN passing").await;
    assert_eq!(before.differences(&now(&session).await), []);
}

#[tokio::test]
async fn what_sterna_adds_is_no_change() {
    let here = Installation { db: rich().await, folder: tempfile::tempdir().unwrap() };
    fill(&here.db).await;
    let session = session(&here.db).await;
    let before = now(&session).await;
    let file = here.file("in.csv", file_of(&good(10)));
    here.report(0, &[&file, "--all"]);
    // Staging draws its numbers from the table's own sequence.
    let beside = before.differences(&now(&session).await);
    assert!(kinds(&beside).contains("default"), "{beside:#?}");
    let table = oid(&session, "cites_trade_records").await;
    let staging = oid(&session, "cites_trade_records_staging").await;
    let taken = take_beside(&session, table, &[staging]).await.unwrap();
    assert_eq!(before.differences(&taken), []);
    here.db
        .psql(
            "CREATE TABLE sterna.kept (row public.cites_trade_records,
            record uuid REFERENCES public.cites_trade_records (id));
        CREATE VIEW sterna.seen AS SELECT * FROM public.cites_trade_records;
        CREATE FUNCTION sterna.newest() RETURNS SETOF public.cites_trade_records LANGUAGE sql
            AS 'SELECT * FROM public.cites_trade_records';
        CREATE FUNCTION sterna.note() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER sterna_journal AFTER INSERT ON public.cites_trade_records
            FOR EACH ROW EXECUTE FUNCTION sterna.note();
        ALTER TABLE public.cites_trade_records ENABLE ALWAYS TRIGGER sterna_journal",
        )
        .await;
    let taken = take_beside(&session, table, &[staging]).await.unwrap();
    assert_eq!(before.differences(&taken), []);
    // Other roles' objects based on sterna's tables are theirs.
    here.db
        .psql(
            "CREATE VIEW public.mine AS SELECT t.id FROM public.cites_trade_records AS t, sterna.seen",
        )
        .await;
    let taken = take_beside(&session, table, &[staging]).await.unwrap();
    assert!(kinds(&before.differences(&taken)).contains("view"));
}

#[tokio::test]
async fn a_copy_that_was_renamed_is_not_the_table() {
    let db = rich().await;
    let session = session(&db).await;
    let before = now(&session).await;
    db.psql(
        "CREATE TABLE cites_trade_records_staging (LIKE cites_trade_records INCLUDING ALL);
        ALTER TABLE cites_trade_records RENAME TO cites_trade_records_old;
        ALTER TABLE cites_trade_records_staging RENAME TO cites_trade_records",
    )
    .await;
    let found = before.differences(&now(&session).await);
    assert!(found.len() >= 100, "{}", found.len());
    let all = [
        "column",
        "comment",
        "constraint",
        "default",
        "foreign key",
        "function",
        "incoming foreign key",
        "index",
        "materialized view",
        "policy",
        "privilege",
        "procedure",
        "publication",
        "rule",
        "sequence",
        "statistics",
        "table",
        "trigger",
        "type",
        "view",
    ];
    assert_eq!(kinds(&found), all.into_iter().collect());
}
