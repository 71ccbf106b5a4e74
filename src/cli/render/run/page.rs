//! The report as one self-contained HTML page: no network, no scripts.

use std::path::Path;

use askama::Template;
use serde_json::{Map, Value};

use super::chart::{self, Figure};
use super::finding::{self, Finding, Lines};
use super::{previous, show};
use crate::bench::{BenchReport, Latency, QueryPlan, QueryReport};
use crate::error::{Error, Kind, Result};
use crate::history::{Attempt, Benchmark, Load, RunReport, RunVerdict, Switchover, Validation};
use crate::load::WRITER;
use crate::load::account::Account;
use crate::validate::{Change, CheckReport, Severity, Total};

/// Maximum number of species shown unfolded.
const SPECIES_SHOWN: usize = 12;
/// Maximum number of units shown unfolded.
const UNITS_SHOWN: usize = 8;
/// Maximum number of files shown.
const FILES_SHOWN: usize = 100;

/// The page of a report that is written to a folder.
///
/// # Errors
/// None in practice; the libraries' signatures return a `Result`.
pub(super) fn render(report: &RunReport, folder: &Path) -> Result<String> {
    let page = Page {
        report,
        previous: report.previous.as_ref().and_then(|run| previous::link(folder, run)),
        timeline: chart::timeline(&report.attempts)?,
        loads: loads(report)?,
        years: match report.comparison() {
            Some(compared) => chart::years(&compared.report.by_year)?,
            None => None,
        },
        benchmarks: benchmarks(report)?,
    };
    page.render().map_err(|e| Error::new(Kind::File, "no page").caused_by(e))
}

#[derive(Template)]
#[template(path = "page.html", config = "src/cli/render/run/askama.toml")]
struct Page<'a> {
    report: &'a RunReport,
    /// The page of the previous run, relative to this one.
    previous: Option<String>,
    timeline: Option<Figure>,
    loads: Vec<LoadPart<'a>>,
    years: Option<Figure>,
    benchmarks: Vec<BenchmarkPart<'a>>,
}

/// A load with its charts.
struct LoadPart<'a> {
    /// Its index in the JSON.
    at: usize,
    /// Whether its rows are, or were meant to be, those of the new table.
    is_main: bool,
    load: &'a Load,
    flow: Option<Figure>,
    throughput: Option<Figure>,
}

/// Where the values of a column come from.
struct ColumnUse {
    name: String,
    sql_type: String,
    /// The field of the files; empty if there is none.
    field: String,
    treatment: String,
}

/// How a column gets its values, and the formats whose files lack it.
fn treatment(column: &Value) -> String {
    let lacking: Vec<String> =
        column["lacked_by"].as_array().into_iter().flatten().map(show::plain).collect();
    let treatment = show::plain(&column["treatment"]);
    match lacking.is_empty() {
        true => treatment,
        false => format!("{treatment}; files of format {} lack it", lacking.join(", ")),
    }
}

/// What became of the records, if the same of all of them.
fn only_outcome(account: &Account) -> Option<&'static str> {
    let outcomes = [
        (account.rows_loaded, "loaded"),
        (account.rows_filtered, "filtered: they are of other years"),
        (account.rows_unmapped, "unmapped: they have no species"),
        (account.rows_rejected, "rejected"),
    ];
    let found = outcomes.into_iter().find(|(records, _)| *records == account.rows_read);
    found.filter(|_| account.rows_read > 0).map(|(_, outcome)| outcome)
}

/// A benchmark with its charts.
struct BenchmarkPart<'a> {
    at: usize,
    benchmark: &'a Benchmark,
    latency: Option<Figure>,
    ratio: Option<Figure>,
}

/// The latest first.
fn loads(report: &RunReport) -> Result<Vec<LoadPart<'_>>> {
    let main = report.main_load().or(report.loads.last()).map(|load| load.run_id);
    let parts = report.loads.iter().enumerate().rev().map(|(at, load)| {
        let is_main = Some(load.run_id) == main;
        let rows = load.rows.as_ref().filter(|rows| only_outcome(&rows.account).is_none());
        let flow = rows.map(|rows| chart::flow(at, &rows.account));
        let throughput = load.throughput.as_ref().map(|of| chart::throughput(at, of));
        let (flow, throughput) = (flow.transpose()?.flatten(), throughput.transpose()?.flatten());
        Ok(LoadPart { at, is_main, load, flow, throughput })
    });
    parts.collect()
}

fn benchmarks(report: &RunReport) -> Result<Vec<BenchmarkPart<'_>>> {
    let parts = report.benchmarks.iter().enumerate().rev().map(|(at, benchmark)| {
        let is_main = report.main_benchmark().is_some_and(|(main, _)| main == at);
        let locked = report.switchovers.last().and_then(|made| made.locked_ms);
        let locked = locked.filter(|_| is_main);
        let latency = chart::latency(at, &benchmark.report.queries, locked)?;
        let ratio = chart::ratio(at, &benchmark.report)?;
        Ok(BenchmarkPart { at, benchmark, latency, ratio })
    });
    parts.collect()
}

impl Page<'_> {
    /// The verdict as a sign, a word, and the class that colours it.
    fn verdict(&self) -> (&'static str, &'static str, &'static str) {
        match self.report.outcome.verdict {
            RunVerdict::Finished => ("✓", "Finished", "good"),
            RunVerdict::Failed => ("×", "Failed", "bad"),
            RunVerdict::Stopped => ("‖", "Stopped", "warn"),
            RunVerdict::RolledBack => ("↶", "Rolled back", "warn"),
            RunVerdict::Running => ("…", "Not ended", "warn"),
            RunVerdict::Commands => ("·", "Single commands", "plain"),
        }
    }

    /// Seconds from the start of the first step to the end of the last one.
    fn seconds(&self) -> Option<f64> {
        self.report.attempts.iter().map(|a| a.began_seconds + a.seconds).reduce(f64::max)
    }

    /// Validations with their index in the JSON, failed ones first, then the latest first, and
    /// whether each is shown unfolded: failed ones and the latest.
    fn validations(&self) -> Vec<(usize, &Validation, bool)> {
        let latest = self.report.validations.len().saturating_sub(1);
        let all = self.report.validations.iter().enumerate().rev();
        let mut all: Vec<_> =
            all.map(|(at, found)| (at, found, !found.report.passed || at == latest)).collect();
        all.sort_by_key(|(_, found, _)| found.report.passed);
        all
    }

    /// `2 errors, 1 warning`.
    fn findings(&self, validation: &Validation) -> String {
        let count = |severity, one, many| match validation.report.count(severity) {
            0 => format!("no {many}"),
            1 => format!("1 {one}"),
            number => format!("{number} {many}"),
        };
        let errors = count(Severity::Error, "error", "errors");
        format!("{errors}, {}", count(Severity::Warning, "warning", "warnings"))
    }

    /// The time of a load, its years and its outcome.
    fn load_title(&self, load: &Load) -> String {
        let years = load.arguments["years"].as_array().into_iter().flatten();
        let years: Vec<_> = years.map(show::plain).collect();
        let what = if years.is_empty() { "all years".into() } else { years.join(", ") };
        let state = match load.state.as_str() {
            "loaded" => "loaded",
            "discarded" => "removed from staging since",
            "rejected" => "too many rejects",
            "failed" => "the proof failed",
            _ => "not ended",
        };
        format!("{}: {what}, {state}", show::moment(&load.started_at))
    }

    /// Number of species shown unfolded: the changed ones, up to [`SPECIES_SHOWN`].
    fn shown(&self, by_species: &[Change]) -> usize {
        self.differing(by_species).min(SPECIES_SHOWN)
    }

    /// Number of entries whose row count changed.
    fn differing(&self, changes: &[Change]) -> usize {
        changes.iter().filter(|change| change.production != change.checked).count()
    }

    /// Failed checks of a validation, those that are alike as one.
    fn findings_of<'v>(&self, validation: &'v Validation) -> Vec<Finding<'v>> {
        finding::of(&validation.report)
    }

    /// Names of checks that were made and passed.
    fn passed<'v>(&self, validation: &'v Validation) -> Vec<&'v str> {
        let checks = validation.report.checks.iter();
        checks.filter(|c| c.passed && c.skipped.is_none()).map(|c| c.name.as_str()).collect()
    }

    /// Names of checks that were not made.
    fn skipped<'v>(&self, validation: &'v Validation) -> Vec<&'v str> {
        let checks = validation.report.checks.iter();
        checks.filter(|c| c.skipped.is_some()).map(|c| c.name.as_str()).collect()
    }

    fn fault(&self, check: &CheckReport) -> Option<String> {
        finding::fault(check)
    }

    fn lines(&self, check: &CheckReport) -> Option<Lines> {
        finding::lines(check)
    }

    /// The state of an attempt, in a word.
    fn state(&self, attempt: &Attempt) -> &'static str {
        if attempt.killed { "killed" } else { attempt.state.name() }
    }

    /// Errors of attempts that the first screen does not show.
    fn overcome(&self) -> Vec<&Attempt> {
        let shown = self.report.run.iter().flat_map(|run| run.steps.iter());
        let shown: Vec<&String> = shown.filter_map(|step| step.error.as_ref()).collect();
        let attempts = self.report.attempts.iter();
        let is_other = |error: &String| !shown.contains(&error);
        attempts.filter(|attempt| attempt.error.as_ref().is_some_and(is_other)).collect()
    }

    /// Attempts that never ended.
    fn killed(&self) -> Vec<&Attempt> {
        self.report.attempts.iter().filter(|attempt| attempt.killed).collect()
    }

    /// How long a query of the application takes on production: the least and the greatest
    /// median, and the greatest p99.
    fn application(&self) -> Option<(f64, f64, f64)> {
        let (_, benchmark) = self.report.main_benchmark()?;
        let sides = benchmark.report.queries.iter().filter_map(|query| query.production.as_ref());
        let of = |ms: fn(&Latency) -> f64, best: fn(f64, f64) -> f64| {
            sides.clone().filter(|side| side.count > 0).map(ms).reduce(best)
        };
        Some((
            of(|s| s.p50_ms, f64::min)?,
            of(|s| s.p50_ms, f64::max)?,
            of(|s| s.p99_ms, f64::max)?,
        ))
    }

    /// Whether a switchover is the last one, which the benchmark is compared with.
    fn is_last(&self, made: &Switchover) -> bool {
        self.report.switchovers.last().is_some_and(|last| last.switchover_id == made.switchover_id)
    }

    /// The index of a validation in the JSON.
    fn index(&self, of: &Validation) -> usize {
        let all = &self.report.validations;
        all.iter().position(|one| std::ptr::eq(one, of)).unwrap_or_default()
    }

    /// A unit, with its column if there are several.
    fn unit(&self, all: &[Total], of: &Total) -> String {
        let unit = if of.unit.is_empty() { "without a unit" } else { of.unit.as_str() };
        match all.iter().any(|other| other.column != of.column) {
            true => format!("{unit}, {}", of.column),
            false => unit.to_owned(),
        }
    }

    fn name<'c>(&self, change: &'c Change) -> &'c str {
        let name = change.species.as_deref().or(change.species_id.as_deref());
        name.unwrap_or("without a species")
    }

    /// The lines of a plan, as one text.
    fn shape(&self, plan: Option<&QueryPlan>) -> String {
        plan.map_or_else(|| "none: it took too long".to_owned(), |plan| plan.shape.join("\n"))
    }

    fn changed_plans<'q>(&self, queries: &'q [QueryReport]) -> Vec<&'q QueryReport> {
        queries.iter().filter(|query| query.plan_changed).collect()
    }

    /// Whether a benchmark found queries slower: a class, a sign and words, which claim no more
    /// than was measured.
    fn slowness(&self, bench: &BenchReport) -> (&'static str, &'static str, String) {
        let open = bench.queries.iter().filter(|query| self.is_open(query));
        match (bench.passed, open.count()) {
            (false, _) => ("bad", "×", "Slower than allowed".to_owned()),
            (true, 0) => ("good", "✓", "Not slower than allowed".to_owned()),
            (true, 1) => ("warn", "?", "Not known of 1 query, the others not slower".to_owned()),
            (true, open) => {
                ("warn", "?", format!("Not known of {open} queries, the others not slower"))
            }
        }
    }

    /// Whether it is not known if a query has become slower: its interval crosses the limit.
    fn is_open(&self, query: &QueryReport) -> bool {
        query.ratio.is_some() && !query.certain && !query.regressed
    }

    fn settings(&self) -> Vec<(&str, String)> {
        let settings = self.report.environment.settings.as_object().into_iter().flatten();
        settings.map(|(name, value)| (name.as_str(), show::plain(value))).collect()
    }

    fn inputs<'l>(&self, load: &'l Load) -> Vec<&'l str> {
        let inputs = load.arguments["inputs"].as_array().into_iter().flatten();
        inputs.filter_map(Value::as_str).collect()
    }

    fn only_outcome(&self, account: &Account) -> Option<&'static str> {
        only_outcome(account)
    }

    /// Whether the fields of the files are on record; with several formats they are not.
    fn has_fields(&self, columns: &[ColumnUse]) -> bool {
        columns.iter().any(|column| !column.field.is_empty())
    }

    /// Where the values of each column come from.
    fn column_uses(&self, load: &Load) -> Vec<ColumnUse> {
        let format = &load.arguments["looks_up"];
        let field = |column: &Value| {
            let fields = format["columns"].as_object().into_iter().flatten();
            let field = fields.filter(|(_, to)| *to == column).map(|(field, _)| field.clone());
            let lookup = &format["lookup"];
            let key = || (lookup["column"] == *column).then(|| show::plain(&lookup["field"]));
            field.into_iter().next().or_else(key).unwrap_or_default()
        };
        let columns = load.arguments["columns"]["columns"].as_array().into_iter().flatten();
        let of = |column: &Value| ColumnUse {
            name: show::plain(&column["column"]),
            sql_type: show::plain(&column["sql_type"]),
            field: field(&column["column"]),
            treatment: treatment(column),
        };
        columns.map(of).collect()
    }

    /// The arguments of a load, without those that are empty or off, or shown elsewhere.
    fn arguments(&self, arguments: &Value) -> String {
        let given = arguments.as_object().into_iter().flatten().filter(|(name, value)| {
            !(["columns", "looks_up", "inputs"].contains(&name.as_str())
                || value.is_null()
                || **value == false
                || value.as_array().is_some_and(Vec::is_empty)
                || value.as_object().is_some_and(Map::is_empty))
        });
        given
            .map(|(name, value)| format!("{name} {}", show::plain(value)))
            .collect::<Vec<_>>()
            .join(" · ")
    }
}
