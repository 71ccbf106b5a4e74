//! The harness: one server per test run, one database per test.
//!
//! The server is never stopped from here: statics are not dropped, and a test run may be killed.
//! Its watchdog removes it when this process ends.

use std::env;
use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sterna::pg::embedded::{Embedded, ModelSchema, Options};
use sterna::pg::{ConnInfo, Connection, Ident, connect};
use tokio::sync::{Mutex, OnceCell};
use tokio_postgres::SimpleQueryMessage;

/// The binary under test.
pub(crate) const STERNA: &str = env!("CARGO_BIN_EXE_sterna");

static SERVER: OnceLock<Embedded> = OnceLock::new();
static NEXT_DATABASE: AtomicU32 = AtomicU32::new(1);
/// Two copies of one template at the same time can get in each other's way.
static CREATION: Mutex<()> = Mutex::const_new(());
static PRODUCTION: OnceCell<Ident> = OnceCell::const_new();
static REPORTED_QUANTITIES: OnceCell<Ident> = OnceCell::const_new();

/// The server that all tests of this run share.
pub(crate) fn shared() -> &'static Embedded {
    SERVER.get_or_init(|| Embedded::start(&Options::default()).unwrap())
}

/// The server's major version.
pub(crate) fn major() -> u32 {
    let version = std::fs::read_to_string(shared().data_folder().join("PG_VERSION")).unwrap();
    version.trim().parse().unwrap()
}

/// Whether the server has what came with a major version; if not, says loudly what is left out.
pub(crate) fn has(since: u32, what: &str) -> bool {
    let has = major() >= since;
    if !has {
        let text = format!("SKIPPED: PostgreSQL {} lacks {what}, from {since} on\n", major());
        // Bypasses the output capture of passing tests.
        std::io::stderr().write_all(text.as_bytes()).unwrap();
    }
    has
}

/// A statement that has the counts of sessions that have ended, and of its own, be seen by the next one.
/// Before 15, an idle session reports them once in half a second, and what is read is up to half a
/// second old.
pub(crate) fn flush_counts() -> &'static str {
    if major() >= 15 { "SELECT pg_stat_force_next_flush()" } else { "SELECT pg_sleep(1.5)" }
}

/// SQL for this server: `/*15 ... 15*/` is for PostgreSQL 15 and newer, and a comment for others.
pub(crate) fn for_server(sql: &str) -> String {
    static HAS: OnceLock<bool> = OnceLock::new();
    let has = || has(15, "what the fixtures have between /*15 and 15*/");
    match sql.contains("/*15 ") && *HAS.get_or_init(has) {
        true => sql.replace("/*15 ", "").replace(" 15*/", ""),
        false => sql.to_owned(),
    }
}

/// A database of one test, dropped at its end.
pub(crate) struct TestDb {
    name: Ident,
    info: ConnInfo,
}

impl TestDb {
    /// With the production schema and no rows.
    pub(crate) async fn new() -> Self {
        Self::with_schema(ModelSchema::Production).await
    }

    /// With the schema of one of the known installations and no rows.
    pub(crate) async fn with_schema(schema: ModelSchema) -> Self {
        let template = template(schema).await;
        Self::create(Some(template)).await
    }

    /// With nothing in it.
    pub(crate) async fn empty() -> Self {
        Self::create(None).await
    }

    async fn create(template: Option<&Ident>) -> Self {
        let number = NEXT_DATABASE.fetch_add(1, Ordering::Relaxed);
        let name = Ident::new(format!("test_{number}")).unwrap();
        let _one_at_a_time = CREATION.lock().await;
        shared().create_database(&name, template).await.unwrap();
        let info = shared().conninfo(name.name());
        TestDb { name, info }
    }

    pub(crate) fn name(&self) -> &str {
        self.name.name()
    }

    /// The connection parameters, for calls into the library.
    pub(crate) fn info(&self) -> &ConnInfo {
        &self.info
    }

    /// A session of the superuser.
    pub(crate) async fn connect(&self) -> Connection {
        connect(&self.info).await.unwrap()
    }

    /// Runs any SQL, for this version of the server, in a session of its own, like `psql -At`: one line per row, `|` between
    /// columns, NULL as nothing.
    pub(crate) async fn psql(&self, sql: &str) -> String {
        self.try_psql(sql).await.unwrap()
    }

    /// Like [`TestDb::psql`], for SQL that the server should refuse.
    pub(crate) async fn try_psql(&self, sql: &str) -> sterna::Result<String> {
        text_of(&self.connect().await, sql).await
    }

    /// A command of `sterna` with these arguments, on this database.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut command = sterna(args);
        command
            .env("PGHOST", shared().socket_folder())
            .env("PGPORT", shared().port().to_string())
            .env("PGUSER", shared().user())
            .env("PGDATABASE", self.name());
        command
    }

    /// Runs `sterna` with these arguments on this database to its end.
    pub(crate) fn sterna<A: AsRef<OsStr>>(&self, args: &[A]) -> Finished {
        Finished::from(self.command(args).output().unwrap())
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        // Best effort, to save disk space: the whole server is removed in the end. The test's own
        // runtime may be busy or gone, so another thread brings one.
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let info = self.info.with_database("postgres");
        let dropped = std::thread::spawn(move || {
            let runtime = new_runtime()?;
            runtime.block_on(async {
                let client = connect(&info).await?;
                client.batch_execute(&sql).await?;
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            })
        });
        if let Ok(Err(error)) = dropped.join() {
            eprintln!("{} stays: {error}", self.name);
        }
    }
}

/// A database that others are copied from, created on first use.
async fn template(schema: ModelSchema) -> &'static Ident {
    let (cell, name) = match schema {
        ModelSchema::Production => (&PRODUCTION, "template_production"),
        ModelSchema::ReportedQuantities => (&REPORTED_QUANTITIES, "template_reported_quantities"),
    };
    cell.get_or_init(|| async {
        let name = Ident::new(name).unwrap();
        let _one_at_a_time = CREATION.lock().await;
        shared().create_database(&name, None).await.unwrap();
        let mut client = connect(&shared().conninfo(name.name())).await.unwrap();
        schema.install(&client).await.unwrap();
        // A template with open sessions cannot be copied, and the session of a client that is
        // merely dropped may linger.
        wait_until_alone(&mut client).await;
        name
    })
    .await
}

/// Closes the session of `client` and waits until the server has noticed.
async fn wait_until_alone(client: &mut Connection) {
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let other = connect(&shared().conninfo("postgres")).await.unwrap();
    let end = "SELECT pg_terminate_backend($1, 10000)";
    assert!(other.query_one(end, &[&pid]).await.unwrap().get::<_, bool>(0));
}

/// A command of `sterna` with these arguments and no database to find.
pub(crate) fn sterna<A: AsRef<OsStr>>(args: &[A]) -> Command {
    let mut command = Command::new(STERNA);
    command.args(args).stdin(Stdio::null()).env_remove("DATABASE_URL");
    for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
        command.env_remove(name);
    }
    command
}

/// The result of a process.
#[derive(Debug)]
pub(crate) struct Finished {
    /// None if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Finished {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Finished {
    /// Fails the test, showing all output, if the exit code differs.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

/// A runtime for code outside the test's own.
pub(crate) fn new_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// How long a test waits for other processes, even on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for an effect of other processes.
#[track_caller]
pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "timed out waiting for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The result of SQL: one line per row, columns separated by |.
pub(crate) async fn text_of(session: &Connection, sql: &str) -> sterna::Result<String> {
    let messages = session.simple_query(&for_server(sql)).await?;
    let lines = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            let cells = (0..row.len()).map(|column| row.get(column).unwrap_or_default());
            Some(cells.collect::<Vec<_>>().join("|"))
        }
        _ => None,
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// The postmaster's process id, from the lock file in a data folder.
pub(crate) fn postmaster(data_folder: &Path) -> nix::unistd::Pid {
    let lock_file = std::fs::read_to_string(data_folder.join("postmaster.pid")).unwrap();
    nix::unistd::Pid::from_raw(lock_file.lines().next().unwrap().parse().unwrap())
}

/// Whether this process exists.
pub(crate) fn is_alive(process: nix::unistd::Pid) -> bool {
    nix::sys::signal::kill(process, None) != Err(nix::errno::Errno::ESRCH)
}
