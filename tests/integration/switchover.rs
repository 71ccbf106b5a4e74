//! The switchover against a real server.

mod around;
mod autovacuum;
mod cut;
pub(crate) mod exchange;
mod faults;
mod fingerprint;
mod gates;
mod guards;
mod locks;
mod models;
mod odd;
pub(crate) mod partition;
mod versions;
