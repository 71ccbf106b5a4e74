//! Rights on staging and the ledger, and the rights that sterna needs itself.

use sterna::cites::arctic::species_rows;

use crate::cites::{Installation, file_of, good};

#[tokio::test]
async fn nobody_but_the_owner_has_rights_on_staging_and_ledger() {
    let here = Installation::new().await;
    // Not only in public, and also for schemas and PUBLIC.
    here.db
        .psql(
            "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO anon, PUBLIC;
        ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO anon, PUBLIC",
        )
        .await;
    here.report(0, &[&here.file("in.csv", file_of(&good(3))), "--all"]);
    let grants = "SELECT count(*) FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.relname = 'cites_trade_records_staging' AND a.grantee <> c.relowner";
    assert_eq!(here.db.psql(grants).await, "0");
    for role in ["anon", "authenticated", "service_role"] {
        for sql in [
            "SELECT FROM public.cites_trade_records_staging",
            "TRUNCATE public.cites_trade_records_staging",
            "SELECT FROM sterna.load_run",
            "SELECT FROM sterna.load_batch",
            "CREATE TABLE sterna.mine (n integer)",
        ] {
            let refused = here.db.try_psql(&format!("SET ROLE {role}; {sql}")).await.unwrap_err();
            assert_eq!(refused.sqlstate(), Some("42501"), "{role}: {sql}: {refused}");
        }
    }
    // Production's own rights are unchanged.
    here.db.psql("SET ROLE anon; SELECT FROM public.cites_trade_records").await;
}

#[tokio::test]
async fn the_tables_owner_can_load_without_being_superuser() {
    let here = Installation::new().await;
    let role = format!("owner_of_{}", here.db.name());
    here.db
        .psql(&format!(
            "CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {} TO {role};
        GRANT CREATE ON SCHEMA public TO {role}; GRANT SELECT, REFERENCES ON species TO {role};
        ALTER TABLE cites_trade_records OWNER TO {role}",
            here.db.name()
        ))
        .await;
    let file = here.file("in.csv", file_of(&good(500)));
    let load = |args: &[&str]| {
        let mut command = here.command(&[&[file.as_str(), "--all"], args].concat());
        crate::server::Finished::from(command.env("PGUSER", &role).output().unwrap())
    };
    load(&["--batch-size", "100", "--verify"]).expect_code(0);
    let owners = "SELECT string_agg(DISTINCT relowner::regrole::text, ' ') FROM pg_class
        WHERE relname = 'cites_trade_records_staging' OR relnamespace = 'sterna'::regnamespace";
    assert_eq!(here.db.psql(owners).await, role);
    load(&["--batch-size", "100", "--resume", "--verify"]).expect_code(0);
    assert_eq!(here.staging().await.len(), 500);
    here.db.psql(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_missing_right_is_named() {
    let here = Installation::new().await;
    let role = format!("guest_of_{}", here.db.name());
    here.db.psql(&format!("CREATE ROLE {role} LOGIN")).await;
    let file = here.file("in.csv", file_of(&good(5)));
    let load = || {
        let mut command = here.command(&[&file, "--all"]);
        crate::server::Finished::from(command.env("PGUSER", &role).output().unwrap())
    };
    let refused = load().expect_code(1);
    assert!(refused.stderr.contains("the role needs CREATE on the database"), "{refused:?}");
    // A ledger that another role created.
    here.report(0, &[&file, "--all"]);
    let refused = load().expect_code(6);
    assert!(
        refused.stderr.contains("permission denied") && refused.stderr.contains("hint"),
        "{refused:?}"
    );
    here.db.psql(&format!("DROP ROLE {role}")).await;
}

#[tokio::test]
async fn rows_that_a_policy_hides_are_not_taken_for_missing() {
    let here = Installation::new().await;
    let role = format!("blind_to_{}", here.db.name());
    here.db
        .psql(&format!(
            "CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {} TO {role};
        GRANT CREATE ON SCHEMA public TO {role}; GRANT SELECT, REFERENCES ON species TO {role};
        ALTER TABLE cites_trade_records OWNER TO {role};
        ALTER TABLE species ENABLE ROW LEVEL SECURITY;
        CREATE POLICY one ON species FOR SELECT USING (scientific_name = '{}')",
            here.db.name(),
            species_rows()[0].scientific_name
        ))
        .await;
    let mut command = here.command(&[&here.file("in.csv", file_of(&good(5))), "--all"]);
    let refused = crate::server::Finished::from(command.env("PGUSER", &role).output().unwrap())
        .expect_code(1);
    assert!(refused.stderr.contains("row-level security"), "{refused:?}");
    here.db.psql(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")).await;
}
