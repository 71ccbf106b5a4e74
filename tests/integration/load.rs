//! `sterna load` against a real server.

mod account;
mod rejects;
mod values;
