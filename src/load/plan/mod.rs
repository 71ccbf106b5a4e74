//! Planning: every decision made before a record is read.

pub(in crate::load) mod columns;
pub(in crate::load) mod matching;
pub(in crate::load) mod options;
pub(in crate::load) mod prepare;
pub(in crate::load) mod reading;
pub(in crate::load) mod row_id;
