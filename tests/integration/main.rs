//! Everything that needs a real server, in one binary with a module per topic.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is how failure is reported")]

mod architecture;
mod backup;
mod bench;
mod check;
mod cites;
mod config;
mod connect;
mod demo;
mod distance;
mod distributed;
mod duplicates;
mod embedded;
mod hosted;
mod inspect;
mod ledger;
mod line;
mod load;
mod matching;
mod migrate;
mod package;
mod planted;
mod pooler;
mod private;
mod recipes;
mod rehearse;
mod reindex;
mod relay;
mod report;
mod rich;
mod sandbox;
mod schema;
mod server;
mod shell;
mod species;
mod staging;
mod summary;
mod switchover;
mod terminal;
mod tries;
mod validate;
