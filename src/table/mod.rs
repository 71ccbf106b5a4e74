//! A table and everything related to it: its staging table and its backup table, its
//! fingerprint in the catalog, its indexes, its summary, partitions, and locks that are waited for only
//! briefly.

pub mod backup_table;
pub(crate) mod distributed;
pub mod fingerprint;
pub(crate) mod locks;
pub(crate) mod members;
mod pair;
pub(crate) mod partition;
pub mod reindex;
pub mod staging;
pub mod summary;

pub use locks::{LockLimits, Patience};
