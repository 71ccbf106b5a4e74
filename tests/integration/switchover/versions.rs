//! What came with a version of the server goes there and back, or is refused before anything is
//! written.

use super::exchange::names;
use super::odd::{plain_installation, there_and_back};
use crate::server::has;

#[tokio::test]
async fn the_right_to_maintain() {
    if !has(17, "MAINTAIN") {
        return;
    }
    there_and_back(
        "GRANT MAINTAIN ON cites_trade_records TO anon WITH GRANT OPTION;
        SET ROLE anon; GRANT MAINTAIN ON cites_trade_records TO authenticated; RESET ROLE;
        REVOKE MAINTAIN ON cites_trade_records FROM CURRENT_USER, service_role",
        "SELECT 1",
    )
    .await;
}

#[tokio::test]
async fn virtual_columns() {
    if !has(18, "virtual columns") {
        return;
    }
    let here = there_and_back(
        "ALTER TABLE cites_trade_records
            ADD decade int GENERATED ALWAYS AS (year / 10 * 10) VIRTUAL,
            ADD label text GENERATED ALWAYS AS (term || ' of ' || taxon),
            ADD stored int GENERATED ALWAYS AS (year + 1) STORED;
        COMMENT ON COLUMN cites_trade_records.decade IS 'Ten years.';
        GRANT SELECT (label) ON cites_trade_records TO anon;
        CREATE VIEW decades AS SELECT decade, count(*) AS n FROM cites_trade_records GROUP BY 1;
        ALTER TABLE cites_trade_records ADD CONSTRAINT recent CHECK (decade >= 1970)",
        "SELECT 1",
    )
    .await;
    let row = "SELECT decade, label, stored FROM cites_trade_records WHERE record_id = '12'";
    assert_eq!(here.db.psql(row).await, "2020|skins of Ursus maritimus|2021");
}

#[tokio::test]
async fn requirements_with_names_and_without_proof() {
    if !has(18, "constraints on NOT NULL") {
        return;
    }
    // One older row has no note. The files do not fill it either.
    let here = there_and_back(
        "ALTER TABLE cites_trade_records ALTER term DROP NOT NULL, ALTER taxon DROP NOT NULL,
            ADD noted text, ADD CONSTRAINT \"a term\" NOT NULL term,
            ADD CONSTRAINT no_heirs NOT NULL taxon NO INHERIT;
        COMMENT ON CONSTRAINT \"a term\" ON cites_trade_records IS 'Of what.';
        UPDATE cites_trade_records SET noted = 'x' WHERE record_id <> '30';
        ALTER TABLE cites_trade_records ALTER noted SET DEFAULT 'n',
            ADD CONSTRAINT from_now_on NOT NULL noted NOT VALID",
        "SELECT 1",
    )
    .await;
    let left = "SELECT record_id FROM cites_trade_records WHERE noted IS NULL";
    assert_eq!(here.db.psql(left).await, "30");
}

#[tokio::test]
async fn constraints_that_are_not_enforced() {
    if !has(18, "NOT ENFORCED") {
        return;
    }
    there_and_back(
        "ALTER TABLE cites_trade_records ADD CONSTRAINT wish CHECK (quantity > 5) NOT ENFORCED",
        "SELECT 1",
    )
    .await;
}

#[tokio::test]
async fn keys_without_overlaps() {
    if !has(18, "WITHOUT OVERLAPS") {
        return;
    }
    there_and_back(
        "CREATE EXTENSION btree_gist;
        ALTER TABLE cites_trade_records ADD valid daterange NOT NULL DEFAULT '[2020-01-01,)',
            ADD CONSTRAINT spans UNIQUE (record_id, valid WITHOUT OVERLAPS)",
        "UPDATE cites_trade_records SET valid = '[2021-01-01,2022-01-01)' WHERE record_id = '12'",
    )
    .await;
    there_and_back(
        "CREATE EXTENSION btree_gist;
        ALTER TABLE cites_trade_records ADD valid daterange NOT NULL DEFAULT '[2020-01-01,)',
            DROP CONSTRAINT cites_trade_records_pkey CASCADE,
            ADD CONSTRAINT cites_trade_records_pkey PRIMARY KEY (id, valid WITHOUT OVERLAPS)",
        "UPDATE cites_trade_records SET valid = '[2021-01-01,2022-01-01)' WHERE record_id = '12'",
    )
    .await;
}

#[tokio::test]
async fn what_is_not_supported_is_refused_before_the_first_write() {
    for (since, setup, reason) in [
        (
            18,
            "CREATE TABLE loose (record uuid REFERENCES cites_trade_records NOT ENFORCED)",
            "the foreign key loose_record_fkey on public.loose is NOT ENFORCED",
        ),
        (
            18,
            "CREATE EXTENSION btree_gist;
            CREATE TABLE spans (id uuid, v daterange, PRIMARY KEY (id, v WITHOUT OVERLAPS));
            ALTER TABLE cites_trade_records ADD valid daterange, ADD CONSTRAINT timed
                FOREIGN KEY (id, PERIOD valid) REFERENCES spans (id, PERIOD v) NOT VALID",
            "the foreign key timed on public.cites_trade_records is temporal (PERIOD)",
        ),
        (
            17,
            "CREATE TABLE whole (LIKE cites_trade_records INCLUDING ALL,
                no bigint GENERATED ALWAYS AS IDENTITY) PARTITION BY HASH (id);
            DROP TABLE cites_trade_records CASCADE;
            CREATE TABLE cites_trade_records PARTITION OF whole
                FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
            "partition",
        ),
    ] {
        if !has(since, reason) {
            continue;
        }
        let (here, release) = plain_installation().await;
        here.db.psql(setup).await;
        let before = names(&here.db).await;
        let refused = here.db.sterna(&["stage", "create"]).expect_code(6);
        assert!(refused.stderr.contains(reason), "{reason}: {refused:?}");
        let checked = here.db.sterna(&["check", "pre", "--disk-space-checked"]).expect_code(6);
        let said = [&*checked.stdout, &*checked.stderr].concat();
        assert!(said.contains(reason), "{reason}: {checked:?}");
        let out = here.path("backup").display().to_string();
        let migrated = here.db.sterna(&["migrate", &release, "--backup-out", &out]).expect_code(6);
        assert!(migrated.stderr.contains(reason), "{reason}: {migrated:?}");
        assert_eq!(names(&here.db).await, before, "{reason}");
    }
}
