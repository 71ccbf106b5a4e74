//! The domain: CITES export formats, taxa, code lists and the generator. Pure:
//! no database, no async, no clock.

pub mod arctic;
pub mod codes;
mod format;
pub mod generate;
mod list;
mod taxon;

pub use format::{Format, Formats, Layout, Lookup};
pub use taxon::{Species, Taxa, normalise};
