//! The loader: files into a staging table, every record accounted for, exactly once.
//!
//! [`load`] runs the phases; `pipeline` wires the threads; `source`, `map` and
//! `encode` turn bytes into rows; `sink` and `refused` bring them into PostgreSQL;
//! `matching` says what rows keep of production's; `ledger` remembers what is done;
//! `verify` proves it; `completion` and `indexes` finish staging.

pub mod account;
mod attach;
pub mod batch;
mod cascade;
mod completion;
mod duplicates;
pub mod encode;
mod indexes;
pub mod ledger;
mod map;
mod matching;
mod options;
mod per_member;
mod pipeline;
mod plan;
mod prepare;
mod quotes;
mod reading;
mod records;
mod refused;
mod rejects;
pub mod report;
mod row_id;
mod rows;
mod run;
mod sink;
mod source;
mod verify;
mod window;

pub use encode::OnInexact;
pub use map::{OnUnmapped, UnmappedTaxa, Years};
pub use matching::{ColumnUse, ColumnUses, MatchOptions, Treatment, Unfilled};
pub use options::{LoadOptions, MaxRejects, ReadOptions};
pub use per_member::PerMember;
pub use pipeline::{Pipeline, Sink};
pub use plan::{LoadPlan, plan};
pub(crate) use reading::{Reading, Request, taxa};
pub use row_id::RowIds;
pub use run::{Outcome, load};
pub(crate) use verify::{Proof, columns_of};
