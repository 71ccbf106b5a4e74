//! The report as one self-contained HTML page: no network, no scripts.

use askama::Template;
use serde_json::{Map, Value};

use super::chart::{self, Figure};
use super::show;
use crate::bench::{BenchReport, QueryPlan, QueryReport};
use crate::error::{Error, Kind, Result};
use crate::history::{Benchmark, Load, RunReport, RunVerdict, Validation};
use crate::load::account::Account;
use crate::validate::{Change, CheckReport, Severity};

/// Maximum number of species shown unfolded.
const SPECIES_SHOWN: usize = 12;
/// Maximum number of wrong rows shown per check.
const ROWS_SHOWN: usize = 10;
/// Maximum number of files shown.
const FILES_SHOWN: usize = 100;

/// The page of a report.
///
/// # Errors
/// None in practice; the libraries' signatures return a `Result`.
pub(super) fn render(report: &RunReport) -> Result<String> {
    let page = Page {
        report,
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
        let latency = chart::latency(at, &benchmark.report.queries)?;
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

    /// Failed checks of a validation with their indexes, errors first.
    fn failed<'v>(&self, validation: &'v Validation) -> Vec<(usize, &'v CheckReport)> {
        let checks = validation.report.checks.iter().enumerate();
        let mut failed: Vec<_> = checks.filter(|(_, check)| !check.passed).collect();
        failed.sort_by_key(|(_, check)| check.severity);
        failed
    }

    /// Number of entries whose row count changed.
    fn differing(&self, changes: &[Change]) -> usize {
        changes.iter().filter(|change| change.production != change.checked).count()
    }

    fn is_error(&self, check: &CheckReport) -> bool {
        check.severity == Severity::Error
    }

    /// The names of the columns of offending rows.
    fn columns<'r>(&self, rows: &'r [Map<String, Value>]) -> Vec<&'r str> {
        rows.first().into_iter().flat_map(|row| row.keys().map(String::as_str)).collect()
    }

    fn cell(&self, row: &Map<String, Value>, column: &str) -> String {
        row.get(column).map_or_else(String::new, show::plain)
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
