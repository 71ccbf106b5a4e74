//! Everything between sterna and a PostgreSQL server: how to reach it, how to
//! name things in it, and what its catalog says.

mod column;
mod conninfo;
mod ident;

pub use column::{Column, ColumnType, NumericType};
pub use conninfo::{ConnInfo, Connection, connect};
pub use ident::{Ident, Table};
