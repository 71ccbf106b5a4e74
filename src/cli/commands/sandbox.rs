//! `sterna sandbox`: runs a command with its own embedded server.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};

use clap::{Args, ValueEnum};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::{Error, Kind, Result};
use crate::pg::embedded::{Embedded, ModelSchema, Options};
use crate::pg::{Ident, connect};
use crate::runtime;

/// The name of the command's database.
const DATABASE: &str = "sterna";

/// Run a command with a temporary embedded PostgreSQL server.
///
/// The command connects by PGHOST, PGPORT, PGUSER, PGDATABASE and DATABASE_URL;
/// sterna exits with its exit code.
#[derive(Args, Debug)]
pub struct SandboxArgs {
    /// Contents of the database: a schema without rows, or nothing
    #[arg(long, value_enum, default_value_t = Model::Production)]
    pub model: Model,

    /// Flush every commit to disk, like a production server
    #[arg(long)]
    pub durable: bool,

    /// The command and its arguments, after `--`
    #[arg(last = true, required = true, num_args = 1.., value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// The available schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Model {
    /// The schema of the production database.
    Production,
    /// The schema of installations with importer's and exporter's reported quantities.
    ReportedQuantities,
    /// An empty database.
    None,
}

impl Model {
    fn schema(self) -> Option<ModelSchema> {
        match self {
            Model::Production => Some(ModelSchema::Production),
            Model::ReportedQuantities => Some(ModelSchema::ReportedQuantities),
            Model::None => None,
        }
    }
}

/// Runs the command and returns its exit code, or 128 plus the number of the
/// signal that ended it.
///
/// # Errors
/// If the server or the command does not start.
pub fn run(args: &SandboxArgs) -> Result<u8> {
    let options = if args.durable { Options::durable() } else { Options::default() };
    let server = Embedded::start(&options)?;
    let runtime = runtime::driven()?;
    runtime.block_on(async {
        server.create_database(&Ident::new(DATABASE)?, None).await?;
        if let Some(model) = args.model.schema() {
            let client = connect(&server.conninfo(DATABASE)).await?;
            model.install(&client).await?;
        }
        let mut command = command(&args.command, &server)?;
        let status = supervise(&mut command).await?;
        Ok(exit_code(status))
    })
}

/// The user's command, with an environment that points to the server.
fn command(words: &[OsString], server: &Embedded) -> Result<Command> {
    let (program, rest) =
        words.split_first().ok_or_else(|| Error::usage("there is no command to run"))?;
    let mut command = Command::new(program);
    command.args(rest);
    // The caller's variables for other servers would override or conflict with ours.
    for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
        command.env_remove(name);
    }
    command
        .env("PATH", path_with(server.bin_folder())?)
        .env("PGHOST", server.socket_folder())
        .env("PGPORT", server.port().to_string())
        .env("PGUSER", server.user())
        .env("PGDATABASE", DATABASE)
        .env("DATABASE_URL", url(server.socket_folder(), server.port(), server.user(), DATABASE));
    Ok(command)
}

/// The search path with the server's own client programs as the last resort:
/// Debian and Homebrew may leave psql out of it.
fn path_with(bin_folder: &Path) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([bin_folder.to_path_buf()]);
    env::join_paths(folders).map_err(|e| Error::usage("PATH cannot be extended").caused_by(e))
}

/// A URL in the form that libpq, tokio-postgres and sqlx all read.
fn url(folder: &Path, port: u16, user: &str, database: &str) -> String {
    use std::fmt::Write as _;
    let mut host = String::new();
    for byte in folder.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                host.push(char::from(*byte));
            }
            // Writing to a string cannot fail.
            _ => _ = write!(host, "%{byte:02X}"),
        }
    }
    format!("postgresql://{user}@{host}:{port}/{database}")
}

/// Runs `command` to its end and forwards SIGINT and SIGTERM: it may need to clean
/// up, and the server must run until then. SIGHUP is not handled: a handler would
/// override `nohup`.
async fn supervise(command: &mut Command) -> Result<ExitStatus> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(runtime_failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(runtime_failed)?;

    let program = command.get_program().to_owned();
    let mut child = command.spawn().map_err(|e| not_started(&program, e))?;
    let pid = child_pid(&child)?;
    // Ctrl-C reaches all processes on the terminal. A second SIGINT could make the
    // command abort instead of stopping cleanly.
    let told_by_terminal = io::stdin().is_terminal();

    let mut end = tokio::task::spawn_blocking(move || child.wait());
    loop {
        let received = tokio::select! {
            ended = &mut end => {
                let ended = ended.map_err(|e| runtime_failed(e.into()))?;
                return ended.map_err(|e| Error::file(program, e).context("waiting for the command"));
            }
            _ = interrupt.recv() => Signal::SIGINT,
            _ = terminate.recv() => Signal::SIGTERM,
        };
        if received == Signal::SIGINT && told_by_terminal {
            continue;
        }
        // It may have just ended, which the next iteration notices.
        if let Err(error) = kill(pid, received) {
            tracing::debug!(%error, signal = %received, "the signal was not forwarded");
        }
    }
}

fn child_pid(child: &Child) -> Result<Pid> {
    i32::try_from(child.id())
        .map(Pid::from_raw)
        .map_err(|e| Error::database("the command's process id is out of range").caused_by(e))
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|number| 128 + number));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

fn not_started(program: &std::ffi::OsStr, error: io::Error) -> Error {
    let program = program.display();
    match error.kind() {
        io::ErrorKind::NotFound => Error::usage(format!("there is no command {program}"))
            .hint("give a program in PATH or a path: sterna sandbox -- psql"),
        _ => Error::usage(format!("{program} does not start")).caused_by(error),
    }
}

fn runtime_failed(error: io::Error) -> Error {
    Error::new(Kind::File, "the sandbox could not be set up").caused_by(error)
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::Host;

    use super::*;

    #[test]
    fn the_url_leads_to_the_socket_whatever_its_path() {
        let folder = Path::new("/tmp/a b/ü%2F?&#@:c");
        let config: tokio_postgres::Config = url(folder, 5433, "postgres", "db").parse().unwrap();
        assert_eq!(config.get_hosts(), [Host::Unix(folder.into())]);
        assert_eq!(config.get_ports(), [5433]);
        assert_eq!((config.get_user(), config.get_dbname()), (Some("postgres"), Some("db")));
    }

    #[test]
    fn a_signal_is_told_as_shells_tell_it() {
        assert_eq!(exit_code(ExitStatus::from_raw(7 << 8)), 7);
        assert_eq!(exit_code(ExitStatus::from_raw(Signal::SIGINT as i32)), 130);
    }
}
