//! sterna replaces a PostgreSQL table from files: fast, provably and reversibly.

pub mod application;
pub mod backup;
pub mod bench;
#[cfg(feature = "cli")]
pub mod cli;
pub mod history;
pub mod input;
pub mod inspect;
pub mod ledger;
pub mod load;
pub mod migrate;
pub mod preflight;
pub mod private;
pub mod rehearse;
pub mod species;
pub mod switchover;
pub mod table;
pub mod trust;
pub mod validate;
pub mod watch;

pub use sterna_cites as cites;
pub use sterna_error as error;
pub use sterna_error::{Error, Kind, Result};
pub use sterna_pg as pg;
