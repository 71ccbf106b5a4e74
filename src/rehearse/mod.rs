//! Rehearsals: production is restored elsewhere, so that the whole plan can be run there
//! before it is run on production.
//!
//! [`Production`] describes the original. A [`Place`] is a database that a backup is restored
//! into, in an embedded server with production's roles or on a given server; [`fill`] restores
//! it, and [`Production::compare`] checks that the copy matches. [`Growth`] measures how much
//! space the plan takes, and [`passed`] looks in the ledger for a rehearsal that covers a
//! migration.
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
