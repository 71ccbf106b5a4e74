//! Backups as text.

use indicatif::{HumanBytes, HumanCount};

use super::screen::{laid_out, table};
use crate::backup::{BackupReport, Method, Verified};
use crate::command_line::shell_quoted;
use crate::error::counted;

/// The result of a backup.
#[must_use]
pub fn taken(report: &BackupReport) -> String {
    let mut table = table(["table", "rows"], 1..2);
    let manifest = &report.manifest;
    for saved in &manifest.tables {
        let name = format!("{}.{}", saved.schema, saved.name);
        let rows = match saved.partitioned {
            true => "partitioned".to_owned(),
            false => HumanCount(saved.rows).to_string(),
        };
        table.add_row([name, rows]);
    }
    let method = match manifest.method {
        Method::PgDump => format!("pg_dump {}", manifest.program_major),
        Method::Copy => "binary COPY; policies, grants, triggers and rules are in attached.sql, \
                         extended statistics and publications are not in it"
            .into(),
    };
    format!(
        "{}\n\nbackup     {}\nsize       {} in {:.2} s, by {method}\nchecksum   {} of SHA256SUMS\n\
         verified   every file, every table, every row count; `sterna backup verify --restore {}` \
         also restores it\n",
        laid_out(table),
        report.path,
        HumanBytes(manifest.bytes),
        report.seconds,
        report.sha256,
        shell_quoted(&report.path),
    )
}

/// The result of a verification.
#[must_use]
pub fn verified(found: &Verified) -> String {
    let (tables, rows) = (counted(found.tables as u64, "table"), counted(found.rows, "row"));
    let restored = if found.restored { "; it was restored into an empty server" } else { "" };
    let left_out = found.unrestored.iter().map(|what| format!("needs a superuser: {what}\n"));
    format!("the backup is complete and unchanged: {tables}, {rows}{restored}\n")
        + &left_out.collect::<String>()
}
