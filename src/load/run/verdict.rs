//! The verdict on a load: rejects against the limit, verification of staging if requested,
//! the row count always, and the rejects of earlier loads that have come back fixed.

use std::time::Instant;

use futures::future::try_join_all;
use uuid::Uuid;

use crate::error::{Error, Kind, Result, grouped};
use crate::load::account::Reason;
use crate::load::ledger::{self, LoadRun, LoadState};
use crate::load::plan::options::LoadOptions;
use crate::load::report::RowsReport;
use crate::load::run::{Done, Load};
use crate::load::settle::verify::Proof;
use crate::pg::{Connection, Table, fill};
use crate::watch::Phase;

impl Load<'_> {
    /// Compares the rejects with the limit and, if requested, staging with the rows that were
    /// read.
    pub(super) fn judge(&self, control: &mut Connection, done: &mut Done) -> Result<()> {
        let failed = done.state == LoadState::Failed;
        let account = done.rows.account;
        if self.options.max_rejects.exceeded(account.rows_rejected, account.rows_read) {
            done.failure = Some(too_many(self.options, &done.rows));
            done.state = LoadState::Rejected;
        } else if done.state == LoadState::Rejected {
            // Resumed with a higher limit.
            done.state = LoadState::Built;
        }
        if !self.options.verify {
            if failed {
                done.failure = Some(failed_before(&self.pair.staging));
                done.state = LoadState::Failed;
            }
            return Ok(());
        }
        self.watch.enter(Phase::Verifying, 0);
        let begun = Instant::now();
        let (columns, staging_oid) = (&self.prepared.hashed_columns(), self.attached.staging_oid);
        let runs: &Vec<_> = &self.attached.runs.iter().map(|run| run.id).collect();
        let (info, pair, connections) = (self.info, &self.pair, self.options.server_connections());
        let proof = Proof { info, pair, staging_oid, columns, runs, connections };
        match self.runtime.block_on(proof.find()) {
            Ok(proved) => {
                self.with_control(control, async |session| {
                    ledger::prove(session, runs, &proved).await
                })?;
                done.verified = Some(true);
                if done.state == LoadState::Failed {
                    // The earlier differences are gone.
                    done.state = LoadState::Built;
                }
            }
            Err(error) if error.kind() == Kind::Validation => {
                done.verified = Some(false);
                done.failure = Some(error);
                done.state = LoadState::Failed;
            }
            Err(error) => return Err(error),
        }
        done.verify_seconds += begun.elapsed().as_secs_f64();
        Ok(())
    }

    /// Ends a load whose indexes are built: it is `loaded` if staging has as many rows as were
    /// written and no reject has come back twice, otherwise `failed`.
    pub(super) fn conclude(&self, control: &mut Connection, done: &mut Done) -> Result<()> {
        done.state = LoadState::Loaded;
        let wrong = match self.miscounted(control, &done.rows)? {
            Some(error) => Some(error),
            None => self.came_back_twice(&done.rows),
        };
        if let Some(error) = wrong {
            done.verified = done.verified.map(|_| false);
            done.failure = Some(error);
            done.state = LoadState::Failed;
        }
        Ok(())
    }

    /// Returns an error if staging has more or fewer rows than its loads have written.
    fn miscounted(&self, control: &mut Connection, rows: &RowsReport) -> Result<Option<Error>> {
        let staging = &self.pair.staging;
        let sql = fill(include_str!("../../../sql/load/count-rows.sql"), &[("staging", staging)]);
        let (gone, found) = self.with_control(control, async |session| {
            let gone = self.attached.runs.iter();
            let gone = try_join_all(gone.map(|run| ledger::rows_cascaded(session, run.id)));
            let (gone, found) = futures::join!(gone, session.query_one(&sql, &[]));
            let found: i64 = found?.get(0);
            Ok((gone?.iter().sum::<u64>(), found.cast_unsigned()))
        })?;
        let written: u64 = self.reports(rows).map(|(_, rows)| rows.account.rows_loaded).sum();
        let wanted = written.saturating_sub(gone);
        let what = format!("{staging} has {found} rows, but its loads have written {wanted}");
        Ok((found != wanted).then(|| {
            Error::new(Kind::Validation, what).hint(
                "find out what else writes to it; then `sterna stage truncate` and load again",
            )
        }))
    }

    /// Returns an error if a reject of an earlier load has come back more than once.
    fn came_back_twice(&self, rows: &RowsReport) -> Option<Error> {
        let (run, report) = self.reports(rows).find(|(run, report)| {
            let (back, key) = self.back(run.id, rows);
            let rejected = report.account.rows_rejected;
            back > rejected || back == rejected && format!("{key:016x}") != report.rejects_key
        })?;
        let (id, rejected) = (run.id, report.account.rows_rejected);
        let what = format!(
            "more than the {rejected} rejects of load {id} have come back, or some of them twice"
        );
        Some(Error::new(Kind::Validation, what).hint(
            "empty staging with `sterna stage truncate`, load again, and append each reject once",
        ))
    }

    /// Marks earlier loads as `loaded` once all their rejects have come back, in any number of
    /// appends. Returns an error if rejects of such a load are still missing.
    pub(super) fn settle_mended(
        &self,
        control: &mut Connection,
        rows: &RowsReport,
    ) -> Result<Option<Error>> {
        let mut missing = None;
        for (run, report) in self.reports(rows).filter(|(run, _)| run.state == LoadState::Rejected)
        {
            let (back, rejected) = (self.back(run.id, rows).0, report.account.rows_rejected);
            if run.id == self.attached.run.id {
                continue;
            }
            if back == rejected {
                self.with_control(control, async |session| {
                    ledger::settle(session, run.id, LoadState::Loaded, None).await
                })?;
                continue;
            }
            let what = format!(
                "the rows are in, but load {} stays rejected: {back} of its {rejected} rejects \
                 have come back",
                run.id
            );
            let file = report.rejects_file.as_deref().unwrap_or("its file of rejects");
            missing.get_or_insert(Error::new(Kind::TooManyRejects, what).hint(format!(
                "append the missing records of {file}, fixed and with their sterna_ columns; or \
                 start over after `sterna stage truncate`"
            )));
        }
        Ok(missing)
    }

    /// The loads in staging and their reports; `rows` is the report of this one.
    fn reports<'r>(
        &'r self,
        rows: &'r RowsReport,
    ) -> impl Iterator<Item = (&'r LoadRun, &'r RowsReport)> {
        let own = self.attached.run.id;
        self.attached.runs.iter().filter_map(move |run| {
            let report = if run.id == own { Some(rows) } else { run.report.as_ref() };
            Some((run, report?))
        })
    }

    /// The number of rejects of a load that have come back, over all loads, and the sum of
    /// their keys.
    fn back(&self, of: Uuid, rows: &RowsReport) -> (u64, u64) {
        let mends = self.reports(rows).flat_map(|(_, report)| &report.mends);
        mends.filter(|mended| mended.run_id == of).fold((0, 0), |(rows, sum), mended| {
            let key = u64::from_str_radix(&mended.key, 16).unwrap_or(0);
            (rows + mended.rows, sum.wrapping_add(key))
        })
    }
}

fn failed_before(staging: &Table) -> Error {
    let what = format!("{staging} failed verification before, and was not verified again");
    Error::new(Kind::Validation, what)
        .hint("add --verify, or empty it with `sterna stage truncate` and load again")
}

fn too_many(options: &LoadOptions, rows: &RowsReport) -> Error {
    let limit = options.max_rejects;
    let [rejected, read] = [rows.account.rows_rejected, rows.account.rows_read].map(grouped);
    Error::new(
        Kind::TooManyRejects,
        format!("{rejected} of {read} records were rejected; --max-rejects allows {limit}"),
    )
    .hint(what_to_do(rows) + other_policy(rows))
}

/// The hint for too many rejects; it depends on whether all of them are in the files.
fn what_to_do(rows: &RowsReport) -> String {
    let (rejected, written) = (rows.account.rows_rejected, rows.rejects_written);
    let files = match rows.rejects_files.as_slice() {
        [] => "the rejects file".to_owned(),
        files => files.join(" and "),
    };
    if written < rejected {
        return format!(
            "{files} has {written} of them, which show what is wrong: fix the input, then \
             `sterna stage truncate` and load again; or accept that many with --max-rejects"
        );
    }
    format!(
        "fix {files} and load it with --append, or accept that many with --max-rejects and --resume"
    )
}

/// A further hint if a policy could accept values that would otherwise be fixed by hand.
fn other_policy(rows: &RowsReport) -> &'static str {
    let inexact = [Reason::NumericScale, Reason::NumericPrecision];
    if inexact.iter().any(|reason| rows.reject_reasons.contains_key(reason.name())) {
        "; or load again with --on-inexact: `sterna inspect` shows what round and widen accept"
    } else {
        ""
    }
}
