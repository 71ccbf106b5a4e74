//! How results, progress and logs are shown. The engine only reports values.

pub mod ask;
pub mod backup;
pub mod bench;
pub mod check;
pub mod config;
pub mod demo;
pub mod inspect;
pub mod junit;
pub mod log;
pub mod migrate;
pub mod password;
pub mod plan;
pub mod progress;
pub mod rehearsal;
pub mod reindex;
pub mod run;
pub mod species;
pub mod status;
pub mod summary;
pub mod switchover;
pub mod text;
pub mod validate;
pub mod visible;
