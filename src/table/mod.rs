//! What a table is and what hangs on it: its staging table and the copy beside it, all that
//! the catalog says of it, its indexes, its summary, and the locks that are waited for
//! briefly.

pub mod backup_table;
pub mod fingerprint;
pub(crate) mod locks;
pub mod reindex;
pub mod staging;
pub mod summary;

pub use locks::{LockLimits, Patience};
