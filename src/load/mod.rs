//! The loader: files into a staging table, every record accounted for, exactly once.
//!
//! [`load`] runs the phases, and `pipeline` wires the threads. The folders follow the data:
//! `plan` decides before a record is read, `read` turns bytes into batches of records,
//! `encode` turns those into rows, `write` brings rows into PostgreSQL, and `settle` proves
//! and finishes staging. `ledger` remembers what is done.

pub mod account;
mod attach;
pub mod encode;
pub mod ledger;
mod pipeline;
mod plan;
mod read;
pub mod report;
mod rows;
mod run;
mod settle;
mod write;

pub use encode::OnInexact;
pub use pipeline::{Done, Pipeline, Sink};
pub use plan::columns::{LoadPlan, plan};
pub use plan::matching::{ColumnUse, ColumnUses, MatchOptions, Treatment, Unfilled};
pub use plan::options::{LoadOptions, MaxRejects, ReadOptions};
pub(crate) use plan::reading::{Reading, Request, taxa};
pub use plan::row_id::RowIds;
pub use read::batch;
pub use read::map::{OnUnmapped, UnmappedTaxa, Years};
pub use read::per_member::PerMember;
pub use run::{Loaded, load};
pub(crate) use settle::verify::{Proof, columns_of};
