//! `sterna demo`: the whole plan on an embedded server.
//!
//! The demo is a list of steps (`steps::STEPS`) over one `stage::Stage`; it
//! times each and keeps its measurements. The summary never repeats requested
//! numbers: rows are counted by the server or by the loader.

mod plan;
mod stage;
mod steps;
mod summary;
mod traffic;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;

use super::Context;
use crate::cites::generate::DEFAULT_ROWS;
use crate::cli::Progress;
use crate::cli::render::to_stderr;
use crate::error::{Error, Kind, Result};
use crate::watch::Watch;
use stage::Stage;
use steps::{STEPS, Step};
pub use summary::{DemoEnvironment, DemoProduction, StepDone, Summary};
pub use traffic::{Noticed, TrafficReport};

/// Run the whole plan on an embedded server, with generated data
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// Records of the new release to generate
    #[arg(long, value_name = "N", default_value_t = DEFAULT_ROWS)]
    pub rows: u64,
    /// Keep files, backup and reports in this folder [default: deleted with the server]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Runs every step, prints the measurements, and returns the exit code.
///
/// # Errors
/// The error of the step that failed. In any case nothing is left but the files
/// in `--out`.
pub fn run(args: &DemoArgs, context: &Context) -> Result<u8> {
    let begun = Instant::now();
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let mut teller = Teller { quiet: context.progress == Progress::Never, begun: 0 };

    let title = "start an embedded server";
    let at = teller.begin(title);
    let (mut stage, detail) = Stage::start(args.rows, args.out.as_ref(), context.progress, &watch)?;
    let mut done = vec![teller.end("server", title, at, detail)];
    for Step { name, title, run } in STEPS {
        stopped(&watch)?;
        let at = teller.begin(title);
        let detail = run(&mut stage).map_err(|error| explain(error, &watch, name))?;
        done.push(teller.end(name, title, at, detail));
    }
    let mut summary = stage.end()?;
    summary.steps = done;
    summary.seconds = begun.elapsed().as_secs_f64();
    context.print(&summary, || summary::text(&summary))?;
    Ok(0)
}

fn stopped(watch: &Watch) -> Result<()> {
    match watch.stop.load(std::sync::atomic::Ordering::Relaxed) {
        true => Err(interrupted()),
        false => Ok(()),
    }
}

fn interrupted() -> Error {
    Error::new(Kind::Interrupted, "the demo was interrupted; its server is gone")
}

/// The server ends with the demo, so hints to resume or to fix staging do not apply.
fn explain(error: Error, watch: &Watch, step: &str) -> Error {
    if error.kind() == Kind::Interrupted || stopped(watch).is_err() {
        return interrupted();
    }
    error
        .context(format!("demo step {step}"))
        .hint("the demo's server is gone; `sterna sandbox` gives a server to look around in")
}

/// Reports on stderr which step is running.
struct Teller {
    quiet: bool,
    /// Number of steps begun so far.
    begun: usize,
}

/// The start of a running step.
struct Begun(Instant);

impl Teller {
    fn begin(&mut self, title: &str) -> Begun {
        self.begun += 1;
        if !self.quiet {
            // One more than listed: the server's start comes before them.
            to_stderr(format_args!("[{}/{}] {title} ...\n", self.begun, STEPS.len() + 1));
        }
        Begun(Instant::now())
    }

    fn end(&self, name: &'static str, title: &'static str, at: Begun, detail: String) -> StepDone {
        let seconds = at.0.elapsed().as_secs_f64();
        if !self.quiet {
            to_stderr(format_args!("      {detail} ({seconds:.2} s)\n"));
        }
        StepDone { name, title, seconds, detail }
    }
}
