//! The switchover: staging takes the table's place, with its name and everything that
//! is attached to it, in one transaction; and back again.
//!
//! Forwards and backwards are the same [`Exchange`]: one table is live, the other comes
//! in. What can be made beforehand is made on the incoming table while nobody waits
//! (`prepare`); the rest is a script of statements (`script`), written from the catalog
//! while the live table still bears its name, and sent at once, from the first lock to
//! COMMIT (`swap`). Writes to the live table are recorded (`journal`) and carried over.
//! Before the commit the catalog has to say of the new table, word for word, what it said
//! of the old one (`fingerprint`).

mod attached;
mod cleanup;
mod dependents;
mod exchange;
mod gate;
pub mod journal;
mod keep;
mod materialized;
mod obstacles;
mod options;
pub mod parity;
mod prepare;
mod preview;
mod properties;
pub mod record;
mod references;
mod report;
mod run;
mod script;
mod swap;

pub use cleanup::cleanup;
pub use dependents::{Alterations, Altered, alterations};
pub use exchange::Exchange;
pub use gate::refuse_unsupported;
pub use keep::{Keep, Written};
pub use obstacles::{Foreseen, Obstacle, foresee, refuse_obstacles};
pub use options::SwitchoverOptions;
pub use preview::{Preview, preview};
pub use report::SwitchoverReport;
pub use run::{roll_back, switch_over};
