//! Sizes, where sterna cannot see disks: what a migration adds to the database, compared with
//! what a hosted server's plan allows.

use crate::error::{Error, Result};
use crate::estimate::Sizes;

/// What to do if the limit is too small.
pub(super) const HINT: &str = "free some space, or have the provider raise the limit; `sterna \
                               rehearse` measures the need";

/// Refuses a migration of these sizes that would take the database above the limit, in bytes.
///
/// # Errors
/// Refused, with all figures.
pub fn refuse_above(sizes: Sizes, limit: u64) -> Result<()> {
    if sizes.fit(limit) {
        return Ok(());
    }
    let what = format!("too little space on the server: {}", sizes.describe(Some(limit)));
    Err(Error::refused(what).hint(format!("{HINT}; without --disk-limit nothing is compared")))
}
