//! Sizes, where sterna cannot see disks: what a migration adds to the database, compared with
//! what a hosted server's plan allows.

use crate::error::{Error, Result};
use crate::estimate::{Sizes, size};

/// What to do if the limit is too small.
pub(super) const HINT: &str = "free some space, or have the provider raise the limit; `sterna \
                               rehearse` measures the need";

/// The point of the refusal, which the figures follow.
pub(super) fn beyond(limit: u64) -> String {
    format!("too little space on the server for the limit of {}", size(limit as f64))
}

/// Refuses a migration of these sizes that would take the database above the limit, in bytes.
///
/// # Errors
/// Refused, with all figures.
pub fn refuse_above(sizes: Sizes, limit: u64) -> Result<()> {
    if sizes.fit(limit) {
        return Ok(());
    }
    let what = format!("{}: {}", beyond(limit), sizes.describe(Some(limit)));
    Err(Error::refused(what).hint(format!("{HINT}; without --disk-limit nothing is compared")))
}
