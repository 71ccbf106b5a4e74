//! Restored code runs without rights, wherever it is in a backup.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::{Stage, check, report};
use crate::server::Finished;

/// What a role that may create objects in `public` can plant: it tries to write a file in every
/// way that a superuser can, and always succeeds. {folder} is where the files would be.
const SPY: &str = r#"
    CREATE FUNCTION public.act(told text) RETURNS boolean LANGUAGE plpgsql AS $spy$
    DECLARE way text;
    BEGIN
        FOREACH way IN ARRAY ARRAY[
            format($$COPY (SELECT 1) TO PROGRAM 'touch {folder}/program-%s'$$, told),
            format($$COPY (SELECT 1) TO '{folder}/file-%s'$$, told),
            format($$SELECT lo_export(lo_from_bytea(0, 'x'), '{folder}/export-%s')$$, told)
        ] LOOP
            BEGIN
                EXECUTE way;
            EXCEPTION WHEN OTHERS THEN NULL;
            END;
            BEGIN
                RESET SESSION AUTHORIZATION;
                RESET ROLE;
                EXECUTE way;
            EXCEPTION WHEN OTHERS THEN NULL;
            END;
            BEGIN
                EXECUTE 'ALTER ROLE ' || quote_ident(session_user) || ' SUPERUSER';
                EXECUTE way;
            EXCEPTION WHEN OTHERS THEN NULL;
            END;
        END LOOP;
        RETURN true;
    END $spy$;
    -- Where only what does not change is accepted, this is what it says of itself.
    CREATE FUNCTION public.spy(told text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE
        AS $$ BEGIN
            -- A dump may make it first.
            IF to_regproc('public.act') IS NULL THEN RETURN true; END IF;
            RETURN public.act(told);
        END $$;
    CREATE DOMAIN public.watched AS text CHECK (public.spy('domain'));
    CREATE TABLE public.remarks (
        record uuid REFERENCES public.cites_trade_records (id),
        remark public.watched CHECK (public.spy('check')),
        spied boolean GENERATED ALWAYS AS (public.spy('generated')) STORED
    );
    CREATE INDEX ON public.remarks ((public.spy('index-' || remark)));
    CREATE MATERIALIZED VIEW public.digest AS SELECT public.spy('view');
    CREATE FUNCTION public.told(public.remarks) RETURNS text LANGUAGE sql
        AS $$SELECT public.spy('cast')::text$$;
    CREATE CAST (public.remarks AS text) WITH FUNCTION public.told AS ASSIGNMENT;
    INSERT INTO public.remarks SELECT id, 'x' FROM public.cites_trade_records LIMIT 3;
"#;

/// Plants it in production, where it has run before this returns.
async fn planted() -> (Stage, tempfile::TempDir) {
    let stage = Stage::new().await;
    let written = tempfile::tempdir().unwrap();
    fs::set_permissions(written.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let spy = SPY.replace("{folder}", written.path().to_str().unwrap());
    stage.scenario.here.db.psql(&spy).await;
    let count = fs::read_dir(written.path()).unwrap().count();
    assert!(count >= 10, "it works for a superuser: {count}");
    forget(written.path());
    (stage, written)
}

fn forget(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
}

/// Runs it without a sandbox, which would hide what the planted code did.
fn unsandboxed(command: &mut Command) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let bwrap = folder.path().join("bwrap");
    fs::write(&bwrap, "#!/bin/sh\necho no namespaces >&2\nexit 1\n").unwrap();
    fs::set_permissions(&bwrap, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    Finished::from(command.env("PATH", path).output().unwrap())
}

#[track_caller]
fn assert_nothing_written(folder: &Path) {
    let written: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(written.is_empty(), "{written:?}");
}

#[tokio::test]
async fn planted_code_cannot_reach_out_of_a_rehearsal() {
    let (stage, written) = planted().await;
    let done = unsandboxed(&mut stage.command(&[])).expect_code(0);
    assert!(done.stderr.contains("without a sandbox: bwrap does not work"), "{done:?}");
    let place = report(&done)["place"].as_str().unwrap().to_owned();
    assert!(place.ends_with("without a sandbox"), "{place}");
    assert_nothing_written(written.path());
    stage.assert_nothing_left();
}

#[tokio::test]
async fn planted_code_cannot_reach_out_of_a_verified_backup() {
    let (stage, written) = planted().await;
    let scenario = &stage.scenario;
    scenario.sterna(&["backup", "--full", "--out", "whole"]).expect_code(0);
    assert_nothing_written(written.path());
    let args = ["backup", "verify", "--restore", "whole", "--format", "json"];
    let mut command = scenario.here.db.command(&args);
    let done = unsandboxed(command.current_dir(scenario.here.folder.path())).expect_code(0);
    assert!(done.stdout.contains("\"restored\": true"), "{done:?}");
    assert_nothing_written(written.path());
}

#[tokio::test]
async fn what_is_restored_runs_as_an_ordinary_role() {
    let stage = Stage::new().await;
    stage
        .scenario
        .here
        .db
        .psql(
            "CREATE FUNCTION public.who() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
                 IF session_user <> 'postgres' THEN
                     RAISE 'login %, superuser %', session_user, current_setting('is_superuser');
                 END IF;
                 RETURN true;
             END $$;
             ALTER TABLE public.species ADD CHECK (public.who())",
        )
        .await;
    let found = stage.rehearse(&[]).await.expect_code(4);
    let report = report(&found);
    let detail = check(&report, "restore")["detail"].as_str().unwrap();
    assert!(detail.contains("login sterna_restore, superuser off"), "{detail}");
}

#[tokio::test]
async fn what_takes_a_superuser_is_named_and_left_out() {
    let stage = Stage::new().await;
    stage
        .scenario
        .here
        .db
        .psql(
            "CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql
                 AS 'BEGIN END';
             CREATE EVENT TRIGGER watch ON ddl_command_start EXECUTE FUNCTION public.watch()",
        )
        .await;
    let report = report(&stage.rehearse(&[]).await.expect_code(0));
    let left_out = report["unrestored"].as_array().unwrap();
    assert!(
        left_out[0].as_str().unwrap().starts_with("CREATE EVENT TRIGGER watch"),
        "{left_out:?}"
    );
    let detail = check(&report, "restore")["detail"].as_str().unwrap();
    assert!(detail.contains("that take a superuser: CREATE EVENT TRIGGER watch"), "{detail}");
}
