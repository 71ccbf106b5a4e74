//! The plan as one run, on generated files.

mod backup_table;
mod commands;
mod every_statement;
mod gates;
mod keep;
mod kills;
mod obstacles;
mod own_run;
pub(crate) mod partitioned;
mod prune;
mod refused;
mod rich;
mod rollback;
mod run;
mod shown;

use serde_json::Value;
use sterna::table::fingerprint::{Difference, Fingerprint};

use crate::cites::{Installation, generated};
use crate::server::Finished;
use crate::switchover::exchange::{fingerprint, names, rich_installation};

/// Options that keep a run short and independent of timing.
const QUICK: [&str; 6] = ["--skip", "2.3", "--batch-size", "200", "--max-quantity-change", "1000"];

/// Production with an earlier release, and the new one in a file.
pub(crate) struct Scenario {
    pub(crate) here: Installation,
    release: String,
    before: Fingerprint,
    names: String,
    rows: String,
}

impl Scenario {
    pub(crate) async fn new() -> Self {
        let here = Installation::new().await;
        let release = release();
        // The earlier release lacks every fourth record.
        let kept = (0..).zip(release.lines()).filter(|(at, _)| *at == 0 || at % 4 != 0);
        let earlier: Vec<_> = kept.map(|(_, line)| line).collect();
        let earlier = here.file("earlier.csv", earlier.join("\n") + "\n");
        here.report(0, &[&earlier, "--all"]);
        here.db
            .psql(
                "INSERT INTO public.cites_trade_records
                 SELECT * FROM public.cites_trade_records_staging;
                 ANALYZE public.cites_trade_records",
            )
            .await;
        here.db.sterna(&["stage", "drop"]).expect_code(0);
        let release = here.file("release.csv", release);
        Scenario::of(here, release).await
    }

    /// The table with all features, and a release that contains its records again.
    pub(crate) async fn rich() -> Self {
        Scenario::rich_with(str::to_owned).await
    }

    /// The same, with a release whose lines are `changed`.
    pub(crate) async fn rich_with(changed: fn(&str) -> String) -> Self {
        let (here, release) = rich_installation().await;
        let text = std::fs::read_to_string(&release).unwrap();
        std::fs::write(&release, changed(&text)).unwrap();
        // No release contains records older than CITES.
        here.db.psql("DELETE FROM public.cites_trade_records WHERE year < 1975").await;
        Scenario::of(here, release).await
    }

    async fn of(here: Installation, release: String) -> Self {
        let (before, names) = (fingerprint(&here.db).await, names(&here.db).await);
        let rows = here.db.psql(ROWS).await;
        Scenario { here, release, before, names, rows }
    }

    /// The file of the new release.
    pub(crate) fn release(&self) -> &str {
        &self.release
    }

    /// `sterna` in the folder.
    pub(crate) fn sterna(&self, args: &[&str]) -> Finished {
        let mut command = self.here.db.command(args);
        Finished::from(command.current_dir(self.here.folder.path()).output().unwrap())
    }

    /// The arguments of `sterna migrate` for the release.
    pub(crate) fn migration<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let args = ["migrate", &self.release, "--progress", "never", "--format", "json"];
        args.into_iter().chain(QUICK).chain(more.iter().copied()).collect()
    }

    pub(crate) fn migrate(&self, more: &[&str]) -> Finished {
        self.sterna(&self.migration(more))
    }

    /// The state of the run, from `sterna status`.
    pub(crate) fn status(&self) -> Value {
        let shown = self.sterna(&["status", "--format", "json"]).expect_code(0);
        serde_json::from_str(&shown.stdout).unwrap()
    }

    /// The differences in the catalog since before the run.
    pub(crate) async fn differences(&self) -> Vec<Difference> {
        self.before.differences(&fingerprint(&self.here.db).await)
    }

    /// The new release is live, and nothing else has changed except what is kept for the
    /// rollback.
    pub(crate) async fn assert_migrated(&self) {
        assert_eq!(self.differences().await, []);
        let count = "SELECT count(*), count(*) FILTER (WHERE record_id IS NULL)
            FROM public.cites_trade_records";
        assert_eq!(self.here.db.psql(count).await, "2000|0");
        let summary = "SELECT sum(total_trade_records) FROM public.species_trade_summary";
        assert_eq!(self.here.db.psql(summary).await, "2000");
    }

    /// Everything is as it was before the run.
    pub(crate) async fn assert_as_before(&self) {
        assert_eq!(self.differences().await, []);
        assert_eq!(names(&self.here.db).await, self.names);
        assert_eq!(self.here.db.psql(ROWS).await, self.rows);
        let left = "SELECT count(*) FROM sterna.journaled";
        assert_eq!(self.here.db.psql(left).await, "0");
    }
}

/// A generated release with quantities that the column holds exactly.
fn release() -> String {
    let exact = |(at, line): (usize, &str)| {
        let mut fields: Vec<&str> = line.split(',').collect();
        let quantity = (at % 50 + 1).to_string();
        if at > 0 {
            fields[9] = &quantity;
        }
        fields.join(",") + "\n"
    };
    generated(2000, 5).lines().enumerate().map(exact).collect()
}

/// Everything in the rows that a migration could change.
pub(crate) const ROWS: &str = "SELECT
    (SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM public.cites_trade_records AS t),
    (SELECT md5(string_agg(s::text, '|' ORDER BY s.id)) FROM public.species AS s),
    (SELECT md5(string_agg(s::text, '|' ORDER BY s.species_id)) FROM public.species_trade_summary AS s)";

/// The state of a step.
#[track_caller]
fn state<'a>(status: &'a Value, step: &str) -> &'a str {
    let steps = status["steps"].as_array().unwrap();
    steps.iter().find(|s| s["step"] == step).unwrap()["state"].as_str().unwrap()
}
