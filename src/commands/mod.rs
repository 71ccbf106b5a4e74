//! One short file per subcommand: what the user asked for, into calls of the library.

pub mod generate;
pub mod sandbox;
