//! The steps of the demo, and what they share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::{HumanBytes, HumanCount};
use tokio::runtime::Runtime;

use super::traffic::Traffic;
use super::{DemoArgs, DemoEnvironment, DemoProduction, Summary, plan};
use crate::cites::arctic::{SpeciesRow, species_rows};
use crate::cli::Progress;
use crate::cli::commands::generate::{GenerateArgs, Generated, generate};
use crate::cli::render::progress::Shown;
use crate::error::{Error, Kind, Result};
use crate::load::{LoadOptions, Loaded, OnInexact, load};
use crate::pg::embedded::{Embedded, ModelSchema, Options};
use crate::pg::{ConnInfo, Connection, Ident, Table, connect, interruptible};
use crate::runtime;
use crate::table::fingerprint::Fingerprint;
use crate::table::locks::Patience;
use crate::table::staging;
use crate::watch::Watch;
use crate::{ledger, private};

/// The demo's database.
const DATABASE: &str = "sterna_demo";
const EARLIER_RELEASE: &str = "earlier-release.zip";
pub(super) const NEW_RELEASE: &str = "new-release.zip";
/// What the durations of earlier runs were measured with.
const SEED: u64 = 0;

/// One step: it acts on the stage and says in a few words what came of it.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) run: fn(&mut Stage) -> Result<String>,
}

/// What follows once the server runs.
pub(super) const STEPS: [Step; 7] = [
    Step { name: "schema", title: "create production's schema and species", run: schema },
    Step { name: "files", title: "generate the earlier and the new release", run: files },
    Step { name: "earlier", title: "load the earlier release into staging", run: load_earlier },
    Step { name: "production", title: "move it into production", run: fill_production },
    Step {
        name: "plan",
        title: "run the plan on the new release, with an application at work",
        run: plan::run_plan,
    },
    Step { name: "rollback", title: "take the switchover back", run: plan::run_back },
    Step { name: "application", title: "ask the application", run: plan::end_traffic },
];

/// What the steps act on, and what they have measured so far.
pub(super) struct Stage {
    /// The application, while it is at work. First, so that it ends before the server.
    pub(super) traffic: Option<Traffic>,
    server: Embedded,
    runtime: Runtime,
    pub(super) watch: Arc<Watch>,
    pub(super) progress: Progress,
    rows: u64,
    pub(super) table: Table,
    /// Of the generated files and of rejects.
    pub(super) folder: PathBuf,
    /// Of backup and report, where nobody wants to keep them. Not in the server's folder,
    /// for its account could not remove what is saved for this one's eyes only.
    scratch: tempfile::TempDir,
    keep: bool,
    pub(super) summary: Summary,
    /// What the catalog said of the table before the plan.
    pub(super) before: Option<Fingerprint>,
}

impl Stage {
    /// Starts the server; says in a few words what it is.
    pub(super) fn start(
        args: &DemoArgs,
        progress: Progress,
        watch: &Arc<Watch>,
    ) -> Result<(Self, String)> {
        if let Some(folder) = &args.out {
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
        summary.files_kept = args.out.as_ref().map(|folder| folder.display().to_string());
        let stage = Stage {
            // The server's own folder is removed however this process ends.
            folder: args.out.clone().unwrap_or_else(|| server.folder().to_path_buf()),
            scratch: tempfile::TempDir::with_prefix("sterna-demo-")
                .map_err(|e| Error::file("a temporary folder", e))?,
            keep: args.out.is_some(),
            table: Table::new("public", "cites_trade_records")?,
            rows: args.rows,
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

    /// Stops the server, waits until its folder is gone, and hands over what was measured.
    pub(super) fn end(self) -> Result<Summary> {
        let folder = self.server.folder().to_path_buf();
        drop(self.server);
        if folder.exists() {
            return Err(Error::new(Kind::File, format!("{} is left over", folder.display())));
        }
        Ok(self.summary)
    }

    /// Where backup and report go.
    pub(super) fn results(&self) -> &Path {
        if self.keep { &self.folder } else { self.scratch.path() }
    }

    pub(super) fn info(&self) -> ConnInfo {
        self.server.conninfo(DATABASE)
    }

    /// Runs `work` in a session that is closed afterwards: one that is still open
    /// when the server goes would be reported as lost.
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

    fn load(&self, file: &str) -> Result<Loaded> {
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

    fn generate(&self, name: &str, earlier: bool) -> Result<Generated> {
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

fn schema(stage: &mut Stage) -> Result<String> {
    let rows = species_rows();
    let texts = |get: fn(&SpeciesRow) -> &'static str| rows.iter().map(get).collect::<Vec<_>>();
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let inserted = stage.with_session(async |session| {
        ModelSchema::Production.install(session).await?;
        let sql = include_str!("../../../../sql/demo/insert-species.sql");
        let inserted = session
            .execute(
                sql,
                &[
                    &ids,
                    &texts(|row| row.scientific_name),
                    &texts(|row| row.common_name),
                    &texts(|row| row.kingdom),
                    &texts(|row| row.phylum),
                    &texts(|row| row.class),
                    &texts(|row| row.order_name),
                    &texts(|row| row.family),
                    &texts(|row| row.genus),
                    &texts(|row| row.species_name),
                ],
            )
            .await?;
        Ok::<_, Error>(inserted)
    })?;
    stage.summary.production.species = inserted;
    Ok(format!("{inserted} species"))
}

fn files(stage: &mut Stage) -> Result<String> {
    // Side by side, for each of them keeps one core busy.
    let (earlier, new) = std::thread::scope(|scope| {
        let earlier = scope.spawn(|| stage.generate(EARLIER_RELEASE, true));
        let new = stage.generate(NEW_RELEASE, false);
        (earlier.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), new)
    });
    let (earlier, new) = (earlier?, new?);
    stage.summary.release = new;
    Ok(format!(
        "{} and {} records, {} and {} files, {}",
        HumanCount(earlier.rows),
        HumanCount(new.rows),
        earlier.files,
        new.files,
        HumanBytes(earlier.bytes + new.bytes)
    ))
}

fn load_earlier(stage: &mut Stage) -> Result<String> {
    let Loaded { report, failure } = stage.load(EARLIER_RELEASE)?;
    failure.map_or(Ok(()), Err)?;
    Ok(format!("{} rows", HumanCount(report.rows.account.rows_loaded)))
}

fn fill_production(stage: &mut Stage) -> Result<String> {
    let species = stage.summary.production.species;
    let production = stage.with_session(async |session| {
        let stop = &stage.watch.stop;
        let inexact = include_str!("../../../../sql/demo/count-inexact.sql");
        let inexact = interruptible(session, stop, session.query_one(inexact, &[])).await?;
        session.batch_execute(include_str!("../../../../sql/demo/trust-references.sql")).await?;
        let fill = include_str!("../../../../sql/demo/fill-production.sql");
        let rows = interruptible(session, stop, session.execute(fill, &[])).await?;
        let analyze = include_str!("../../../../sql/demo/analyze.sql");
        interruptible(session, stop, session.batch_execute(analyze)).await?;
        let pair = staging::pair(session, &stage.table).await?;
        ledger::lock(session, &pair.staging).await?;
        if let Some(relation) = staging::find(session, &pair).await? {
            staging::drop(session, &pair, relation.oid, Patience::default(), stop).await?;
        }
        let (rounded, without_quantity) = (inexact.get(0), inexact.get(1));
        Ok::<_, Error>(DemoProduction { species, rows, rounded, without_quantity })
    })?;
    stage.summary.production = production;
    Ok(format!(
        "{} rows, {} quantities rounded to two decimals, {} too large for the column",
        HumanCount(production.rows),
        HumanCount(production.rounded.unsigned_abs()),
        production.without_quantity
    ))
}
