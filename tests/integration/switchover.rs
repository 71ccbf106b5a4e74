//! The switchover against a real server.

mod around;
pub(crate) mod exchange;
mod faults;
mod fingerprint;
mod guards;
mod locks;
mod models;
mod odd;
