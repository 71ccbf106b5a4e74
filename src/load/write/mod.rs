//! Rows into PostgreSQL, and rejects into their file.

pub(in crate::load) mod refused;
pub(in crate::load) mod rejects;
pub(in crate::load) mod session;
pub(in crate::load) mod sink;
