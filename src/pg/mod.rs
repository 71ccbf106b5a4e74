//! Everything between sterna and a PostgreSQL server: how to reach it, how to
//! name things in it, what its catalog says, and a server of one's own.

mod column;
mod conninfo;
pub mod embedded;
mod ident;
pub mod programs;

pub use column::{Column, ColumnType, NumericType};
pub use conninfo::{ConnInfo, Connection, connect};
pub use embedded::Embedded;
pub use ident::{Ident, Table};
