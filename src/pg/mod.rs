//! Everything between sterna and a PostgreSQL server: how to reach it, how to
//! name things in it, and what its catalog says.

mod backoff;
mod connection;
mod conninfo;
mod diagnosis;
mod ident;
mod sqlstate;
mod tls;

pub use backoff::Backoff;
pub use connection::{CancelToken, Connection, connect};
pub use conninfo::ConnInfo;
pub use ident::{Ident, Table};
pub use sqlstate::{Fault, classify};
