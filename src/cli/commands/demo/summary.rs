//! The measurements of a demo, as JSON and as text.

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;
use serde_json::Value;

use super::traffic::{Noticed, TrafficReport};
use crate::cli::commands::generate::Generated;
use crate::cli::render::screen;
use crate::error::counted;
use crate::migrate::status::Status;

/// All measurements of a demo.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// The steps, in the order in which they ran.
    pub steps: Vec<StepDone>,
    /// Duration of the whole command, including the shutdown of the server.
    pub seconds: f64,
    /// The machine and server on which it ran.
    pub environment: DemoEnvironment,
    /// The contents of production before the load.
    pub production: DemoProduction,
    /// The generated new release.
    pub release: Generated,
    /// The steps of the plan, from the ledger.
    pub plan: Option<Status>,
    /// The report of the switchover.
    pub switchover: Option<Value>,
    /// The report of its rollback.
    pub rollback: Option<Value>,
    /// Number of catalog differences between before the plan and after the rollback.
    pub differences_after_rollback: Option<usize>,
    /// The application's measurements.
    pub traffic: Option<TrafficReport>,
    /// The folder of the generated files, if they were kept.
    pub files_kept: Option<String>,
}

/// A completed step.
#[derive(Clone, Debug, Serialize)]
pub struct StepDone {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub title: &'static str,
    /// How long it took.
    pub seconds: f64,
    /// Its result in a few words.
    pub detail: String,
}

/// The environment that the durations depend on.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DemoEnvironment {
    /// sterna's version.
    pub sterna: &'static str,
    /// Whether sterna was built with optimisation, as for a release.
    pub release_build: bool,
    /// The server's version, as reported by the server.
    pub postgres: String,
    /// Whether commits wait for the disk.
    pub fsync: bool,
    /// The size of the server's own cache.
    pub shared_buffers: String,
    /// Operating system and processor.
    pub platform: String,
    /// Cores that sterna may use.
    pub cores: usize,
}

/// The contents of production before the load.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct DemoProduction {
    /// Rows of `species`.
    pub species: u64,
    /// Rows of `cites_trade_records`.
    pub rows: u64,
    /// Rows whose quantity was rounded.
    pub rounded: i64,
    /// Rows whose quantity `numeric(10,2)` cannot hold, which are NULL.
    pub without_quantity: i64,
}

/// The summary as text.
pub(super) fn text(summary: &Summary) -> String {
    let mut text = steps(&summary.steps, summary.seconds);
    text.push('\n');
    let mut line = |label: &str, value: &str| text.push_str(&format!("{label:<12}{value}\n"));
    let of = &summary.production;
    let held =
        format!("{} species and {} trade records before the plan", of.species, HumanCount(of.rows));
    line("production", &held);
    let release = &summary.release;
    let written = format!(
        "{} in {}, {}",
        counted(release.rows, "record"),
        counted(release.files, "file"),
        HumanBytes(release.bytes)
    );
    line("release", &written);
    if let Some(plan) = &summary.plan {
        for step in &plan.steps {
            let seconds = step.seconds.map_or_else(String::new, |s| format!("{s:.2} s"));
            let rows =
                step.rows.map_or_else(String::new, |rows| counted(rows.unsigned_abs(), "row"));
            let (number, title) = (step.step.number(), step.title);
            let shown = format!(
                "{number}  {:<9} {seconds:>8} {rows:>15}  {title}",
                screen::result(step.state)
            );
            line(if number == "1.1" { "plan" } else { "" }, &shown);
        }
    }
    for (label, report) in [("switchover", &summary.switchover), ("rollback", &summary.rollback)] {
        if let Some(report) = report {
            line(label, &exchanged(report));
        }
    }
    if let Some(differences) = summary.differences_after_rollback {
        let differences = counted(differences as u64, "catalog difference");
        line("", &format!("{differences} from before the plan"));
    }
    if let Some(traffic) = &summary.traffic {
        for (label, noticed) in [("readers", &traffic.readers), ("writers", &traffic.writers)] {
            line(label, &self::noticed(noticed));
        }
    }
    let on = &summary.environment;
    let build = if on.release_build { "release build" } else { "debug build, which is slow" };
    let fsync = if on.fsync { "on" } else { "off" };
    let place = format!(
        "sterna {} ({build}), PostgreSQL {} (fsync {fsync}, shared_buffers {}), {}, {} cores",
        on.sterna, on.postgres, on.shared_buffers, on.platform, on.cores
    );
    line("environment", &place);
    match &summary.files_kept {
        Some(folder) => line("files", &format!("kept in {folder}")),
        None => line("files", "removed with the server"),
    }
    text
}

fn steps(steps: &[StepDone], seconds: f64) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["step", "seconds", "result"]);
    for step in steps {
        table.add_row([step.title, &format!("{:.2}", step.seconds), &step.detail]);
    }
    table.add_row(["total", &format!("{seconds:.2}"), ""]);
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt() + "\n"
}

/// A switchover or its rollback, from its report.
fn exchanged(report: &Value) -> String {
    let number = |name: &str| report[name].as_f64().unwrap_or_default();
    let list = |name: &str| report[name].as_array().map_or(0, Vec::len);
    format!(
        "locked for {:.0} ms at try {:.0}, {} carried over, {}, {} requested",
        number("locked_ms"),
        number("attempts"),
        counted(number("replayed_rows") as u64, "write"),
        counted(list("parity_differences") as u64, "catalog difference"),
        list("exceptions")
    )
}

/// The measurements of the readers or of the writers.
fn noticed(noticed: &Noticed) -> String {
    format!(
        "{}, {}, p50 {:.1} ms, p99 {:.1} ms; slowest {:.0} ms in the switchover, {:.0} ms in the rollback",
        counted(noticed.queries, "query"),
        counted(noticed.errors, "error"),
        noticed.p50_ms,
        noticed.p99_ms,
        noticed.slowest_in_switchover_ms,
        noticed.slowest_in_rollback_ms
    )
}
