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
mod partition;
mod versions;
