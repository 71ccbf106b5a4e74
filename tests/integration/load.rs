//! `sterna load` against a real server.

mod account;
mod bad_input;
mod cascade;
mod constraint;
mod counted;
mod culprits;
mod cut_off;
mod ended;
mod faults;
mod files;
mod fixed;
mod fuzz;
mod hostile;
mod memory;
mod oracle;
mod privilege;
pub(crate) mod process;
mod records;
mod rejects;
mod resume;
mod row_id;
mod values;
