//! The loader: files into a staging table, every record accounted for, exactly once.

pub mod account;
pub mod batch;
pub mod encode;
mod map;
mod pipeline;
mod row_id;
mod source;

pub use map::{OnUnmapped, UnmappedTaxa, Years};
pub use pipeline::{Counters, Pipeline, Sink};
pub use row_id::RowIds;
