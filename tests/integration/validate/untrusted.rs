//! Code that a role planted in the database never runs with the rights of the role that migrates.
//! The evidence is the server's own counts of calls, which no rollback undoes.

use super::{check, failed, validated};
use crate::cites::{Installation, file_of, good};
use crate::server::{Finished, TestDb, flush_counts};

/// What a role plants that may create objects in `public` and read the table: functions of every
/// volatility, a view over each, one that resets the role, one that never ends, code that runs
/// when a plan is made, and code that runs when literals are merely read.
const PLANTED: &str = "
    CREATE FUNCTION heard(what text) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN PERFORM set_config('planted.heard', what, false); RETURN true; END $$;
    CREATE FUNCTION heard_stable() RETURNS int LANGUAGE plpgsql STABLE AS
    $$ BEGIN RETURN (SELECT count(*) FROM cites_trade_records); END $$;
    CREATE FUNCTION heard_immutable(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN RETURN x; END $$;
    CREATE FUNCTION heard_reset() RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN RESET ROLE; RETURN 1; END $$;
    CREATE FUNCTION heard_definer() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER AS
    $$ SELECT count(*) FROM public.cites_trade_records WHERE public.heard('definer') $$;
    CREATE VIEW planted_stable AS SELECT t.*, heard_stable() FROM cites_trade_records AS t;
    CREATE VIEW planted_constant AS
        SELECT year FROM cites_trade_records WHERE heard_immutable(1) = 1;
    CREATE VIEW planted_volatile AS
        SELECT year FROM cites_trade_records WHERE heard('view') LIMIT 1;
    CREATE VIEW planted_reset AS SELECT year, heard_reset() FROM cites_trade_records;
    CREATE VIEW planted_sleep AS SELECT year, pg_sleep(3600)::text FROM cites_trade_records;
    CREATE OPERATOR #! (LEFTARG = int, RIGHTARG = int, FUNCTION = heard_pair);
    CREATE VIEW planted_operator AS SELECT year #! year AS pair FROM cites_trade_records;
    CREATE DOMAIN trap AS int CHECK (heard('domain'));
    CREATE TYPE trapped AS (trap trap);
    SET check_function_bodies = off;
    CREATE FUNCTION planted_array() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT count(*) FROM public.cites_trade_records WHERE '{1}'::public.trap[] IS NULL $$;
    CREATE FUNCTION planted_row() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT count(*) FROM public.cites_trade_records WHERE '(1)'::public.trapped IS NULL $$;
    CREATE FUNCTION planted_body() RETURNS bigint LANGUAGE plpgsql STABLE AS
    $$ DECLARE a public.trap[] := '{1}'; b public.trap := 1; BEGIN
       RETURN (SELECT count(*) FROM public.cites_trade_records WHERE '{1}'::public.trap[] = a);
       END $$;
    CREATE FUNCTION planted_atomic() RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC
        SELECT count(*) FROM cites_trade_records WHERE heard_immutable(2) = 2; END;";

/// Plants, as a role that is dropped by [`Planter::gone`].
struct Planter<'a> {
    db: &'a TestDb,
    role: String,
}

impl<'a> Planter<'a> {
    async fn new(db: &'a TestDb) -> Self {
        let role = format!("{}_planter", db.name());
        db.psql(&format!(
            "ALTER DATABASE {} SET track_functions = 'all';
             CREATE ROLE {role} LOGIN; GRANT CREATE ON SCHEMA public TO {role};
             GRANT SELECT ON cites_trade_records, species TO {role}",
            db.name()
        ))
        .await;
        Planter { db, role }
    }

    async fn plant(&self, sql: &str) {
        // Flushed before the reset below, not when the session has ended.
        let as_planter = format!(
            "SET ROLE {}; SET search_path = public; {sql};
             RESET ROLE; {}",
            self.role,
            flush_counts()
        );
        self.db.psql(&as_planter).await;
        // Clears the calls made by planting itself.
        self.db.psql("SELECT pg_stat_reset()").await;
    }

    /// The planted functions called since, and how often.
    async fn called(&self) -> String {
        self.db
            .psql(&format!(
                "{};
                 SELECT s.funcname, s.calls FROM pg_stat_user_functions AS s
                 JOIN pg_proc AS p ON p.oid = s.funcid
                 WHERE pg_get_userbyid(p.proowner) = '{}' AND s.calls > 0 ORDER BY 1",
                flush_counts(),
                self.role
            ))
            .await
            .trim()
            .to_owned()
    }

    /// Waits until a call is counted: a session that has ended may not have told yet.
    async fn is_heard(&self) {
        for _ in 0..400 {
            if self.called().await.starts_with("heard_immutable|") {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("no call is counted: {:?}", self.called().await);
    }

    async fn gone(&self) {
        self.db.psql(&format!("DROP OWNED BY {0}; DROP ROLE {0}", self.role)).await;
    }
}

/// A table after a switchover, with all of [`PLANTED`] over it.
async fn planted(here: &Installation) -> Planter<'_> {
    let file = here.file("a.csv", file_of(&good(30)));
    here.report(0, &[&file, "--all"]);
    here.db.sterna(&["switchover", "--accept-failed-validation"]).expect_code(0);
    here.db.sterna(&["summary"]).expect_code(0);
    let planter = Planter::new(&here.db).await;
    let pair = "CREATE FUNCTION heard_pair(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
                $$ BEGIN RETURN 1; END $$;";
    planter.plant(&format!("{pair}{PLANTED}")).await;
    planter
}

#[tokio::test]
async fn a_validation_runs_nothing_that_is_planted() {
    let here = Installation::new().await;
    let planter = planted(&here).await;
    // The counts show calls.
    let seen = "SET search_path = public; SELECT count(*) FROM planted_constant";
    planter.db.psql(seen).await;
    planter.is_heard().await;
    planter.db.psql("SELECT pg_stat_reset()").await;

    // The planted objects only show as a difference of the catalog.
    let report = validated(&here, 4, &["--comprehensive"]);
    assert_eq!(failed(&report), ["catalog-parity"], "{report:#}");
    assert_eq!(planter.called().await, "");
    let detail = check(&report, "dependents-answer")["detail"].as_str().unwrap();
    for left_out in ["planted_array", "planted_row", "heard_definer"] {
        assert!(detail.contains(left_out), "{detail}");
    }
    for looked_at in ["planted_body", "planted_atomic", "heard_stable", "planted_sleep"] {
        assert!(!detail.contains(looked_at), "{detail}");
    }
    here.db.sterna(&["check", "pre"]);
    here.db.sterna(&["check", "post"]).expect_code(0);
    assert_eq!(planter.called().await, "");
    planter.gone().await;
}

#[tokio::test]
async fn an_ordinary_migrator_runs_nothing_either() {
    let here = Installation::new().await;
    let planter = planted(&here).await;
    let owner = format!("{}_owner", here.db.name());
    here.db
        .psql(&format!(
            "CREATE ROLE {owner} LOGIN; GRANT CREATE ON DATABASE {} TO {owner};
             GRANT CREATE ON SCHEMA public TO {owner};
             ALTER SCHEMA sterna OWNER TO {owner};
             DO $$ DECLARE what text; BEGIN
                 FOR what IN
                     SELECT format(
                         'ALTER %s %s OWNER TO {owner}',
                         CASE WHEN c.relkind = 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                         c.oid::regclass
                     )
                     FROM pg_class AS c
                     WHERE c.relnamespace IN ('sterna'::regnamespace, 'public'::regnamespace)
                         AND c.relkind IN ('r', 'S') AND c.relowner = 10
                         AND NOT EXISTS (
                             SELECT FROM pg_depend AS d
                             WHERE d.objid = c.oid AND d.deptype IN ('a', 'i') AND c.relkind = 'S'
                         )
                     UNION ALL
                     SELECT format('ALTER ROUTINE %s OWNER TO {owner}', p.oid::regprocedure)
                     FROM pg_proc AS p WHERE p.pronamespace = 'sterna'::regnamespace
                 LOOP EXECUTE what; END LOOP;
             END $$",
            here.db.name()
        ))
        .await;
    let mut command = here.db.command(&["validate", "--comprehensive", "--format", "json"]);
    let finished = Finished::from(command.env("PGUSER", &owner).output().unwrap());
    let report: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(check(&report, "dependents-answer")["passed"], true, "{report:#}");
    assert_eq!(planter.called().await, "");
    // Policies that would be evaluated for its owner make the read fail, and are not evaluated.
    here.db
        .psql(
            "ALTER TABLE cites_trade_records ENABLE ROW LEVEL SECURITY;
             ALTER TABLE cites_trade_records FORCE ROW LEVEL SECURITY;
             CREATE POLICY planted ON cites_trade_records USING (public.heard('policy'))",
        )
        .await;
    let file = here.path("a.csv");
    let file = file.to_str().unwrap();
    for args in [
        &["validate", "--comprehensive"][..],
        &["load", file, "--all"],
        &["bench", "--seconds", "0"],
        &["summary"],
        &["check", "pre", file],
        &["check", "post"],
    ] {
        let mut command = here.db.command(args);
        let done = Finished::from(command.env("PGUSER", &owner).output().unwrap());
        assert_ne!(done.code, Some(2), "{args:?}: {done:?}");
    }
    assert_eq!(planter.called().await, "");
    here.db.psql("DROP POLICY planted ON cites_trade_records").await;
    here.db
        .psql(&format!(
            "REASSIGN OWNED BY {owner} TO CURRENT_USER; DROP OWNED BY {owner}; DROP ROLE {owner}"
        ))
        .await;
    planter.gone().await;
}

#[tokio::test]
async fn dependents_are_asked_as_the_application_where_they_belong_to_trusted_roles() {
    let here = Installation::new().await;
    let planter = planted(&here).await;
    let app = format!("{}_app", here.db.name());
    here.db
        .psql(&format!(
            "CREATE ROLE {app} LOGIN IN ROLE anon;
             CREATE VIEW public.who AS
             SELECT 1 / (current_user <> '{app}')::int FROM cites_trade_records;
             GRANT SELECT ON public.who TO anon;
             CREATE VIEW public.hidden AS SELECT 1 / (year - year) FROM cites_trade_records;
             REVOKE ALL ON public.hidden FROM anon"
        ))
        .await;
    assert_eq!(failed(&validated(&here, 4, &["--comprehensive"])), ["catalog-parity"]);
    let asked = ["--comprehensive", "--ask-dependents", "--as-role", &app];
    let report = validated(&here, 4, &asked);
    assert_eq!(failed(&report), ["catalog-parity", "dependents-answer"], "{report:#}");
    // The application's query fails, and the other one is not run.
    let found = check(&report, "dependents-answer");
    assert_eq!((&found["rows"][0]["name"], &found["observed"]), (&"public.who".into(), &1.into()));
    assert_eq!(planter.called().await, "");
    // No role can run the queries.
    let args = ["validate", "--comprehensive", "--ask-dependents"];
    let refused = here.db.sterna(&args).expect_code(2);
    assert!(refused.stderr.contains("cannot log in"), "{refused:?}");
    here.db.psql(&format!("DROP OWNED BY {app}; DROP ROLE {app}")).await;
    planter.gone().await;
}

#[tokio::test]
async fn the_applications_queries_do_not_reach_the_migrator_by_resetting_the_role() {
    let here = Installation::new().await;
    let file = here.file("a.csv", file_of(&good(30)));
    here.report(0, &[&file, "--all"]);
    here.db.sterna(&["switchover", "--accept-failed-validation"]).expect_code(0);
    here.db.psql("DROP VIEW trade_routes").await;
    let planter = Planter::new(&here.db).await;
    let app = format!("{}_app", here.db.name());
    here.db.psql(&format!("CREATE ROLE {app} LOGIN IN ROLE anon")).await;
    // Replaces a view that the application queries, and says who it is.
    planter
        .plant(
            "CREATE FUNCTION heard() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RESET ROLE;
             RAISE EXCEPTION 'it is % of %', current_user, session_user; END $$;
             CREATE VIEW trade_routes AS SELECT heard() AS scientific_name, 'a' AS exporter,
             'b' AS importer, 1 AS records; GRANT SELECT ON trade_routes TO anon",
        )
        .await;
    here.db.sterna(&["check", "post"]).expect_code(0);
    assert_eq!(planter.called().await, "");
    let found = here.db.sterna(&["check", "post", "--as-role", &app]).expect_code(4);
    assert!(found.stdout.contains(&format!("it is {app} of {app}")), "{found:?}");
    here.db.psql(&format!("DROP OWNED BY {app}; DROP ROLE {app}")).await;
    planter.gone().await;
}

/// A table in a schema of its own, next to which a role plants a species table and a summary that
/// are views, and a table that appears to store the table's identity.
const BESIDE: &str = "
    CREATE FUNCTION heard(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN RETURN x; END $$;
    CREATE VIEW other.species AS
        SELECT gen_random_uuid() AS id, heard(1)::text AS scientific_name;
    CREATE VIEW other.species_trade_summary AS SELECT heard(2) AS species_id;
    CREATE TABLE other.kept (relation regclass);
    CREATE INDEX ON other.kept (heard(3));";

#[tokio::test]
async fn what_is_planted_beside_the_table_is_not_read() {
    let here = Installation::new().await;
    let planter = Planter::new(&here.db).await;
    here.db
        .psql(&format!(
            "CREATE SCHEMA other; GRANT USAGE, CREATE ON SCHEMA other TO {};
             CREATE TABLE other.ports (code text PRIMARY KEY, year int, species_id uuid);
             INSERT INTO other.ports SELECT 'P' || n, 2020 FROM generate_series(1, 9) AS n",
            planter.role
        ))
        .await;
    planter.plant(BESIDE).await;
    let mapping = "[[format]]\nname = \"ports\"\nyear = \"Year\"\n[format.columns]\n\
                   Code = \"code\"\nYear = \"year\"\n";
    let mapping = here.file("m.toml", mapping);
    let ports: String = (1..=9).map(|n| format!("P{n},2020\n")).collect();
    let file = here.file("p.csv", format!("Code,Year\n{ports}"));
    let on = ["--schema", "other", "--table", "ports"];
    let sterna = |args: &[&str]| here.db.sterna(&[&on[..], args].concat());
    sterna(&["load", &file, "--all", "--mapping", &mapping]).expect_code(0);
    sterna(&["validate"]).expect_code(0);
    sterna(&["bench", "--seconds", "0"]);
    sterna(&["check", "pre"]);
    sterna(&["summary"]);
    sterna(&["switchover"]).expect_code(0);
    sterna(&["validate", "--comprehensive"]);
    sterna(&["check", "post"]);
    sterna(&["species", "missing", &file]);
    // A mapping that looks up names there is refused.
    let lookup = "[[format]]\nname = \"ports\"\nlookup = { field = \"Code\", column = \
                  \"species_id\", table = \"species\", key = \"scientific_name\", value = \"id\" }\n\
                  [format.columns]\nCode = \"code\"\n";
    let lookup = here.file("l.toml", lookup);
    let refused = sterna(&["load", &file, "--all", "--mapping", &lookup]).expect_code(6);
    assert!(refused.stderr.contains(&format!("view of {}", planter.role)), "{refused:?}");
    assert_eq!(planter.called().await, "");
    planter.gone().await;
}

#[tokio::test]
async fn no_cast_of_another_role_is_gone_through() {
    let here = Installation::new().await;
    let planter = Planter::new(&here.db).await;
    planter
        .plant(
            "CREATE TYPE code AS ENUM ('a', 'b', 'c');
             CREATE FUNCTION heard_json(code) RETURNS json LANGUAGE plpgsql AS
             $$ BEGIN RETURN '1'; END $$;
             CREATE FUNCTION heard_text(code) RETURNS text LANGUAGE plpgsql AS
             $$ BEGIN RETURN '1'; END $$;
             CREATE CAST (code AS json) WITH FUNCTION heard_json(code);
             CREATE CAST (code AS text) WITH FUNCTION heard_text(code) AS IMPLICIT",
        )
        .await;
    here.db
        .psql(
            "CREATE TABLE ports (n int PRIMARY KEY, code public.code UNIQUE, year int);
             INSERT INTO ports VALUES (1, 'a', 2020), (2, 'b', 2020);
             SELECT pg_stat_reset()",
        )
        .await;
    let mapping = here.file(
        "m.toml",
        "[[format]]\nname = \"ports\"\nyear = \"Y\"\n[format.columns]\nN = \"n\"\nY = \"year\"\n",
    );
    let file = here.file("p.csv", "N,Y\n1,2020\n2,1900\n");
    let sterna = |args: &[&str]| here.db.sterna(&[&["--table", "ports"], args].concat());
    sterna(&["load", &file, "--all", "--mapping", &mapping]);
    let refused = sterna(&["validate"]).expect_code(6);
    assert!(refused.stderr.contains("heard_json"), "{refused:?}");
    assert_eq!(planter.called().await, "");
    here.db
        .psql(
            "DROP CAST (code AS json); DROP CAST (code AS text);
             DROP TABLE ports CASCADE; DROP TABLE IF EXISTS ports_staging CASCADE",
        )
        .await;
    planter.gone().await;
}
