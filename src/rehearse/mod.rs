//! Rehearsals: production restored elsewhere, so that the whole plan can be run there
//! before it is run on production.
//!
//! [`Production`] is what has to be known of the original. A [`Place`] is a database that
//! a backup is restored into, in a server of one's own with production's roles or in one
//! that was given; [`fill`] restores it, and [`Production::compare`] says whether it is
//! of the same thing. [`Growth`] follows how much space the plan takes, and [`passed`] asks
//! the ledger whether a rehearsal speaks for a migration.
//!
//! [`Rehearsal`] runs all of it.

mod copy;
pub(crate) mod ledger;
mod options;
pub(crate) mod production;
mod rehearsal;
mod report;
mod scratch;
mod space;
mod stages;

pub use copy::{Content, Place, content, fill};
pub use ledger::{Passed, Speaks, passed, record};
pub use options::{Listener, RehearsalOptions};
pub use production::{Compared, Production};
pub use rehearsal::{Rehearsal, Rehearsed};
pub use report::{Check, RehearsalReport};
pub use scratch::Scratch;
pub use space::{Growth, Space, refuse_too_small};
