//! Tables of sterna's that somebody has attached to another table meanwhile are neither emptied
//! nor dropped; and what a partition gets from the partitioned table after a switchover.

use super::super::exchange::exchanging;
use super::{YEARS, exchanged, partitioned};
use crate::cites::Installation;
use crate::server::{Finished, TestDb};

const LEAF: &str = "trade_2020";

/// How a table `{table}` becomes part of another, and how it leaves.
const WAYS: [(&str, &str); 2] = [
    (
        "ALTER TABLE archive ATTACH PARTITION {table} FOR VALUES FROM (2020) TO (2021)",
        "ALTER TABLE public.archive DETACH PARTITION public.{table}",
    ),
    ("ALTER TABLE {table} INHERIT older", "ALTER TABLE public.{table} NO INHERIT public.older"),
];

const ARCHIVES: &str = "CREATE TABLE archive (LIKE trade) PARTITION BY RANGE (year);
    CREATE TABLE older (LIKE trade)";

/// The year 2020, loaded into staging.
async fn loaded() -> (Installation, String) {
    let (here, release) = partitioned("RANGE (year)", "year", YEARS, LEAF).await;
    here.db.sterna(&["stage", "create", "--table", LEAF]).expect_code(0);
    here.report(0, &[&release, "--all", "--table", LEAF]);
    (here, release)
}

/// Each of these commands refuses to touch the attached table.
async fn refused(db: &TestDb, table: &str, commands: &[&[&str]]) {
    let rows = format!("SELECT count(*) FROM {table}");
    let before = db.psql(&rows).await;
    for (attach, detach) in
        WAYS.map(|(a, d)| (a.replace("{table}", table), d.replace("{table}", table)))
    {
        db.psql(&attach).await;
        for command in commands {
            let done = db.sterna(&[command, &["--table", LEAF][..]].concat()).expect_code(6);
            let said = format!("public.{table} has been attached to public.");
            assert!(done.stderr.contains(&said), "{command:?}: {done:?}");
            assert!(done.stderr.contains(&detach), "{command:?}: {done:?}");
        }
        db.psql(&detach).await;
    }
    assert_eq!(db.psql(&rows).await, before);
}

#[tokio::test]
async fn a_table_that_was_attached_elsewhere_keeps_its_rows() {
    let (here, release) = loaded().await;
    let db = &here.db;
    db.psql(ARCHIVES).await;
    let (switchover, rollback) = (exchanging("switchover"), exchanging("rollback"));
    let of_staging: [&[&str]; 3] = [&["stage", "truncate"], &["stage", "drop"], &switchover];
    refused(db, "trade_2020_staging", &of_staging).await;
    exchanged(db, LEAF, "switchover");
    let cleanup: &[&str] = &["cleanup", "--older-than", "0s"];
    refused(db, "trade_2020_old", &[cleanup, &rollback]).await;
    // The next switchover would drop it as well.
    here.report(0, &[&release, "--all", "--table", LEAF]);
    refused(db, "trade_2020_old", &[cleanup, &switchover]).await;
    exchanged(db, LEAF, "switchover");
    db.sterna(&[cleanup, &["--table", LEAF]].concat()).expect_code(0);
    assert_eq!(db.psql("SELECT to_regclass('trade_2020_old') IS NULL").await, "t");
}

#[tokio::test]
async fn a_table_that_is_being_attached_is_not_dropped() {
    let (here, _) = loaded().await;
    let db = &here.db;
    db.psql(ARCHIVES).await;
    for (table, command) in [
        ("trade_2020_staging", vec!["stage", "truncate"]),
        ("trade_2020_old", vec!["cleanup", "--older-than", "0s"]),
    ] {
        if table == "trade_2020_old" {
            exchanged(db, LEAF, "switchover");
        }
        let rows = format!("SELECT count(*) > 0 FROM {table}");
        let other = db.connect().await;
        let attach = WAYS[0].0.replace("{table}", table);
        other.batch_execute(&format!("BEGIN; {attach}")).await.unwrap();
        let mut process = db.command(&[&command[..], &["--table", LEAF]].concat());
        let run = tokio::task::spawn_blocking(move || Finished::from(process.output().unwrap()));
        let waits = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND database =
            (SELECT oid FROM pg_database WHERE datname = current_database())";
        while db.psql(waits).await == "f" {
            assert!(!run.is_finished(), "{command:?}");
        }
        other.batch_execute("COMMIT").await.unwrap();
        let refused = run.await.unwrap().expect_code(6);
        assert!(refused.stderr.contains("has been attached to public.archive"), "{refused:?}");
        assert_eq!(db.psql(&rows).await, "t");
        db.psql(&WAYS[0].1.replace("{table}", table)).await;
    }
}

#[tokio::test]
async fn what_the_partitioned_table_has_got_since_is_not_left_behind() {
    let (here, _) = loaded().await;
    let db = &here.db;
    exchanged(db, LEAF, "switchover");
    db.psql(
        "CREATE INDEX ON trade (importer); ALTER TABLE trade ADD CONSTRAINT since CHECK (year > 0);
        ALTER TABLE trade ADD remark text NOT NULL DEFAULT 'none';
        CREATE INDEX own ON trade_2020 (purpose)",
    )
    .await;
    let needed = [
        "CREATE INDEX trade_2020_importer_idx_old ON public.trade_2020_old USING btree (importer)",
        "ALTER TABLE public.trade_2020_old ADD CONSTRAINT since CHECK ((year > 0))",
        "ALTER TABLE public.trade_2020_old ADD remark text DEFAULT 'none'::text",
    ];
    let args = [exchanging("rollback"), vec!["--leave-additions", "--table", LEAF]].concat();
    let refused = db.sterna(&args).expect_code(6);
    for sql in needed {
        assert!(refused.stderr.contains(sql), "{sql}: {refused:?}");
    }
    let quoted = refused.stderr.split('`').skip(1).step_by(2);
    for sql in quoted.filter(|text| !text.starts_with("sterna")) {
        db.psql(sql).await;
    }
    assert!(!refused.stderr.contains("--leave-additions leaves"), "{refused:?}");
    db.sterna(&args).expect_code(0);
    assert_eq!(db.psql("SELECT count(*), count(remark) FROM trade_2020").await, "200|200");
}
