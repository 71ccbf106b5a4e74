//! The switchover against a real server.

mod exchange;
mod fingerprint;
mod models;
