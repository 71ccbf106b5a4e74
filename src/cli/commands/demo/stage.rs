//! State shared by the steps of the demo: the server, the files and the measurements.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::summary::{DemoEnvironment, Summary};
use super::traffic::Traffic;
use crate::cli::Progress;
use crate::cli::commands::generate::{GenerateArgs, Generated, generate};
use crate::cli::render::progress::Shown;
use crate::error::{Error, Kind, Result};
use crate::load::{LoadOptions, Loaded, OnInexact, load};
use crate::pg::embedded::{Embedded, Options};
use crate::pg::{ConnInfo, Connection, Ident, Table, connect};
use crate::private;
use crate::runtime;
use crate::table::fingerprint::Fingerprint;
use crate::watch::Watch;

/// The demo's database.
const DATABASE: &str = "sterna_demo";
pub(super) const EARLIER_RELEASE: &str = "earlier-release.zip";
pub(super) const NEW_RELEASE: &str = "new-release.zip";
/// The same in every run, so that durations are comparable.
const SEED: u64 = 0;

/// The objects that the steps work on, and their measurements so far.
pub(super) struct Stage {
    /// The application, while it runs. The first field, so that it is dropped before the server.
    pub(super) traffic: Option<Traffic>,
    server: Embedded,
    runtime: Runtime,
    pub(super) watch: Arc<Watch>,
    pub(super) progress: Progress,
    rows: u64,
    pub(super) table: Table,
    /// Folder of the generated files and of rejects.
    pub(super) folder: PathBuf,
    /// Folder of backup and report, without `--out`. Not inside the server's folder, because
    /// the server's account could not remove files that are private to this account.
    scratch: tempfile::TempDir,
    keep: bool,
    pub(super) summary: Summary,
    /// The table's catalog entries before the plan.
    pub(super) before: Option<Fingerprint>,
}

impl Stage {
    /// Starts the server; also returns a short description of it. Files are kept in `out`.
    pub(super) fn start(
        rows: u64,
        out: Option<&PathBuf>,
        progress: Progress,
        watch: &Arc<Watch>,
    ) -> Result<(Self, String)> {
        if let Some(folder) = out {
            private::folder(folder)?;
            for name in [EARLIER_RELEASE, NEW_RELEASE] {
                if folder.join(name).exists() {
                    let what = format!("{} exists already", folder.join(name).display());
                    return Err(Error::usage(what).hint("choose another folder for --out"));
                }
            }
        }
        let runtime = runtime::driven()?;
        let server = Embedded::start(&Options::default())?;
        let environment = runtime.block_on(async {
            server.create_database(&Ident::new(DATABASE)?, None).await?;
            environment(&server.conninfo(DATABASE)).await
        })?;
        let detail = format!("PostgreSQL {} on a private socket", environment.postgres);
        let mut summary = Summary { environment, ..Summary::default() };
        summary.files_kept = out.map(|folder| folder.display().to_string());
        let stage = Stage {
            // The server's own folder is removed no matter how this process ends.
            folder: out.cloned().unwrap_or_else(|| server.folder().to_path_buf()),
            scratch: tempfile::TempDir::with_prefix("sterna-demo-")
                .map_err(|e| Error::file("a temporary folder", e))?,
            keep: out.is_some(),
            table: Table::new("public", "cites_trade_records")?,
            rows,
            watch: Arc::clone(watch),
            server,
            runtime,
            progress,
            summary,
            before: None,
            traffic: None,
        };
        Ok((stage, detail))
    }

    /// Stops the server, waits until its folder is gone, and returns the measurements.
    pub(super) fn end(self) -> Result<Summary> {
        let folder = self.server.folder().to_path_buf();
        drop(self.server);
        if folder.exists() {
            return Err(Error::new(Kind::File, format!("{} is left over", folder.display())));
        }
        Ok(self.summary)
    }

    /// The folder of backup and report.
    pub(super) fn results(&self) -> &Path {
        if self.keep { &self.folder } else { self.scratch.path() }
    }

    pub(super) fn info(&self) -> ConnInfo {
        self.server.conninfo(DATABASE)
    }

    /// Runs `work` in a session that is closed afterwards: a session that is still open
    /// when the server stops would be reported as lost.
    pub(super) fn with_session<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T>,
    ) -> Result<T> {
        self.runtime.block_on(async {
            let mut session = connect(&self.info()).await?;
            let done = work(&mut session).await;
            let closed = session.close().await;
            done.and_then(|done| closed.map(|()| done))
        })
    }

    pub(super) fn load(&self, file: &str) -> Result<Loaded> {
        let input = self.folder.join(file).display().to_string();
        let options = LoadOptions {
            on_inexact: OnInexact::Widen,
            rejects: Some(self.folder.join("rejects.csv")),
            ..LoadOptions::new(self.table.clone(), vec![input])
        };
        let shown = Shown::start(self.progress, &self.watch);
        let outcome = load(&self.info(), &options, &self.watch);
        shown.finish();
        outcome
    }

    pub(super) fn generate(&self, name: &str, earlier: bool) -> Result<Generated> {
        generate(&GenerateArgs {
            rows: self.rows,
            seed: SEED,
            world: false,
            earlier,
            comptab: None,
            older_columns: false,
            out: self.folder.join(name),
            force: false,
        })
    }
}

async fn environment(info: &ConnInfo) -> Result<DemoEnvironment> {
    let session = connect(info).await?;
    let row = session.query_one(include_str!("../../../../sql/demo/server.sql"), &[]).await?;
    session.close().await?;
    Ok(DemoEnvironment {
        sterna: env!("CARGO_PKG_VERSION"),
        release_build: !cfg!(debug_assertions),
        postgres: row.get(0),
        fsync: row.get(1),
        shared_buffers: row.get(2),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
    })
}
