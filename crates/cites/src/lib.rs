//! The CITES domain: export formats, taxa, code lists and the file generator.
//! Pure: no database, no async, no clock.

pub mod arctic;
pub mod codes;
mod format;
#[cfg(feature = "generate")]
pub mod generate;
#[cfg_attr(not(feature = "generate"), allow(dead_code, reason = "much of it is the generator's"))]
mod list;
mod taxon;

pub use format::{Format, Formats, Layout, Lookup};
pub use taxon::{Species, Taxa, normalise};
