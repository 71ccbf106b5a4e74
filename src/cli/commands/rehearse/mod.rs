//! `sterna rehearse`: the whole plan and its rollback on a copy of production.

mod report_folder;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::Context;
use super::migrate::MigrationChoices;
use crate::cli::render;
use crate::error::{Error, Result};
use crate::pg::ConnInfo;
use crate::private;
use crate::rehearse::{Rehearsal, RehearsalOptions};
use crate::watch::Watch;

/// Run the whole plan and its rollback on a temporary copy of production
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna rehearse download.zip --expect-rows 489107
  sterna rehearse download.zip --backup backups/whole      a backup by `sterna backup --full`
  sterna rehearse download.zip --into postgresql://admin@staging.example.org/rehearsal

Use the same options as for `sterna migrate`: the table [migrate] of sterna.toml applies to both.
Production is only read, except for its ledger. Without --into the copy is in a temporary PostgreSQL
server, which is removed when the rehearsal ends, even if it fails.")]
pub struct RehearseArgs {
    /// Options shared with `sterna migrate`.
    #[command(flatten)]
    pub choices: MigrationChoices,
    /// Backup by `sterna backup --full` to restore [default: a temporary one is taken]
    #[arg(long, value_name = "DIR")]
    pub backup: Option<PathBuf>,
    /// Empty database to restore into; it is kept [default: a temporary server]
    #[arg(long, value_name = "URL")]
    pub into: Option<String>,
    /// Free space on production's disks, such as 20GiB, if sterna cannot see them
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub free_space: Option<u64>,
    /// Folder of the report [default: sterna-rehearsal-ID]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Runs the rehearsal, prints the result, and returns the exit code.
///
/// # Errors
/// The error of whatever did not pass, after writing the report; if interrupted, without a
/// report.
pub fn run(args: &RehearseArgs, context: &Context) -> Result<u8> {
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    args.out.as_deref().map_or(Ok(()), private::own_folder)?;
    let env = |name: &str| std::env::var(name).ok();
    let into = args.into.as_deref().map(|url| ConnInfo::resolve(Some(url), &env)).transpose()?;
    let rehearsal = Rehearsal::new(RehearsalOptions {
        backup: args.backup.clone(),
        into,
        free_bytes: args.free_space,
        ..RehearsalOptions::new(args.choices.options(&context.table)?)
    });
    let mut lines = render::rehearsal::RehearsalLines::new(context.progress, &watch);
    let mut done = rehearsal.run(&context.conninfo()?, &watch, &mut lines)?;
    report_folder::publish(&mut done, args.out.as_deref())?;
    context.print(&done.report, || render::rehearsal::text(&done.report))?;
    done.failure.map_or(Ok(0), Err)
}

/// Parses a number of bytes with or without a unit: `20GiB`, `500 MB`, `1e9`.
fn size(text: &str) -> Result<u64> {
    const UNITS: [(&str, f64); 8] = [
        ("KIB", 1024.0),
        ("MIB", 1_048_576.0),
        ("GIB", 1_073_741_824.0),
        ("TIB", 1_099_511_627_776.0),
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
    ];
    let upper = text.trim().to_uppercase();
    let unit = UNITS.into_iter().find_map(|(unit, bytes)| Some((upper.strip_suffix(unit)?, bytes)));
    let (number, bytes) = unit.unwrap_or((&upper, 1.0));
    match number.trim().parse::<f64>() {
        Ok(number) if number >= 0.0 && number.is_finite() => Ok((number * bytes) as u64),
        _ => Err(Error::usage(format!("{text:?} is not a size such as 20GiB or 500MB"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("20GiB", 21_474_836_480), ("500 MB", 500_000_000), ("12", 12)] {
            assert_eq!(size(text).unwrap(), bytes, "{text}");
        }
        for bad in ["", "GiB", "-1GB", "a lot", "inf"] {
            assert!(size(bad).is_err(), "{bad:?}");
        }
    }
}
