//! The loader: loads files into a staging table and accounts for every record exactly once.
//!
//! [`load`] runs the phases, and `pipeline` connects the threads. The modules follow the data:
//! `plan` makes every decision that needs no record, `read` turns bytes into batches of
//! records, `encode` turns those into rows, `write` sends rows to PostgreSQL, and `settle`
//! verifies and finishes the staging table. `ledger` records what is done.

pub mod account;
mod attach;
pub mod encode;
pub(crate) mod identity;
pub mod ledger;
mod pipeline;
mod plan;
mod read;
pub mod report;
mod rows;
mod run;
mod settle;
mod waits;
mod write;

pub use encode::OnInexact;
pub use pipeline::{Done, Pipeline, Sink};
pub use plan::columns::{LoadPlan, plan};
pub use plan::matching::{ColumnUse, ColumnUses, MatchOptions, Treatment, Unfilled};
pub use plan::options::{LoadOptions, MaxRejects, ReadOptions};
pub(crate) use plan::reading::{Reading, Request, formats, taxa, year_columns};
pub use plan::row_id::RowIds;
pub use read::batch;
pub use read::map::{OnUnmapped, UnmappedTaxa, Years};
pub use read::per_member::PerMember;
pub use run::{Loaded, load};
pub(crate) use settle::verify::{Proof, Proved, columns_of};
#[cfg(feature = "cli")]
pub(crate) use write::session::WRITER;
