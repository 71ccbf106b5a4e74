//! The domain: CITES export formats, taxa, code lists and the generator. Pure:
//! no database, no async, no clock.

mod format;
mod taxon;

pub use format::{Format, Formats, Layout, Lookup};
pub use taxon::{Species, Taxa, normalise};
