//! The result of an inspection as text.

use comfy_table::ColumnConstraint;
use indicatif::{HumanBytes, HumanCount};

use super::screen::{self, laid_out, table};
use super::text::{left_out, listed};
use crate::error::counted;
use crate::inspect::{InspectReport, MisfitReport, UnmappedReport};
use crate::load::OnInexact;
use crate::load::account::Account;

/// The years of a decade.
const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
/// Maximum number of taxa listed per category.
const TAXA_LISTED: usize = 10;
/// Maximum number of unlisted codes listed.
const CODES_LISTED: usize = 20;

/// The whole report; the verdict comes last, where it stays visible on a terminal. With
/// `all_files`, every file is listed.
#[must_use]
pub fn text(report: &InspectReport, all_files: bool) -> String {
    let mut parts = vec![files(report, all_files)];
    if !report.years.is_empty() {
        parts.push(years(report));
    }
    parts.push(taxa(report));
    if !report.misfits.is_empty() {
        parts.push(misfits(&report.misfits));
    }
    if !report.unlisted_codes.is_empty() {
        parts.push(codes(report));
    }
    parts.push(policies(report));
    let left_out = left_out(&report.left_out);
    if !left_out.is_empty() {
        let lines = left_out.iter().map(|line| format!("{:<11}{line}", "left out"));
        parts.push(lines.collect::<Vec<_>>().join("\n"));
    }
    let unfilled = report.columns.unfilled();
    if !unfilled.is_empty() {
        let lines = unfilled.iter().map(|line| format!("{:<11}{line}", "columns"));
        parts.push(lines.collect::<Vec<_>>().join("\n"));
    }
    let mut text = parts.join("\n\n");
    let unmapped = report.account.rows_unmapped;
    let warning = match report.verdict.loadable && unmapped > 0 {
        true => format!(
            "{}    {} of {} without a species, to be left out; `sterna species missing INPUT` \
             lists their taxa and how to add them\n",
            screen::result("warning"),
            count(unmapped),
            counted(report.account.rows_read, "record")
        ),
        false => String::new(),
    };
    text.push_str(&format!(
        "\n\nread       {} in {:.2} s, {:.2} s in total; peak memory {}\n{warning}verdict    {}\n",
        HumanBytes(report.bytes_read),
        report.read_seconds,
        report.seconds,
        HumanBytes(report.peak_memory_bytes),
        match report.verdict.verdict.as_str() {
            "ready" => screen::result("ready"),
            other => other.to_owned(),
        }
    ));
    text
}

fn count(n: u64) -> String {
    HumanCount(n).to_string()
}

fn files(report: &InspectReport, all: bool) -> String {
    let mut layouts: Vec<&str> = report.files.iter().map(|file| &*file.layout).collect();
    layouts.sort_unstable();
    layouts.dedup();
    let mut table =
        table(["file", "read", "fit", "misfit", "unmapped", "filtered", "years", "layout"], 1..6);
    let (listed, total) = listed(&report.files, all, |file| file.account.rows_rejected > 0);
    for file in listed {
        let years = span(file.years.keys());
        table.add_row(line(&screen::path(&file.path), &file.account, years, &file.layout));
    }
    table.add_row(line(&total, &report.account, span(report.years.keys()), ""));
    let [layout] = layouts.as_slice() else { return laid_out(table) };
    if let Some(column) = table.column_mut(7) {
        column.set_constraint(ColumnConstraint::Hidden);
    }
    format!("{}\n\nlayout     {layout}", laid_out(table))
}

fn line(name: &str, account: &Account, years: String, layout: &str) -> [String; 8] {
    [
        name.to_owned(),
        count(account.rows_read),
        count(account.rows_loaded),
        count(account.rows_rejected),
        count(account.rows_unmapped),
        count(account.rows_filtered),
        years,
        layout.to_owned(),
    ]
}

/// The first and last of ascending years.
fn span<'a>(mut years: impl DoubleEndedIterator<Item = &'a i32>) -> String {
    let Some(first) = years.next() else { return String::new() };
    years.next_back().map_or_else(|| first.to_string(), |last| format!("{first}-{last}"))
}

/// Mapped records by year, a decade on each line, or half of one if the numbers are large.
fn years(report: &InspectReport) -> String {
    let large = report.years.values().any(|rows| *rows >= 10_000);
    let (per_line, digits) = if large {
        (5, ["+0", "+1", "+2", "+3", "+4"].as_slice())
    } else {
        (10, DIGITS.as_slice())
    };
    let mut table = table(["mapped"].iter().chain(digits), 1..1 + digits.len());
    let mut lines: Vec<i32> = report.years.keys().map(|year| year.div_euclid(per_line)).collect();
    lines.dedup();
    for line in lines {
        let first = line * per_line;
        let year = |year: i32| {
            let rows = report.years.get(&year);
            rows.map_or_else(|| "-".to_owned(), |rows| count(*rows))
        };
        let mut cells = vec![if large { first.to_string() } else { format!("{first}s") }];
        cells.extend((first..first + per_line).map(year));
        table.add_row(cells);
    }
    laid_out(table)
}

fn taxa(report: &InspectReport) -> String {
    let mut lines = Vec::new();
    let known = report.species.len() + report.species_without_rows.len();
    let mapped = report.species.iter().take(TAXA_LISTED);
    let mapped = mapped.map(|t| format!("{} {}", t.taxon, count(t.rows)));
    let heading = format!("{} of {known} species have records", report.species.len());
    lines.push(list("species", &heading, mapped, report.species.len()));
    if !report.species_without_rows.is_empty() {
        let names = report.species_without_rows.iter().take(TAXA_LISTED).cloned();
        lines.push(list("", "without", names, report.species_without_rows.len()));
    }
    let respelt = report.species.iter().filter(|t| !t.spellings.is_empty());
    for taxon in respelt.take(TAXA_LISTED) {
        lines.push(format!("{:<11}{:?} also as {:?}", "", taxon.taxon, taxon.spellings));
    }
    if report.unmapped_names > 0 {
        let heading = format!(
            "{} without a species in {}",
            counted(report.unmapped_names, "taxon"),
            counted(report.account.rows_unmapped, "record")
        );
        let named = report.unmapped_taxa.iter().take(TAXA_LISTED);
        let named = named.map(|t| format!("{} {}", t.taxon, count(t.rows)));
        lines.push(list("unmapped", &heading, named, report.unmapped_names as usize));
    }
    lines.extend(report.near_misses.iter().take(TAXA_LISTED).map(near_miss));
    if report.near_misses.len() > TAXA_LISTED {
        let more = report.near_misses.len() - TAXA_LISTED;
        lines.push(format!("{:<11}and {more} more that are similar to others", ""));
    }
    lines.join("\n")
}

fn near_miss(unmapped: &UnmappedReport) -> String {
    let UnmappedReport { taxon, rows, near_misses } = unmapped;
    format!("{:<11}{taxon:?} ({}) is similar to {near_misses:?}", "", counted(*rows, "row"))
}

/// `label  heading: a, b, c and 5 more`, of `all` in total.
fn list(label: &str, heading: &str, named: impl Iterator<Item = String>, all: usize) -> String {
    let named: Vec<String> = named.collect();
    let more = all - named.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let names = if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) };
    format!("{label:<11}{heading}{names}{more}")
}

fn misfits(misfits: &[MisfitReport]) -> String {
    let mut table = table(["misfits in", "reason", "values", "round", "widen", "first at"], 2..5);
    for misfit in misfits {
        let place = match (&misfit.column, &misfit.sql_type) {
            (Some(column), Some(sql_type)) => format!("{column} {sql_type}"),
            _ => "the record".into(),
        };
        let first = misfit.examples.first();
        let first = first.map(|e| format!("{}:{} {:?}", screen::path(&e.path), e.line, e.value));
        table.add_row([
            place,
            misfit.reason.name().to_owned(),
            count(misfit.values),
            count(misfit.fit_with_round),
            count(misfit.fit_with_widen),
            first.unwrap_or_default(),
        ]);
    }
    laid_out(table)
}

fn codes(report: &InspectReport) -> String {
    let mut table = table(["unlisted in", "code", "rows", "first at"], 2..3);
    for code in report.unlisted_codes.iter().take(CODES_LISTED) {
        table.add_row([
            code.column.clone(),
            format!("{:?}", code.code),
            count(code.rows),
            format!("{}:{}", screen::path(&code.path), code.line),
        ]);
    }
    let more = report.unlisted_codes.iter().skip(CODES_LISTED).map(|code| code.rows).sum::<u64>()
        + report.unlisted_codes_unnamed;
    if more > 0 {
        table.add_row(["others".into(), String::new(), count(more), String::new()]);
    }
    laid_out(table)
}

fn policies(report: &InspectReport) -> String {
    let mut table = table(["--on-inexact", "loaded", "rejected", "rounded"], 1..4);
    for policy in &report.policies {
        let name = match policy.on_inexact {
            OnInexact::Reject => "reject",
            OnInexact::Widen => "widen",
            OnInexact::Round => "round",
        };
        table.add_row([
            name.into(),
            count(policy.rows_loaded),
            count(policy.rows_rejected),
            count(policy.rows_rounded),
        ]);
    }
    laid_out(table)
}
