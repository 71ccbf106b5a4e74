//! The domain: CITES export formats, taxa, code lists and the generator. Pure:
//! no database, no async, no clock.

pub mod arctic;
pub mod codes;
pub mod generate;
mod list;
