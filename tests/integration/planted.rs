//! Code that other roles planted in the database for a migrator with more rights: none of it runs
//! with the migrator's rights.

mod code;
mod late;
mod ledger;
mod publication;

use crate::cites::{Installation, file_of, good};
use crate::server::Finished;

/// A database with a role that may create objects in it, and a function that shows with whose
/// rights it ran.
struct Planted {
    here: Installation,
    /// The role that plants code, and owns it.
    mallory: String,
    /// An ordinary migrator: owns the trade table, and may create objects in the database.
    migrator: String,
    release: String,
}

impl Planted {
    async fn new() -> Self {
        let here = Installation::new().await;
        let [mallory, migrator] =
            ["mallory", "migrator"].map(|who| format!("{who}_{}", here.db.name()));
        let database = here.db.name();
        here.db
            .psql(&format!(
                "CREATE ROLE {mallory} LOGIN;
                 CREATE ROLE {migrator} LOGIN BYPASSRLS;
                 GRANT CREATE ON DATABASE {database} TO {mallory}, {migrator};
                 GRANT CREATE ON SCHEMA public TO {mallory}, {migrator};
                 GRANT ALL ON ALL TABLES IN SCHEMA public TO {migrator};
                 SET SESSION AUTHORIZATION {mallory};
                 CREATE SCHEMA spy;
                 GRANT USAGE ON SCHEMA spy TO PUBLIC;
                 CREATE SEQUENCE spy.ran;
                 GRANT USAGE ON SEQUENCE spy.ran TO PUBLIC;
                 -- A sequence remembers what a rollback does not undo.
                 CREATE FUNCTION spy.look() RETURNS boolean LANGUAGE plpgsql AS $$
                     BEGIN
                         IF current_user <> '{mallory}' THEN PERFORM nextval('spy.ran'); END IF;
                         RETURN true;
                     END $$;
                 CREATE FUNCTION spy.trigger() RETURNS trigger LANGUAGE plpgsql AS $$
                     BEGIN PERFORM spy.look(); RETURN NEW; END $$;
                 CREATE FUNCTION spy.event() RETURNS event_trigger LANGUAGE plpgsql AS $$
                     BEGIN PERFORM spy.look(); END $$;
                 CREATE FUNCTION spy.good(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
                     BEGIN RETURN spy.look(); END $$;
                 CREATE FUNCTION spy.same(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
                     BEGIN PERFORM spy.look(); RETURN $1; END $$;"
            ))
            .await;
        let release = here.file("in.csv", file_of(&good(5)));
        Planted { here, mallory, migrator, release }
    }

    /// Runs `sql` as the superuser, with `{mallory}` and `{migrator}` filled in.
    async fn psql(&self, sql: &str) -> String {
        let sql = sql.replace("{mallory}", &self.mallory).replace("{migrator}", &self.migrator);
        self.here.db.psql(&sql).await
    }

    /// `sterna` as the superuser, or as another role.
    fn sterna(&self, role: Option<&str>, args: &[&str]) -> Finished {
        let mut command = self.here.db.command(args);
        if let Some(role) = role {
            command.env("PGUSER", role);
        }
        Finished::from(command.current_dir(self.here.folder.path()).output().unwrap())
    }

    /// Planted code has not run with rights other than those of the role that planted it.
    async fn assert_idle(&self, what: &str) {
        assert_eq!(self.psql("SELECT is_called FROM spy.ran").await, "f", "{what} ran");
    }

    async fn end(self) {
        let Planted { here, mallory, migrator, .. } = self;
        here.db
            .psql(&format!(
                "DROP OWNED BY {mallory}, {migrator} CASCADE; DROP ROLE {mallory}, {migrator}"
            ))
            .await;
    }
}

/// Proves that the check itself can fail.
#[tokio::test]
async fn what_runs_is_seen() {
    let planted = Planted::new().await;
    planted.psql("SET SESSION AUTHORIZATION {mallory}; SELECT spy.look()").await;
    planted.assert_idle("mallory's own call").await;
    planted.psql("SELECT spy.good('')").await;
    assert_eq!(planted.psql("SELECT is_called FROM spy.ran").await, "t");
    planted.end().await;
}
