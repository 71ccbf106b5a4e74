//! The switchover: in one transaction, the staging table takes the live table's place, with
//! its name and everything that is attached to it; and the rollback of a switchover.
//!
//! Both directions are the same [`Exchange`]: one table is live, the other is incoming.
//! Whatever can be done without blocking others is done on the incoming table beforehand
//! (`prepare`). The rest is a script of statements (`script`), generated from the catalog
//! while the live table still has its name, and sent as one batch, from the first lock to
//! COMMIT (`swap`). Writes to the live table are recorded (`journal`) and carried over.
//! Before the commit, the catalog must describe the new table exactly as it described the
//! old one (`fingerprint`).

mod attached;
mod changes;
mod cleanup;
mod dependents;
mod distributed;
mod exchange;
mod finish;
mod gate;
pub mod journal;
mod keep;
mod materialized;
mod obstacle;
mod obstacles;
mod options;
pub mod parity;
mod partition;
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
pub use distributed::forget;
pub(crate) use distributed::{has_way_back, refuse_distributed};
pub use exchange::Exchange;
pub use gate::refuse_unsupported;
pub use keep::{Keep, Written};
pub use obstacle::Obstacle;
pub use obstacles::{Foreseen, foresee, refuse_obstacles};
pub use options::SwitchoverOptions;
pub use preview::{Preview, preview};
pub use report::SwitchoverReport;
pub use run::{roll_back, switch_over};
