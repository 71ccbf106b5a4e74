//! Rehearsals: production restored elsewhere, so that the whole plan can be run there
//! before it is run on production.
//!
//! [`Production`] is what has to be known of the original. A [`Place`] is a database that
//! a backup is restored into, in a server of one's own with production's roles or in one
//! that was given; [`fill`] restores it, and [`Production::compare`] says whether it is
//! of the same thing. [`Growth`] follows how much space the plan takes, and [`passed`] asks
//! the ledger whether a rehearsal speaks for a migration.
//!
//! Nothing here runs the plan: the command does.

mod copy;
mod ledger;
mod production;
mod report;
mod scratch;
mod space;

pub use copy::{Content, Place, content, fill};
pub use ledger::{Passed, Speaks, passed, record};
pub use production::{Compared, Production};
pub use report::{Check, RehearsalReport};
pub use scratch::Scratch;
pub use space::{Growth, Space, refuse_too_small};
