//! The stages of a rehearsal, in order; each is a check.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::runtime::Runtime;
use uuid::Uuid;

use super::copy::{Content, Place, content, fill};
use super::options::{Listener, RehearsalOptions};
use super::production::Production;
use super::report::{Check, RehearsalReport};
use super::scratch::Scratch;
use super::space::{Growth, megabytes, refuse_too_small};
use crate::backup::{self, BackupOptions, Choice, Extent, Manifest};
use crate::error::{Error, Kind, Result, grouped};
use crate::migrate::rollback::{RollbackOptions, roll_back};
use crate::migrate::{Migration, MigrationOptions, Step};
use crate::pg::embedded::Options;
use crate::pg::{ConnInfo, Connection, Embedded, connect};
use crate::private;
use crate::runtime;
use crate::table::fingerprint::{Difference, Fingerprint};
use crate::watch::Watch;

/// The superuser of the copy's server. Production's own roles, often including postgres, must
/// not become superusers by their name.
const SUPERUSER: &str = "sterna_rehearsal";
/// The number of differences that are named.
const NAMED: usize = 5;

/// A rehearsal in progress.
pub(super) struct Rehearsing<'a> {
    options: &'a RehearsalOptions,
    watch: &'a Arc<Watch>,
    info: &'a ConnInfo,
    production: Production,
    runtime: Runtime,
    /// Holds temporary files, and the report until it is complete.
    pub(super) scratch: Scratch,
    listener: &'a mut dyn Listener,
    pub(super) report: RehearsalReport,
}

/// The table on the copy, before the plan and after its rollback.
struct Looked {
    fingerprint: Fingerprint,
    content: Vec<Content>,
}

impl<'a> Rehearsing<'a> {
    /// Reads production and prepares the report.
    pub(super) fn begin(
        options: &'a RehearsalOptions,
        info: &'a ConnInfo,
        watch: &'a Arc<Watch>,
        listener: &'a mut dyn Listener,
    ) -> Result<Self> {
        let table = options.migration.table();
        // A driver thread follows the copy's size while the plan blocks this one.
        let runtime = runtime::driven()?;
        let production = runtime.block_on(async {
            let mut session = connect(info).await?;
            let production = Production::look(&mut session, table).await?;
            session.close().await?;
            Ok::<_, Error>(production)
        })?;
        let report = RehearsalReport {
            rehearsal_id: Uuid::new_v4(),
            passed: false,
            failure: None,
            table: table.to_string(),
            production: info.display(),
            server_version: production.server_version.clone(),
            fingerprint: production.fingerprint.digest(),
            place: None,
            backup: None,
            unrestored: Vec::new(),
            checks: Vec::new(),
            plan: None,
            switchover: None,
            rollback: Vec::new(),
            space: None,
            recorded: false,
            folder: None,
            seconds: 0.0,
        };
        let scratch = Scratch::new()?;
        Ok(Rehearsing { options, watch, info, production, runtime, scratch, listener, report })
    }

    /// Runs `work` in a new session on production.
    pub(super) fn production_session<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T>,
    ) -> Result<T> {
        self.runtime.block_on(async {
            let mut session = connect(self.info).await?;
            let done = work(&mut session).await?;
            session.close().await?;
            Ok(done)
        })
    }

    /// Runs all stages. The copy's server is stopped afterwards.
    pub(super) fn all(&mut self) -> Result<()> {
        let (folder, manifest) = self.check("backup", "have a backup of production", |this| {
            let (folder, manifest) = this.backup()?;
            let rows: u64 = manifest.tables.iter().map(|table| table.rows).sum();
            let detail = format!(
                "{} rows of {} tables, taken at {}",
                grouped(rows),
                manifest.tables.len(),
                manifest.taken_at
            );
            this.report.backup = Some(manifest.clone());
            Ok(((folder, manifest), detail))
        })?;
        let mut server = None;
        let place = self.check("restore", "restore it", |this| {
            let place = this.place(&mut server)?;
            this.report.place = Some(place.name.clone());
            let work = fill(&place, &folder, &manifest, &this.production, &this.watch.stop);
            let unrestored = this.runtime.block_on(work)?;
            let mut detail = format!("into {}", place.name);
            if let Some(first) = unrestored.first() {
                let count = unrestored.len();
                detail.push_str(&format!("; without {count} that take a superuser: {first}"));
            }
            this.report.unrestored = unrestored;
            Ok((place, detail))
        })?;
        let before = self.check("same", "compare the copy with production", |this| {
            let before = this.look(&place, &manifest)?;
            let found = this.production.compare(&before.fingerprint);
            nothing_differs(&found.differences, "the copy differs from production")
                .map_err(|error| error.hint(this.fix_copy()))?;
            let entries = before.fingerprint.entries().len();
            let mut detail = format!("{entries} catalog entries are equal");
            for unsaved in &found.unsaved {
                detail
                    .push_str(&format!("; pg_dump does not save {} {}", unsaved.kind, unsaved.key));
            }
            Ok((before, detail))
        })?;
        let growth = self.runtime.block_on(Growth::follow(&place.info))?;
        self.check("plan", "run the plan", |this| Ok(((), this.plan(&place)?)))?;
        self.check("rollback", "roll it back", |this| Ok(((), this.roll_back(&place)?)))?;
        self.check("as before", "compare with before", |this| {
            let after = this.look(&place, &manifest)?;
            let differences = before.fingerprint.differences(&after.fingerprint);
            nothing_differs(&differences, "the rollback left a difference")?;
            let mut pairs = before.content.iter().zip(&after.content);
            if let Some((was, _)) = pairs.find(|(was, is)| was != is) {
                let what = format!("the rollback changed the rows of {}", was.table);
                return Err(Error::new(Kind::Validation, what));
            }
            Ok(((), format!("catalog and rows of {} tables are as before", before.content.len())))
        })?;
        self.check("space", "compare the space with what is free", |this| {
            let free = this.free_bytes();
            let space = this.runtime.block_on(growth.end(free))?;
            this.report.space = Some(space);
            space.judge()?;
            let free = match free {
                Some(free) => format!("{} are free", megabytes(free)),
                None => "the free space is not known (--free-space, --disk-limit)".to_owned(),
            };
            Ok(((), format!("{} are needed, {free}", megabytes(space.needed_bytes))))
        })
    }

    /// The free bytes on production, as given or seen, and within the disk limit.
    fn free_bytes(&self) -> Option<u64> {
        let on_disks = self.options.free_bytes.or(self.production.free_bytes);
        let limit = self.options.migration.disk_limit;
        let within = limit.map(|limit| limit.saturating_sub(self.production.database_bytes));
        [on_disks, within].into_iter().flatten().min()
    }

    /// Runs a stage and records whether it passed.
    fn check<T>(
        &mut self,
        name: &'static str,
        title: &str,
        work: impl FnOnce(&mut Self) -> Result<(T, String)>,
    ) -> Result<T> {
        let is_stopped = |this: &Self| this.watch.stop.load(Ordering::Relaxed);
        if is_stopped(self) {
            return Err(interrupted(self.options));
        }
        self.listener.begins(title);
        let begun = Instant::now();
        let done = work(self);
        let seconds = begun.elapsed().as_secs_f64();
        // Any failure after a stop request is due to the stop.
        if done.is_err() && is_stopped(self) {
            return Err(interrupted(self.options));
        }
        let detail = match &done {
            Ok((_, detail)) => detail.clone(),
            Err(error) => error.to_string(),
        };
        let check = Check { name, passed: done.is_ok(), detail, seconds };
        self.listener.ended(&check);
        self.report.checks.push(check);
        done.map(|(value, _)| value)
    }

    /// The folder of the given backup, or of a new one.
    fn backup(&self) -> Result<(PathBuf, Manifest)> {
        let stop = &self.watch.stop;
        if let Some(folder) = &self.options.backup {
            backup::verify(folder, stop)?;
            let manifest = Manifest::read(folder)?;
            if manifest.full || manifest.definitions {
                return Ok((folder.clone(), manifest));
            }
            let what = format!("the backup {} holds only some tables", folder.display());
            return Err(Error::usage(what).hint(
                "a rehearsal also needs what depends on the table: use `sterna backup --full`, or \
                 omit --backup",
            ));
        }
        let out = self.scratch.path().join("backup");
        let (table, choice) = (self.options.migration.table().clone(), Choice::PgDump);
        let options = BackupOptions { table, out, extent: Extent::Rehearsal, choice };
        let taken = self.runtime.block_on(backup::take(self.info, &options, stop))?;
        Ok((options.out, taken.manifest))
    }

    /// The database to restore into. An embedded server for it is stored in `server`.
    fn place(&self, server: &mut Option<Embedded>) -> Result<Place> {
        if let Some(into) = &self.options.into {
            return self.runtime.block_on(Place::given(into.clone(), &self.production));
        }
        // Durations should be those of a server that waits for its disk.
        let mut options = Options::durable().sandboxed();
        options.superuser = SUPERUSER.to_owned();
        options.major = Some(self.production.major);
        let started = Embedded::start(&options).map_err(|error| match error.kind() {
            Kind::Usage => {
                let hint = error.next_step().unwrap_or_default().to_owned();
                error.hint(format!("{hint}; or rehearse with --into URL on such a server"))
            }
            _ => error,
        })?;
        let server = server.insert(started);
        let Production { bytes, whole_bytes, .. } = self.production;
        refuse_too_small(&server.data_folder(), bytes, whole_bytes)?;
        self.runtime.block_on(Place::embedded(server, &self.production))
    }

    /// What to do about a copy that differs from production.
    fn fix_copy(&self) -> &'static str {
        match &self.options.backup {
            Some(_) => "production has changed since the backup; omit --backup to take a new one",
            None => "try again while nobody changes the schema",
        }
    }

    fn look(&self, place: &Place, manifest: &Manifest) -> Result<Looked> {
        self.runtime.block_on(async {
            Ok(Looked {
                fingerprint: place.fingerprint(self.options.migration.table()).await?,
                content: content(place, manifest, &self.watch.stop).await?,
            })
        })
    }

    fn plan(&mut self, place: &Place) -> Result<String> {
        let folder = files(&self.scratch);
        private::own_folder(&folder)?;
        let mut options = MigrationOptions {
            backup: Some(self.scratch.path().join("backup-of-copy")),
            report: Some(folder.clone()),
            // It is production's.
            disk_limit: None,
            ..self.options.migration.clone()
        };
        options.load.rejects = Some(folder.join("rejects.csv"));
        let begun = Instant::now();
        let migrated = Migration::new(options)
            .and_then(|plan| plan.run(&place.info, self.watch, self.listener.steps()))
            .map_err(|error| error.context("the plan cannot begin"))?;
        self.report.plan = Some(migrated.status.clone());
        // The copy is discarded: there is nothing to resume or to roll back.
        migrated.failure.map_or(Ok(()), Err).map_err(|error| {
            error.hint("production was not touched; fix what it names, and rehearse again")
        })?;
        let shown = migrated.status;
        let switched = shown.steps.iter().find(|step| step.step == Step::Switchover);
        self.report.switchover = switched.map(|step| step.detail.clone());
        let seconds = begun.elapsed().as_secs_f64();
        let locked = self.report.locked_ms().unwrap_or_default();
        let deviations = match shown.deviations.len() {
            0 => String::new(),
            1 => ", with a deviation".to_owned(),
            count => format!(", with {count} deviations"),
        };
        Ok(format!("{seconds:.1} s, readers locked out for {locked:.0} ms{deviations}"))
    }

    fn roll_back(&mut self, place: &Place) -> Result<String> {
        let options = RollbackOptions {
            step: Some(Step::Backup),
            max_wait: self.options.migration.max_wait,
            ..RollbackOptions::new(self.options.migration.table().clone())
        };
        let done = roll_back(&place.info, &options, |_| Ok(true), self.watch).map_err(|error| {
            error.hint("production was not touched; a migration could not be rolled back there")
        })?;
        let locked = done.switchover.get("locked_ms").and_then(serde_json::Value::as_f64);
        self.report.rollback = done.undone;
        let steps = self.report.rollback.len();
        Ok(format!("{steps} steps, readers locked out for {:.0} ms", locked.unwrap_or_default()))
    }
}

/// Refuses any differences, naming the first ones.
fn nothing_differs(differences: &[Difference], what: &str) -> Result<()> {
    if differences.is_empty() {
        return Ok(());
    }
    let named = differences.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>();
    let more = match differences.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Err(Error::refused(format!("{what}: {}{more}", named.join("; "))))
}

/// Where the plan writes its report and its rejects.
pub(super) fn files(scratch: &Scratch) -> PathBuf {
    scratch.path().join("report")
}

pub(super) fn interrupted(options: &RehearsalOptions) -> Error {
    let what = "the rehearsal was interrupted";
    match options.into {
        None => Error::new(Kind::Interrupted, format!("{what}; its server is gone"))
            .hint("run the same command to start it again"),
        Some(_) => Error::new(Kind::Interrupted, what)
            .hint("drop and create the database of --into, then run the same command again"),
    }
}
