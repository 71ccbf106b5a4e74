//! The switchover against a real server.

pub(crate) mod exchange;
mod fingerprint;
mod models;
