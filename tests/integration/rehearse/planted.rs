//! Problems that a rehearsal must find.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Stage, check, report};
use crate::server::Finished;

#[tokio::test]
async fn a_damaged_backup_is_found() {
    let stage = Stage::new().await;
    stage.scenario.sterna(&["backup", "--full", "--out", "whole"]).expect_code(0);
    let dump = stage.scenario.here.path("whole").join("backup.dump");
    let mut bytes = fs::read(&dump).unwrap();
    let half = bytes.len() / 2;
    bytes[half] ^= 0xff;
    fs::write(&dump, &bytes).unwrap();
    let found = stage.rehearse(&["--backup", "whole"]).await.expect_code(4);
    assert!(found.stderr.contains("backup.dump is not what was written"), "{found:?}");
    let report = report(&found);
    assert_eq!((&report["passed"], &report["recorded"]), (&false.into(), &false.into()));
    assert_eq!(check(&report, "backup")["passed"], false);
}

#[tokio::test]
async fn a_backup_that_does_not_restore_is_found() {
    let stage = Stage::new().await;
    let db = &stage.scenario.here.db;
    // The rows meet the condition, which reads another table that is filled later.
    db.psql(
        "CREATE TABLE public.yes (term text);
         INSERT INTO public.yes VALUES ('x');
         CREATE FUNCTION public.is_allowed(uuid) RETURNS boolean LANGUAGE plpgsql
             AS 'BEGIN RETURN EXISTS (SELECT FROM public.yes); END';
         ALTER TABLE public.species ADD CONSTRAINT allowed CHECK (public.is_allowed(id))",
    )
    .await;
    let found = stage.rehearse(&[]).await.expect_code(4);
    assert!(found.stderr.contains("the backup does not restore"), "{found:?}");
    let report = report(&found);
    let detail = check(&report, "restore")["detail"].as_str().unwrap();
    assert!(detail.contains("allowed"), "{detail}");
    assert_eq!(report["recorded"], false);
}

#[tokio::test]
async fn a_dependent_that_cannot_be_replayed_is_found() {
    let stage = Stage::new().await;
    let db = &stage.scenario.here.db;
    db.psql(
        "CREATE FUNCTION public.first_of(public.cites_trade_records, integer)
             RETURNS public.cites_trade_records LANGUAGE sql AS 'SELECT $1';
         CREATE OPERATOR public.### (LEFTARG = public.cites_trade_records,
             RIGHTARG = integer, FUNCTION = public.first_of)",
    )
    .await;
    let found = stage.rehearse(&[]).await.expect_code(6);
    assert!(found.stderr.contains("cannot be replaced"), "{found:?}");
    let report = report(&found);
    assert_eq!(
        (&report["passed"], &check(&report, "plan")["passed"]),
        (&false.into(), &false.into())
    );
}

#[tokio::test]
async fn too_little_space_is_found() {
    let stage = Stage::new().await;
    let found = stage.rehearse(&["--free-space", "1MB"]).await.expect_code(6);
    assert!(found.stderr.contains("too little space on production"), "{found:?}");
    let report = report(&found);
    assert_eq!(check(&report, "space")["passed"], false);
    assert_eq!(check(&report, "as before")["passed"], true, "everything else passed");
    assert_eq!(report["space"]["free_bytes"], 1_000_000);
    assert_eq!(report["recorded"], false);
}

#[tokio::test]
async fn what_a_disk_limit_leaves_is_compared_with_the_measured_need() {
    let stage = Stage::new().await;
    let size = "SELECT pg_database_size(current_database()) + 1000000";
    let limit = stage.scenario.here.db.psql(size).await;
    let found = stage.rehearse(&["--disk-limit", &limit]).await.expect_code(6);
    assert!(found.stderr.contains("too little space on production"), "{found:?}");
    assert!(found.stderr.contains("--disk-limit"), "{found:?}");
    assert_eq!(check(&report(&found), "as before")["passed"], true, "the copy has no limit");
    let free = report(&found)["space"]["free_bytes"].as_u64().unwrap();
    assert!(free <= 1_000_000, "{free}");
}

#[tokio::test]
async fn a_failed_gate_is_the_rehearsals_exit_code() {
    let stage = Stage::new().await;
    let found = stage.rehearse(&["--expect-rows", "1999"]).await.expect_code(4);
    assert!(found.stderr.contains("rows-expected"), "{found:?}");
    assert!(found.stderr.contains("rehearse again"), "{found:?}");
    assert!(!found.stderr.contains("--resume"), "there is nothing to resume: {found:?}");
    let report = report(&found);
    let steps = report["plan"]["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["step"] == "3.3" && step["state"] == "failed"));
}

#[tokio::test]
async fn extensions_that_the_copys_server_lacks_are_named() {
    let stage = Stage::new().await;
    // As if they had been created on a server that has them.
    let made = "SET allow_system_table_mods = on;
        INSERT INTO pg_catalog.pg_extension
            (oid, extname, extowner, extnamespace, extrelocatable, extversion)
        VALUES (99991, 'pg_elsewhere', 10, 'public'::regnamespace, true, '1.0'),
            (99992, 'far_away', 10, 'public'::regnamespace, true, '1.0')";
    stage.scenario.here.db.psql(made).await;
    let found = stage.rehearse(&[]).await.expect_code(6);
    assert!(found.stderr.contains("far_away, pg_elsewhere"), "{found:?}");
    assert!(found.stderr.contains("--into URL"), "{found:?}");
}

#[tokio::test]
async fn a_server_of_another_major_version_is_not_taken() {
    let stage = Stage::new().await;
    let folder = stage.scenario.here.path("bin");
    fs::create_dir(&folder).unwrap();
    for name in ["initdb", "postgres"] {
        let path = folder.join(name);
        fs::write(&path, "#!/bin/sh\necho 'postgres (PostgreSQL) 11.3'\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = stage.command(&[]);
    let found = Finished::from(command.env("STERNA_PG_BIN", &folder).output().unwrap());
    let found = found.expect_code(2);
    assert!(found.stderr.contains("are not on this machine, only 11"), "{found:?}");
    assert!(found.stderr.contains("--into URL"), "{found:?}");
    stage.assert_nothing_left();
}
