//! Everything that needs a real server, in one binary with a module per topic.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is how failure is reported")]

mod cites;
mod connect;
mod embedded;
mod load;
mod sandbox;
mod schema;
mod server;
