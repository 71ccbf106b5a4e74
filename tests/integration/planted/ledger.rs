//! A schema `sterna` that belongs to somebody else, completely or in part.

use super::Planted;

/// Commands that read the ledger.
const COMMANDS: [&[&str]; 8] = [
    &["status"],
    &["report", "--out", "r"],
    &["stage", "create"],
    &["load", "in.csv", "--all"],
    &["migrate", "in.csv"],
    &["rollback"],
    &["backup", "--out", "b"],
    &["species", "missing", "in.csv"],
];

#[tokio::test]
async fn a_schema_made_beforehand_is_not_adopted() {
    let planted = Planted::new().await;
    planted.psql("ALTER TABLE public.cites_trade_records OWNER TO {migrator}").await;
    // A ledger as sterna creates it, then handed to mallory with a trigger and a view.
    planted.sterna(None, &["stage", "create"]).expect_code(0);
    planted
        .psql(
            "DROP TABLE public.cites_trade_records_staging; DELETE FROM sterna.staging;
             REASSIGN OWNED BY {migrator} TO {migrator};
             DO $$
             DECLARE t record;
             BEGIN
                 ALTER SCHEMA sterna OWNER TO {mallory};
                 FOR t IN SELECT oid::regclass AS name FROM pg_class
                     WHERE relnamespace = 'sterna'::regnamespace AND relkind = 'r'
                 LOOP
                     EXECUTE format('ALTER TABLE %s OWNER TO {mallory}', t.name);
                     EXECUTE format('GRANT ALL ON %s TO PUBLIC', t.name);
                 END LOOP;
             END $$;
             SET SESSION AUTHORIZATION {mallory};
             GRANT USAGE ON SCHEMA sterna TO PUBLIC;
             CREATE TRIGGER planted BEFORE INSERT ON sterna.staging
                 FOR EACH ROW EXECUTE FUNCTION spy.trigger();
             ALTER TABLE sterna.synonym RENAME TO synonym_before;
             CREATE VIEW sterna.synonym AS
                 SELECT * FROM sterna.synonym_before WHERE spy.look();
             GRANT ALL ON sterna.synonym TO PUBLIC;
             ALTER TABLE sterna.migration RENAME TO migration_before;
             CREATE VIEW sterna.migration AS
                 SELECT * FROM sterna.migration_before WHERE spy.look();
             GRANT ALL ON sterna.migration TO PUBLIC",
        )
        .await;
    for role in [None, Some(planted.migrator.as_str())] {
        for args in COMMANDS {
            let refused = planted.sterna(role, args).expect_code(6);
            let said = format!("schema sterna belongs to {}", planted.mallory);
            assert!(refused.stderr.contains(&said), "{args:?}: {refused:?}");
            // The owner's rights must not be offered.
            assert!(!refused.stderr.contains("GRANT"), "{args:?}: {refused:?}");
            planted.assert_idle(&args.join(" ")).await;
        }
        let checked = planted.sterna(role, &["check", "pre", "--format", "json"]).expect_code(6);
        assert!(checked.stdout.contains("belongs to mallory"), "{checked:?}");
        assert!(!checked.stdout.contains("GRANT mallory"), "{checked:?}");
        planted.assert_idle("check pre").await;
    }
    planted.end().await;
}

/// Changes that put part of a superuser's ledger under somebody else's control, the message, and
/// what undoes each.
const TAMPERED: [[&str; 3]; 9] = [
    [
        "ALTER SCHEMA sterna OWNER TO {mallory}",
        "schema sterna belongs to mallory",
        "ALTER SCHEMA sterna OWNER TO CURRENT_USER",
    ],
    [
        "ALTER TABLE sterna.step OWNER TO {mallory}",
        "table sterna.step belongs to mallory",
        "ALTER TABLE sterna.step OWNER TO CURRENT_USER",
    ],
    [
        "ALTER FUNCTION sterna.guarded(oid) OWNER TO {mallory}",
        "function sterna.guarded(oid) belongs to mallory",
        "ALTER FUNCTION sterna.guarded(oid) OWNER TO CURRENT_USER",
    ],
    [
        "CREATE DOMAIN sterna.mine AS text; ALTER DOMAIN sterna.mine OWNER TO {mallory}",
        "type sterna.mine belongs to mallory",
        "DROP DOMAIN sterna.mine",
    ],
    [
        "GRANT CREATE ON SCHEMA sterna TO {mallory}",
        "may CREATE on schema sterna",
        "REVOKE ALL ON SCHEMA sterna FROM {mallory}",
    ],
    [
        "GRANT USAGE ON SCHEMA sterna TO {mallory}; GRANT INSERT ON sterna.switchover TO PUBLIC",
        "PUBLIC may INSERT on table sterna.switchover",
        "REVOKE ALL ON SCHEMA sterna FROM {mallory}; REVOKE ALL ON sterna.switchover FROM PUBLIC",
    ],
    [
        // The right that it was created with is gone, but the trigger remains.
        "GRANT USAGE ON SCHEMA sterna TO {mallory}; GRANT TRIGGER ON sterna.migration TO {mallory};
         SET SESSION AUTHORIZATION {mallory};
         CREATE TRIGGER planted BEFORE INSERT OR UPDATE ON sterna.migration
             FOR EACH ROW EXECUTE FUNCTION spy.trigger();
         RESET SESSION AUTHORIZATION;
         REVOKE ALL ON sterna.migration FROM {mallory}; REVOKE ALL ON SCHEMA sterna FROM {mallory}",
        "trigger planted on table sterna.migration",
        "DROP TRIGGER planted ON sterna.migration",
    ],
    [
        "CREATE RULE planted AS ON INSERT TO sterna.step DO ALSO SELECT spy.look()",
        "rule planted on table sterna.step",
        "DROP RULE planted ON sterna.step",
    ],
    [
        "CREATE TABLE public.child () INHERITS (sterna.staging);
         ALTER TABLE public.child OWNER TO {mallory}",
        "table public.child is not sterna's",
        "DROP TABLE public.child",
    ],
];

#[tokio::test]
async fn a_ledger_that_is_not_ours_alone_is_not_used() {
    let planted = Planted::new().await;
    planted.sterna(None, &["stage", "create"]).expect_code(0);
    for [tampered, said, undone] in TAMPERED {
        planted.psql(tampered).await;
        for args in [["status"].as_slice(), &["stage", "drop"]] {
            let refused = planted.sterna(None, args).expect_code(6);
            assert!(refused.stderr.contains(said), "{tampered}: {refused:?}");
        }
        planted.assert_idle(tampered).await;
        planted.psql(undone).await;
        planted.sterna(None, &["status"]).expect_code(0);
    }
    // Roles that may only read are no danger.
    planted
        .psql(
            "GRANT USAGE ON SCHEMA sterna TO {mallory};
             GRANT SELECT ON ALL TABLES IN SCHEMA sterna TO {mallory}",
        )
        .await;
    planted.sterna(None, &["status"]).expect_code(0);
    planted.sterna(Some(&planted.mallory), &["status"]).expect_code(0);
    planted.end().await;
}

#[tokio::test]
async fn a_superuser_does_not_use_the_ledger_of_an_ordinary_role_nor_in_its_name() {
    let planted = Planted::new().await;
    planted.psql("ALTER TABLE public.cites_trade_records OWNER TO {migrator}").await;
    planted.sterna(Some(&planted.migrator), &["stage", "create"]).expect_code(0);
    let refused = planted.sterna(None, &["status"]).expect_code(6);
    assert!(refused.stderr.contains("belongs to migrator"), "{refused:?}");
    let mut command = planted.here.db.command(&["status"]);
    command.env("PGOPTIONS", format!("-c role={}", planted.migrator));
    let refused = crate::server::Finished::from(command.output().unwrap()).expect_code(6);
    assert!(refused.stderr.contains("belongs to migrator"), "{refused:?}");
    planted.sterna(Some(&planted.migrator), &["stage", "drop"]).expect_code(0);
    planted.end().await;
}

#[tokio::test]
async fn an_empty_schema_that_was_made_for_the_migrator_will_do() {
    let planted = Planted::new().await;
    planted
        .psql(
            "ALTER TABLE public.cites_trade_records OWNER TO {migrator};
             REVOKE CREATE ON DATABASE {database} FROM {migrator};
             CREATE SCHEMA sterna AUTHORIZATION {migrator}"
                .replace("{database}", planted.here.db.name())
                .as_str(),
        )
        .await;
    planted.sterna(Some(&planted.migrator), &["stage", "create"]).expect_code(0);
    planted.end().await;
}
