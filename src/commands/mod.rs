//! One file per subcommand: what it does with its arguments.

pub mod generate;
