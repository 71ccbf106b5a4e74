//! The switchover against a real server.

mod fingerprint;
