//! sterna replaces a PostgreSQL table from files: fast, provably and reversibly.

pub mod cites;
pub mod commands;
pub mod error;
pub mod pg;

pub use error::{Error, Kind, Result};
