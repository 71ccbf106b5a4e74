//! The plan as one resumable run, with a rollback from every step.
//!
//! [`Migration`] runs it, [`rollback`] rolls it back. [`plan`] describes each step as data;
//! a file in `steps` holds that description and the code of the step. The coordinator
//! records in the ledger ([`ledger`]) what it is about to do before it does it, and the
//! outcome afterwards, so the ledger shows where a killed run stopped.

mod additions;
mod choose;
mod coordinator;
mod correction;
pub(crate) mod exclusive;
pub(crate) mod identity;
pub mod ledger;
mod live;
mod migration;
mod options;
pub(crate) mod outcome;
mod outlook;
pub mod partition;
pub mod plan;
mod preparation;
pub(crate) mod records;
mod rehearsed;
mod resumed;
pub mod rollback;
mod site;
mod state;
pub mod status;
mod steps;
pub(crate) mod unvalidated;

pub use additions::Addition;
pub use live::{Live, LiveTable, LoadProgress, Session, live};
pub use migration::{Migrated, Migration};
pub use options::{BackupTableChoice, CheckLimits, Gates, MigrationOptions, WriteReport};
pub use outcome::StepOutcome;
pub use outlook::{Outlook, Total};
pub use plan::Step;
pub use records::{Ended, StepListener};
pub use rollback::{RollbackOptions, UndoneStep};
pub use site::folder;
pub use state::{Run, RunState, StepRecord, StepState, next};
