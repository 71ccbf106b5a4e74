//! Everything between sterna and a PostgreSQL server: how to reach it, how to
//! name things in it, what its catalog says, and a server of one's own.

mod backoff;
mod column;
mod connection;
mod conninfo;
mod diagnosis;
pub mod embedded;
mod ident;
pub mod programs;
mod sql;
mod sqlstate;
mod tls;

pub use backoff::Backoff;
pub use column::{Column, ColumnType, NumericType};
pub use connection::{Connection, connect};
pub use conninfo::ConnInfo;
pub use embedded::Embedded;
pub use ident::{Ident, Table};
pub use sql::{Columns, Quoted, fill};
pub use sqlstate::{Fault, classify};
