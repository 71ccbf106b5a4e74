//! The switchover: staging takes the table's place, and nothing but the rows differs.

pub mod fingerprint;
