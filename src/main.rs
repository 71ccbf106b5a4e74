//! The program: reads the command line, runs one command, reports its failure.

use std::path::Path;
use std::process::ExitCode;

use sterna::cli::{Cli, Command};
use sterna::commands::{Context, bench, demo, generate, inspect, load, sandbox, stage};
use sterna::config::{self, Refusal};
use sterna::{Error, report};

fn main() -> ExitCode {
    let cli = match config::read(std::env::args_os(), Path::new("")) {
        Ok(cli) => cli,
        Err(Refusal::CommandLine(error)) => error.exit(),
        Err(Refusal::File(error)) => return failed(&error),
    };
    report::log::start(cli.global.verbose, cli.global.quiet);
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> ExitCode {
    eprintln!("error: {error}");
    if let Some(hint) = error.next_step() {
        eprintln!("hint: {hint}");
    }
    ExitCode::from(error.kind().exit_code())
}

fn run(cli: &Cli) -> Result<u8, Error> {
    let context = Context::new(&cli.global)?;
    match &cli.command {
        Command::Load(args) => load::run(args, &context),
        Command::Inspect(args) => inspect::run(args, &context),
        Command::Stage(args) => stage::run(args, &context),
        Command::Bench(args) => bench::run(args, &context),
        Command::Generate(args) => generate::run(args, &context),
        Command::Demo(args) => demo::run(args, &context),
        Command::Sandbox(args) => sandbox::run(args),
    }
}
