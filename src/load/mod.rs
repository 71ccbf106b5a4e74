//! The loader: files into a staging table, every record accounted for, exactly once.

pub mod account;
pub mod batch;
pub mod encode;
mod row_id;

pub use row_id::RowIds;
