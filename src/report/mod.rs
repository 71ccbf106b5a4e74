//! How results, progress and logs are shown. The engine only reports values.

pub mod bench;
pub mod demo;
pub mod inspect;
pub mod junit;
pub mod log;
pub mod progress;
pub mod text;
