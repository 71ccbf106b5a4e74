//! Reading: splits bytes into records and collects records in batches.

pub mod batch;
mod blocks;
pub(in crate::load) mod long;
pub(in crate::load) mod look;
pub(in crate::load) mod map;
pub(in crate::load) mod per_member;
pub(in crate::load) mod quotes;
pub(in crate::load) mod records;
pub(in crate::load) mod source;
pub(in crate::load) mod window;
