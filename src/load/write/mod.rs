//! Writing: sends rows to PostgreSQL, and writes rejects to files.

pub(in crate::load) mod refused;
pub(in crate::load) mod rejects;
pub(in crate::load) mod session;
pub(in crate::load) mod sink;
