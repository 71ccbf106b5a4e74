//! The findings of `sterna check` as text: failed checks first.

use super::screen::{self, counted, laid_out, table};
use crate::command_line;
use crate::preflight::{Finding, PreflightCheck, PreflightSeverity};

/// A line per check, hints for the failed ones, and the verdict.
#[must_use]
pub fn text(report: &PreflightCheck) -> String {
    let mut table = table(["check", "result", ""], 0..0);
    let order = [PreflightSeverity::Error, PreflightSeverity::Warning, PreflightSeverity::Info];
    let failed: Vec<&Finding> = order.into_iter().flat_map(|s| report.failed(s)).collect();
    let passed = report.checks.iter().filter(|check| check.passed);
    for check in failed.iter().copied().chain(passed) {
        table.add_row([check.name.as_str(), &result(check), &check.detail]);
    }
    let mut text = laid_out(table) + "\n\n";
    for check in &failed {
        if let Some(hint) = &check.hint {
            let hint = command_line::in_hint(hint, std::env::args().skip(1));
            text.push_str(&format!("{}: {hint}\n", check.name));
        }
    }
    let [errors, warnings] = [PreflightSeverity::Error, PreflightSeverity::Warning]
        .map(|severity| report.failed(severity).count() as u64);
    let verdict = screen::result(if report.passed { "passed" } else { "FAILED" });
    text.push_str(&format!(
        "{verdict}: {}, {}, {}, {}, {:.2} s\n",
        report.table,
        counted(report.checks.len() as u64, "check"),
        counted(errors, "error"),
        counted(warnings, "warning"),
        report.seconds
    ));
    text
}

fn result(check: &Finding) -> String {
    screen::result(match (check.passed, check.severity) {
        (true, _) => "ok",
        (false, PreflightSeverity::Error) => "ERROR",
        (false, PreflightSeverity::Warning) => "warning",
        (false, PreflightSeverity::Info) => "note",
    })
}
