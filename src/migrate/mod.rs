//! The plan as one resumable run, with a rollback from every step.
//!
//! [`plan`] is data: what each step does, locks, and is undone by. A step acts through
//! its [`Verbs`], which are given to the coordinators: [`Coordinator`] takes the steps
//! forwards, [`undo`] takes them back. Both record in the ledger ([`ledger`]) what
//! they are about to do before they do it, and the outcome afterwards, so whoever
//! finds a run that was killed knows where it was.
//!
//! Nothing here loads, validates or switches over: the verbs do, and are wired by the
//! command.

pub mod command_line;
mod coordinator;
pub mod ledger;
mod live;
pub mod plan;
mod rollback;
mod state;
pub mod status;
mod steps;
mod verbs;

pub use coordinator::{Accepted, Coordinator};
pub use live::{Live, LoadProgress, Session, live};
pub use plan::Step;
pub use rollback::{Undoing, acted, to_undo, undo};
pub use state::{Run, RunState, StepRecord, StepState, next};
pub use verbs::{Ended, Outcome, Records, Teller, Verbs};
