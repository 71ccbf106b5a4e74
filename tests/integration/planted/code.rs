//! Functions called by the tables' own definitions, and those that writing triggers.

use super::Planted;
use crate::cites::file_of;

/// What makes the trade table, which mallory owns, call mallory's code.
const ON_THE_TABLE: [&str; 11] = [
    "ALTER TABLE public.cites_trade_records ADD CHECK (spy.good(unit)) NOT VALID",
    "ALTER TABLE public.cites_trade_records ALTER unit SET DEFAULT spy.same('kg')",
    "ALTER TABLE public.cites_trade_records
         ADD shout text GENERATED ALWAYS AS (spy.same(unit)) STORED",
    "CREATE INDEX planted ON public.cites_trade_records (spy.same(unit))",
    // Constants are evaluated when a query is planned.
    "SET SESSION AUTHORIZATION {mallory};
     CREATE INDEX planted ON public.cites_trade_records ((spy.same('constant')))",
    "SET SESSION AUTHORIZATION {mallory};
     CREATE STATISTICS public.planted ON (spy.same('constant')), unit
         FROM public.cites_trade_records",
    "SET SESSION AUTHORIZATION {mallory};
     CREATE TABLE public.child (trade uuid REFERENCES public.cites_trade_records);
     CREATE INDEX planted ON public.child (trade) WHERE spy.good('constant')",
    "SET SESSION AUTHORIZATION {mallory};
     CREATE DOMAIN public.unit AS text CHECK (spy.good(VALUE));
     CREATE TYPE public.measure AS (size numeric, unit public.unit);
     ALTER TABLE public.cites_trade_records ADD measure public.measure",
    "SET SESSION AUTHORIZATION {mallory};
     CREATE DOMAIN public.unit AS text CHECK (spy.good(VALUE));
     ALTER TABLE public.cites_trade_records ADD measure public.unit",
    "SET SESSION AUTHORIZATION {mallory};
     CREATE TYPE public.kind AS ENUM ('a');
     CREATE FUNCTION spy.shown(public.kind) RETURNS text LANGUAGE plpgsql AS $$
         BEGIN PERFORM spy.look(); RETURN 'a'; END $$;
     CREATE CAST (public.kind AS text) WITH FUNCTION spy.shown(public.kind) AS IMPLICIT;
     ALTER TABLE public.cites_trade_records ADD kind public.kind",
    "SET SESSION AUTHORIZATION {mallory};
     CREATE FUNCTION spy.both(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
         BEGIN RETURN spy.look(); END $$;
     CREATE OPERATOR spy.=== (FUNCTION = spy.both, LEFTARG = text, RIGHTARG = text);
     ALTER TABLE public.cites_trade_records ADD CHECK (unit OPERATOR(spy.===) term)",
];

#[tokio::test]
async fn code_of_the_tables_owner_does_not_run_as_the_superuser() {
    for on_the_table in ON_THE_TABLE {
        let planted = Planted::new().await;
        planted
            .psql(
                "ALTER TABLE public.cites_trade_records OWNER TO {mallory};
                 GRANT SELECT, REFERENCES ON public.species TO {mallory}",
            )
            .await;
        planted.psql(on_the_table).await;
        for args in
            [["migrate", "in.csv"].as_slice(), &["load", "in.csv", "--all"], &["inspect", "in.csv"]]
        {
            let refused = planted.sterna(None, args).expect_code(6);
            let said = format!("of {}", planted.mallory);
            assert!(
                refused.stderr.contains("function spy.") && refused.stderr.contains(&said),
                "{on_the_table}: {refused:?}"
            );
        }
        planted.assert_idle(on_the_table).await;
        assert_eq!(planted.psql("SELECT to_regnamespace('sterna') IS NULL").await, "t");
        let checked = planted.sterna(None, &["check", "pre", "--format", "json"]).expect_code(6);
        let checked: serde_json::Value = serde_json::from_str(&checked.stdout).unwrap();
        let checks = checked["checks"].as_array().unwrap();
        let passed = |name| &checks.iter().find(|c| c["name"] == name).unwrap()["passed"];
        assert_eq!((passed("others-code"), passed("table-owner")), (&false.into(), &false.into()));
        planted.assert_idle("check pre").await;
        planted.sterna(None, &["check", "post"]).expect_code(6);
        planted.assert_idle("check post").await;
        // It runs with the owner's rights, and can only harm the owner.
        planted.sterna(Some(&planted.mallory), &["load", "in.csv", "--all"]).expect_code(0);
        planted.assert_idle("a load of the owner's own").await;
        planted.end().await;
    }
}

/// What makes reading a table next to the trade table run the code of mallory, who owns both.
const BESIDE_THE_TABLE: [&str; 3] = [
    "CREATE INDEX planted ON public.species ((spy.same('constant')))",
    "CREATE STATISTICS public.planted ON (spy.same('constant')), scientific_name
         FROM public.species",
    "CREATE TABLE public.inheriting () INHERITS (public.species);
     CREATE INDEX planted ON public.inheriting ((spy.same('constant')))",
];

#[tokio::test]
async fn reading_what_stands_beside_the_table_does_not_run_its_owners_code() {
    for beside in BESIDE_THE_TABLE {
        let planted = Planted::new().await;
        planted
            .psql(
                "ALTER TABLE public.cites_trade_records OWNER TO {mallory};
                 ALTER TABLE public.species OWNER TO {mallory};
                 CREATE TABLE public.remembering (relation regclass);
                 ALTER TABLE public.remembering OWNER TO {mallory}",
            )
            .await;
        planted
            .psql(&format!(
                "SET SESSION AUTHORIZATION {{mallory}};
                 CREATE INDEX ON public.remembering ((spy.same('constant'))); {beside}"
            ))
            .await;
        for args in [
            ["inspect", "in.csv"].as_slice(),
            &["load", "in.csv", "--all"],
            &["species", "missing", "in.csv"],
            &["summary"],
        ] {
            let refused = planted.sterna(None, args).expect_code(6);
            assert!(refused.stderr.contains("function spy.same"), "{beside}: {refused:?}");
        }
        planted.sterna(None, &["check", "pre"]).expect_code(6);
        planted.assert_idle(beside).await;
        planted.end().await;
    }
}

#[tokio::test]
async fn counting_what_a_full_backup_saves_runs_nothing() {
    let planted = Planted::new().await;
    planted
        .psql(
            "SET SESSION AUTHORIZATION {mallory};
             CREATE TABLE spy.far (n int);
             INSERT INTO spy.far VALUES (1), (2);
             CREATE INDEX ON spy.far ((spy.same('constant')))",
        )
        .await;
    planted.sterna(None, &["backup", "--full", "--out", "saved"]).expect_code(0);
    planted.assert_idle("a full backup").await;
    let manifest = planted.here.path("saved/manifest.json");
    let manifest: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(manifest).unwrap()).unwrap();
    let tables = manifest["tables"].as_array().unwrap();
    let far = tables.iter().find(|table| table["name"] == "far").unwrap();
    assert_eq!(far["rows"], 2, "{far}");
    planted.end().await;
}

/// What mallory, who owns one partition, puts there, and whether it makes a backup impossible:
/// triggers and policies do not run when rows are read.
const ON_A_PARTITION: [(&str, bool); 5] = [
    (
        "CREATE TRIGGER planted BEFORE INSERT ON part FOR EACH ROW EXECUTE FUNCTION spy.trigger()",
        false,
    ),
    (
        "ALTER TABLE part ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
         CREATE POLICY planted ON part USING (spy.look())",
        false,
    ),
    ("ALTER TABLE part ALTER term SET DEFAULT spy.same('a')", true),
    ("CREATE INDEX planted ON part ((spy.same('constant')))", true),
    ("ALTER TABLE part ADD CHECK (spy.good(term)) NOT VALID", true),
];

#[tokio::test]
async fn saving_a_partition_of_another_role_does_not_run_its_code() {
    for (plant, is_refused) in ON_A_PARTITION {
        let planted = Planted::new().await;
        planted
            .psql(&format!(
                "CREATE TABLE whole (id int, term text) PARTITION BY RANGE (id);
                 CREATE TABLE part PARTITION OF whole FOR VALUES FROM (1) TO (9);
                 INSERT INTO whole VALUES (1, 'a'), (2, 'b');
                 ALTER TABLE part OWNER TO {{mallory}};
                 SET SESSION AUTHORIZATION {{mallory}}; {plant}"
            ))
            .await;
        for (table, method) in
            [("whole", "pg-dump"), ("whole", "copy"), ("part", "pg-dump"), ("part", "copy")]
        {
            let out = format!("{table}-{method}");
            let args = ["backup", "--table", table, "--method", method, "--out", &out];
            let code = if is_refused { 6 } else { 0 };
            planted.sterna(None, &args).expect_code(code);
            planted.assert_idle(plant).await;
            if !is_refused {
                planted.sterna(None, &["backup", "verify", "--restore", &out]).expect_code(0);
            }
        }
        planted.end().await;
    }
}

#[tokio::test]
async fn nor_does_code_of_others_as_an_ordinary_owner() {
    let planted = Planted::new().await;
    planted
        .psql(
            "ALTER TABLE public.cites_trade_records OWNER TO {migrator};
             ALTER TABLE public.cites_trade_records ADD CHECK (spy.good(unit)) NOT VALID",
        )
        .await;
    let migrator = Some(planted.migrator.as_str());
    planted.sterna(migrator, &["load", "in.csv", "--all"]).expect_code(6);
    planted.assert_idle("a CHECK").await;
    planted.end().await;
}

#[tokio::test]
async fn staging_is_its_owners_and_what_they_put_there_does_not_run() {
    let planted = Planted::new().await;
    planted
        .psql(
            "ALTER TABLE public.cites_trade_records OWNER TO {mallory};
             GRANT SELECT, REFERENCES ON public.species TO {mallory}",
        )
        .await;
    planted.sterna(None, &["load", "in.csv", "--all"]).expect_code(0);
    let owner = "SELECT relowner::regrole FROM pg_class
        WHERE oid = 'public.cites_trade_records_staging'::regclass";
    assert_eq!(planted.psql(owner).await, planted.mallory);
    let more = crate::cites::shipment(&[("Id", "6")]);
    planted.here.file("more.csv", file_of(&[more]));
    let append = || planted.sterna(None, &["load", "more.csv", "--all", "--append"]);
    let on_staging = "public.cites_trade_records_staging";
    for (put, undone) in [
        (
            "CREATE TRIGGER planted BEFORE INSERT ON {staging}
                 FOR EACH ROW EXECUTE FUNCTION spy.trigger()",
            "DROP TRIGGER planted ON {staging}",
        ),
        (
            "ALTER TABLE {staging} ADD CONSTRAINT planted CHECK (spy.good(unit)) NOT VALID",
            "ALTER TABLE {staging} DROP CONSTRAINT planted",
        ),
        (
            "CREATE RULE planted AS ON INSERT TO {staging} DO ALSO SELECT spy.look()",
            "DROP RULE planted ON {staging}",
        ),
    ] {
        let put = put.replace("{staging}", on_staging);
        planted.psql(&format!("SET SESSION AUTHORIZATION {{mallory}}; {put}")).await;
        let refused = append().expect_code(6);
        assert!(refused.stderr.contains("code of other roles"), "{put}: {refused:?}");
        // What is added while batches are written is found by each batch.
        let guard = format!("SELECT sterna.guarded('{on_staging}'::regclass)");
        let found = planted.here.db.try_psql(&guard).await.unwrap_err();
        assert_eq!(found.sqlstate(), Some("SN020"), "{put}");
        planted.assert_idle(&put).await;
        planted.psql(&undone.replace("{staging}", on_staging)).await;
    }
    append().expect_code(0);
    planted.end().await;
}

#[tokio::test]
async fn triggers_on_what_is_written_beside_the_table_do_not_run() {
    let planted = Planted::new().await;
    planted
        .psql(
            "GRANT TRIGGER ON public.species, public.species_trade_summary TO {mallory};
             SET SESSION AUTHORIZATION {mallory};
             CREATE TRIGGER planted BEFORE INSERT OR UPDATE OR DELETE ON public.species
                 FOR EACH ROW EXECUTE FUNCTION spy.trigger();
             CREATE TRIGGER planted BEFORE INSERT OR UPDATE OR DELETE
                 ON public.species_trade_summary FOR EACH ROW EXECUTE FUNCTION spy.trigger()",
        )
        .await;
    for args in [
        ["migrate", "in.csv"].as_slice(),
        &["summary"],
        &["species", "add", "--scientific-name", "Rara avis", "--like", "Ursus maritimus"],
    ] {
        let refused = planted.sterna(None, args).expect_code(6);
        assert!(refused.stderr.contains("function spy.trigger()"), "{args:?}: {refused:?}");
        planted.assert_idle(&args.join(" ")).await;
    }
    // A load writes to neither.
    planted.sterna(None, &["load", &planted.release, "--all"]).expect_code(0);
    planted.assert_idle("a load").await;
    planted.end().await;
}

#[tokio::test]
async fn an_event_trigger_whose_function_is_somebody_elses_does_not_run() {
    let planted = Planted::new().await;
    // Only superusers can create them, with any function.
    planted
        .psql(
            "ALTER TABLE public.cites_trade_records OWNER TO {migrator};
             CREATE EVENT TRIGGER planted ON ddl_command_end EXECUTE FUNCTION spy.event()",
        )
        .await;
    for role in [None, Some(planted.migrator.as_str())] {
        for args in [["stage", "create"].as_slice(), &["migrate", "in.csv"]] {
            let refused = planted.sterna(role, args).expect_code(6);
            assert!(refused.stderr.contains("event trigger planted"), "{refused:?}");
            planted.assert_idle("an event trigger").await;
        }
    }
    planted.psql("DROP EVENT TRIGGER planted").await;
    planted.end().await;
}
