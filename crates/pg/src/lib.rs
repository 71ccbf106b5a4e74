//! Everything between sterna and a PostgreSQL server: connections, quoted
//! identifiers, catalog queries, and an embedded server.

mod backoff;
mod cancel;
pub mod catalog;
mod column;
mod connection;
mod conninfo;
mod copy_out;
mod diagnosis;
pub mod embedded;
mod ident;
mod interrupt;
mod last_message;
mod line;
pub mod pooler;
mod privilege;
pub mod programs;
mod session;
pub mod snapshot;
mod socket;
mod spare;
mod sql;
mod sqlstate;
mod stall;
mod supported;
mod tls;
mod typed;
mod volley;

pub use backoff::Backoff;
pub use cancel::CancelToken;
pub use column::{Column, ColumnType, NumericType};
pub use connection::{Connection, connect};
pub use conninfo::ConnInfo;
pub use copy_out::{copy_out, values};
pub use embedded::Embedded;
pub use ident::{Ident, MAX_NAME_BYTES, Table};
pub use interrupt::{interruptible, interruptible_by};
pub use line::{Line, Rate};
pub use privilege::explain_denied;
pub use session::{Mode, Session, Transaction};
pub use snapshot::Snapshot;
pub use sql::{CatalogText, Columns, Quoted, SqlText, fill};
pub use sqlstate::{Fault, classify, is_lost};
pub use stall::Watched;
pub use typed::Typed;
pub use volley::{Answer, Failure, Parameter, Prepared, Volley, first_row};
