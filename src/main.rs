//! The program: reads the command line, runs one command, reports its failure.

use std::process::ExitCode;

use clap::Parser;
use sterna::cli::{Cli, Command};
use sterna::commands::sandbox;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Sandbox(args) => sandbox::run(&args),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = error.next_step() {
                eprintln!("hint: {hint}");
            }
            ExitCode::from(error.kind().exit_code())
        }
    }
}
