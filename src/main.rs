//! The program: reads the command line, runs one command and reports its failure.

use std::path::Path;
use std::process::ExitCode;

use sterna::cli::commands::{
    Context, backup, bench, check, completions, config as configuration, inspect, load, migrate,
    plan, prune, rehearse, reindex, report, rollback, species, stage, status, summary, switchover,
    validate,
};
#[cfg(feature = "demo")]
use sterna::cli::commands::{demo, generate, sandbox};
use sterna::cli::config::{self, Refusal};
use sterna::cli::render::{log, screen, to_stderr};
use sterna::cli::{Cli, Color, Command};
use sterna::command_line;
use sterna::pg::is_lost;
use sterna::{Error, Kind};

fn main() -> ExitCode {
    let cli = match config::read(std::env::args_os(), Path::new("")) {
        Ok(cli) => cli,
        Err(Refusal::CommandLine(error)) => return misused(&error),
        Err(Refusal::File(error)) => {
            mind_color();
            return failed(&error);
        }
    };
    screen::choose(cli.global.color);
    log::start(cli.global.verbose, cli.global.quiet);
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => failed(&error),
    }
}

/// Prints help or the version, or an error. An error repeats arguments, so passwords are hidden.
fn misused(error: &clap::Error) -> ExitCode {
    mind_color();
    if !error.use_stderr() {
        error.exit();
    }
    let text = error.render().to_string();
    match text.strip_prefix("error:") {
        Some(rest) => to_stderr(format_args!("{}:{rest}", screen::result("error"))),
        None => to_stderr(text),
    }
    ExitCode::from(Kind::Usage.exit_code())
}

/// Heeds `--color never` on a line that could not be read as a whole.
fn mind_color() {
    let line: Vec<String> = std::env::args().collect();
    let is_never =
        |words: &[String]| matches!(words, [name, value] if name == "--color" && value == "never");
    if line.windows(2).any(is_never) || line.iter().any(|word| word == "--color=never") {
        screen::choose(Color::Never);
    }
}

fn failed(error: &Error) -> ExitCode {
    to_stderr(format_args!("{}: {error}\n", screen::result("error")));
    let again = "run the same command again when the server can be reached";
    if let Some(hint) = error.next_step().or(is_lost(error).then_some(again)) {
        let hint = command_line::in_hint(hint, std::env::args().skip(1));
        to_stderr(format_args!("{}: {hint}\n", screen::result("hint")));
    }
    ExitCode::from(error.kind().exit_code())
}

fn run(cli: &Cli) -> Result<u8, Error> {
    let context = Context::new(&cli.global, cli.command.is_on_a_table())?;
    match &cli.command {
        Command::Plan(args) => plan::run(args, &context),
        Command::Migrate(args) => migrate::run(args, &context),
        Command::Status(args) => status::run(args, &context),
        Command::Backup(args) => backup::run(args, &context),
        Command::Check(args) => check::run(args, &context),
        Command::Load(args) => load::run(args, &context),
        Command::Inspect(args) => inspect::run(args, &context),
        Command::Stage(args) => stage::run(args, &context),
        Command::Validate(args) => validate::run(args, &context),
        Command::Species(args) => species::run(args, &context),
        Command::Rehearse(args) => rehearse::run(args, &context),
        Command::Reindex(args) => reindex::run(args, &context),
        Command::Report(args) => report::run(args, &context),
        Command::Summary(args) => summary::run(args, &context),
        Command::Bench(args) => bench::run(args, &context),
        #[cfg(feature = "demo")]
        Command::Generate(args) => generate::run(args, &context),
        Command::Switchover(args) => switchover::run(args, &context),
        Command::Rollback(args) => rollback::run(args, &context),
        Command::Cleanup(args) => switchover::cleanup(args, &context),
        Command::Prune(args) => prune::run(args, &context),
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::run(args, &context),
        #[cfg(feature = "demo")]
        Command::Sandbox(args) => sandbox::run(args),
        Command::Config(args) => configuration::run(args, &cli.global, &context),
        Command::Completions(args) => completions::completions(args),
        Command::Man(args) => completions::man(args),
    }
}
