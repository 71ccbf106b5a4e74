//! A server like that of a hosted project: TLS with an authority of its own, passwords, and
//! tables whose owner is no superuser.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use sterna::pg::embedded::ModelSchema;

use crate::cites::insert_species;
use crate::connect::server::{Server, Setup};
use crate::server::{Finished, STERNA, sterna, text_of};

const SUPERUSER: &str = "supabase_admin";
pub(super) const PASSWORD: &str = "tern-and-terek";
/// The records of the release.
pub(super) const ROWS: u64 = 2000;

/// Only the superuser gets in without a password, and nobody without TLS.
const HBA: &str = "\
local   all supabase_admin              trust
hostssl all all            127.0.0.1/32 scram-sha-256
";

const ROLES: &str = include_str!("../../fixtures/hosted.sql");
const ON_TABLES: &str = include_str!("../../fixtures/hosted-tables.sql");

/// Keeps a run independent of timing: the page is about steps, not about figures.
const SETTINGS: &str = "\
[migrate]
bench_seconds = 0
accept_regression = true
max_quantity_change = 1000
";

/// The server, and a folder to work in with a release, a home and the authority's certificate.
pub(super) struct Project {
    pub(super) server: Server,
    folder: tempfile::TempDir,
    /// The rows of production before the migration.
    pub(super) rows_before: String,
}

impl Project {
    pub(super) async fn new() -> Self {
        let settings = ["wal_level=logical", "password_encryption=scram-sha-256"];
        let setup = Setup { superuser: SUPERUSER, hba: HBA, tls: true, settings: &settings };
        let server = Server::with(&setup);
        let admin = server.ready().await;
        admin.batch_execute(&ROLES.replace("{password}", PASSWORD)).await.unwrap();
        let [platform, tables @ ..] = ModelSchema::Production.parts();
        admin.batch_execute(platform).await.unwrap();
        admin.batch_execute("ALTER PUBLICATION supabase_realtime OWNER TO postgres").await.unwrap();
        admin.batch_execute("SET ROLE postgres").await.unwrap();
        for part in tables {
            admin.batch_execute(part).await.unwrap();
        }
        admin.batch_execute(&insert_species()).await.unwrap();
        admin.batch_execute("RESET ROLE").await.unwrap();

        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        std::fs::create_dir(&home).unwrap();
        std::fs::copy(server.file("root.crt"), home.join("prod-ca-2021.crt")).unwrap();
        std::fs::write(folder.path().join("sterna.toml"), SETTINGS).unwrap();
        let mut project = Project { server, folder, rows_before: String::new() };
        project.prepare(&["generate", "--out", "download.zip", "--rows", &ROWS.to_string()]);
        project.fill().await;
        admin.batch_execute(ON_TABLES).await.unwrap();
        project.rows_before = project.rows().await;
        project
    }

    /// Runs `sterna` in the folder as the superuser.
    fn prepare(&self, args: &[&str]) {
        let mut command = sterna(args);
        command.env("PGHOST", self.server.file("")).env("PGPORT", self.server.port.to_string());
        command.env("PGUSER", SUPERUSER).env("PGDATABASE", "postgres");
        let done = command.current_dir(self.folder.path()).output().unwrap();
        Finished::from(done).expect_code(0);
    }

    /// Fills production with most of the release, and leaves no trace of how.
    async fn fill(&self) {
        let inexact = ["--on-inexact", "round", "--max-rejects", "100%"];
        self.prepare(&[&["load", "download.zip", "--all"], &inexact[..]].concat());
        self.psql(
            "INSERT INTO public.cites_trade_records
             SELECT * FROM public.cites_trade_records_staging
             WHERE record_id::bigint % 7 <> 0;
             DROP TABLE public.cites_trade_records_staging;
             DROP SCHEMA sterna CASCADE;
             ANALYZE public.cites_trade_records",
        )
        .await;
    }

    /// The user's password for that port, and the application's, in a file that others may
    /// still read.
    pub(super) fn password_file(&self, user: &str, port: u16) {
        let own = self.server.port;
        let lines = format!(
            "localhost:{port}:postgres:{user}:{PASSWORD}\nlocalhost:{own}:postgres:web:{PASSWORD}\n"
        );
        let path = self.folder.path().join("home/.pgpass");
        std::fs::write(&path, lines).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    }

    /// Runs a line in the folder, as somebody would type it. Only the port is added: a hosted
    /// server has the usual one.
    pub(super) fn shell(&self, port: u16, line: &str) -> Finished {
        let program = Path::new(STERNA).parent().unwrap().display();
        let path = std::env::var("PATH").unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(self.folder.path()).env_clear();
        shell.env("HOME", self.folder.path().join("home")).env("PGPORT", port.to_string());
        shell.env("PATH", format!("{program}:{path}"));
        Finished::from(shell.output().unwrap())
    }

    pub(super) async fn psql(&self, sql: &str) -> String {
        text_of(&self.server.ready().await, sql).await.unwrap()
    }

    /// The number of rows in production.
    pub(super) async fn rows(&self) -> String {
        self.psql("SELECT count(*) FROM public.cites_trade_records").await
    }

    /// What the platform has set up for the table: owner, rights, policies, publications.
    pub(super) async fn looks(&self) -> String {
        self.psql(
            "SELECT c.relowner::regrole, c.relrowsecurity,
                 (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(c.relacl) AS a),
                 (SELECT string_agg(p.polname, ' ' ORDER BY p.polname) FROM pg_policy AS p
                  WHERE p.polrelid = c.oid),
                 (SELECT string_agg(p.pubname, ' ' ORDER BY p.pubname) FROM pg_publication_tables AS p
                  WHERE p.tablename = c.relname)
             FROM pg_class AS c WHERE c.oid = 'public.cites_trade_records'::regclass
             UNION ALL
             SELECT NULL, NULL, NULL, evtname, evtowner::regrole::text
             FROM pg_event_trigger",
        )
        .await
    }
}
