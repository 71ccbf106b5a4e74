//! Everything after the last row: verification, matching with production, indexes and keys.

pub(in crate::load) mod cascade;
pub(in crate::load) mod completion;
pub(in crate::load) mod duplicates;
pub(in crate::load) mod indexes;
pub(in crate::load) mod verify;
