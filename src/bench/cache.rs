//! Brings both tables equally into the server's cache.
//!
//! A scan of a large table goes through a small ring of buffers, so a table that happens to
//! be cached stays faster for ever: of two equal tables, the one that was written last. Here
//! pages of both tables are read in turn, so that both are cached, or the same share of each
//! if the cache is too small for both.

use std::sync::atomic::AtomicBool;

use super::Sides;
use super::report::DataSize;
use crate::error::Result;
use crate::pg::{CatalogText, Connection, Table, fill, interruptible};
use crate::table::staging::Pair;

/// The number of pages of one table, or of each of its partitions, to read before the other one's
/// turn: 8 MB.
const STRETCH: u64 = 1024;

/// Reads the pages of both tables in turn, as many of each as the cache holds.
///
/// # Errors
/// Errors of the server; interrupted if `stop` is set.
pub(super) async fn warm(
    session: &Connection,
    pair: &Pair,
    sizes: &Sides<DataSize>,
    stop: &AtomicBool,
) -> Result<()> {
    let sql = include_str!("../../sql/bench/run/cache-size.sql");
    let cache: i64 = session.query_one(sql, &[]).await?.get(0);
    // The pages to read of each partition: all, or the same share of each.
    let cached = |size: &DataSize| match size.pages.max(1) {
        pages if pages <= cache.cast_unsigned() => size.pages_of_largest,
        pages => size.pages_of_largest.saturating_mul(cache.cast_unsigned()).div_ceil(pages),
    };
    let production = sizes.production.as_ref().map_or(0, cached);
    let staging = cached(&sizes.staging);
    let mut first = 0;
    while first < production.max(staging) {
        for (table, pages) in [(&pair.table, production), (&pair.staging, staging)] {
            if first < pages {
                stretch(session, table, first, stop).await?;
            }
        }
        first += STRETCH;
    }
    Ok(())
}

async fn stretch(session: &Connection, table: &Table, first: u64, stop: &AtomicBool) -> Result<()> {
    // A table has fewer than 2^32 pages.
    let place = |page: u64| CatalogText::tid(page.min(u64::from(u32::MAX)) as u32);
    let (first, end) = (place(first), place(first + STRETCH));
    let sql = fill(
        include_str!("../../sql/bench/run/cache-pages.sql"),
        &[("trade", table), ("first", &first), ("end", &end)],
    );
    interruptible(session, stop, session.query_one(&sql, &[])).await?;
    Ok(())
}
