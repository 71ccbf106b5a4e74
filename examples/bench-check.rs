//! Compares the benchmarks of two builds; `script/bench-check` makes the builds and
//! explains the outcome.
//!
//! Each round runs a benchmark of both builds, one directly after the other, and the
//! order alternates from round to round. The fastest sample of each run counts, because
//! other load on the processor makes samples slower and never faster. The ratio of a
//! round does not depend on how fast the machine was at the time, and the interval of
//! the ratios says when there have been enough rounds.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Parser;
use comfy_table::{Table, presets};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sterna::bench::Interval;
use sterna::{Error, Kind, Result};

/// The benchmarks by executable: one thread each, because several would share their
/// processors with other load.
const MEASURED: [(&str, &[&str]); 3] = [
    ("encode", &["encode/rows"]),
    ("map", &["map/exact", "map/normalised", "map/unmapped"]),
    ("pipeline", &["pipeline/arctic/1"]),
];
/// Many short samples, so that some of them are not interrupted, and short runs, so
/// that the machine is equally fast for both builds of a round.
const SHORT: [&str; 7] = [
    "--bench",
    "--noplot",
    "--quiet",
    "--sample-size=100",
    "--warm-up-time=0.1",
    "--measurement-time=0.2",
    "--nresamples=1001",
];
/// With fewer rounds, an interval says nothing.
const LEAST_ROUNDS: usize = 7;

/// Compare the benchmarks of two builds in alternating rounds
#[derive(Parser)]
struct Args {
    /// Folder with the executables of the base
    base: PathBuf,
    /// Folder with the executables of the branch
    branch: PathBuf,
    /// Allowed slowdown of the branch over the base
    #[arg(long, default_value_t = 1.10, value_name = "RATIO")]
    max_slowdown: f64,
    /// Maximum number of rounds per benchmark
    #[arg(long, default_value_t = 30, value_name = "N")]
    rounds: usize,
}

fn main() -> ExitCode {
    match compare(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = error.next_step() {
                eprintln!("hint: {hint}");
            }
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// A benchmark and its times for both builds.
struct Pair {
    id: &'static str,
    /// Seconds per element for base and branch, one entry per round.
    rounds: Vec<[f64; 2]>,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Open,
    /// Certainly slower than allowed.
    Slower,
    /// Certainly not slower than allowed.
    Fine,
    /// One of the builds does not have it.
    Missing,
}

fn compare(args: &Args) -> Result<()> {
    let mut pairs = Vec::new();
    for (executable, ids) in MEASURED {
        let mut group: Vec<Pair> =
            ids.iter().map(|id| Pair { id, rounds: Vec::new(), verdict: Verdict::Open }).collect();
        for round in 0..args.rounds {
            let open: Vec<&str> =
                group.iter().filter(|p| p.verdict == Verdict::Open).map(|p| p.id).collect();
            if open.is_empty() {
                break;
            }
            let both = measure_both(args, executable, &open, round)?;
            for pair in group.iter_mut().filter(|pair| pair.verdict == Verdict::Open) {
                pair.add(&both, args.max_slowdown);
            }
        }
        pairs.extend(group);
        // The outcome is certain, whatever the other benchmarks say.
        if pairs.iter().any(|pair| pair.verdict == Verdict::Slower) {
            break;
        }
    }
    println!("{}", table(&pairs));
    let slower: Vec<_> =
        pairs.iter().filter(|p| p.verdict == Verdict::Slower).map(|p| p.id).collect();
    if slower.is_empty() {
        return Ok(());
    }
    let what = format!("certainly slower than the base: {}", slower.join(", "));
    Err(Error::new(Kind::Regression, what)
        .hint("`cargo bench` measures for longer; --max-slowdown accepts more"))
}

impl Pair {
    fn add(&mut self, [base, branch]: &[HashMap<String, f64>; 2], max_slowdown: f64) {
        let (Some(base), Some(branch)) = (base.get(self.id), branch.get(self.id)) else {
            self.verdict = Verdict::Missing;
            return;
        };
        self.rounds.push([*base, *branch]);
        if self.rounds.len() < LEAST_ROUNDS {
            return;
        }
        let ratio = self.ratio();
        if ratio.low > max_slowdown {
            self.verdict = Verdict::Slower;
        } else if ratio.high < max_slowdown {
            self.verdict = Verdict::Fine;
        }
    }

    /// The ratio of branch to base.
    fn ratio(&self) -> Interval {
        let ratios: Vec<f64> = self.rounds.iter().map(|[base, branch]| branch / base).collect();
        Interval::of_ratios(&ratios, 1)
    }
}

/// Runs an executable of both builds, one directly after the other.
fn measure_both(
    args: &Args,
    executable: &str,
    ids: &[&str],
    round: usize,
) -> Result<[HashMap<String, f64>; 2]> {
    let measure = |folder: &Path| measure(&folder.join(executable), ids);
    if round.is_multiple_of(2) {
        let base = measure(&args.base)?;
        return Ok([base, measure(&args.branch)?]);
    }
    let branch = measure(&args.branch)?;
    Ok([measure(&args.base)?, branch])
}

/// Runs benchmarks of an executable and returns the seconds per element of the fastest
/// sample of each; per element, because the two builds may measure different numbers.
fn measure(executable: &Path, ids: &[&str]) -> Result<HashMap<String, f64>> {
    let failed = |e| Error::file(executable, e);
    let mut seconds = HashMap::new();
    if !executable.exists() {
        return Ok(seconds);
    }
    let written = tempfile::tempdir().map_err(|e| Error::file("a temporary folder", e))?;
    let run = Command::new(executable)
        .args(SHORT)
        .arg(format!("^({})$", ids.join("|")))
        .env("CRITERION_HOME", written.path())
        .stdout(Stdio::null())
        .output()
        .map_err(failed)?;
    if !run.status.success() {
        let said = String::from_utf8_lossy(&run.stderr);
        return Err(Error::bad_file(executable.display(), format!("{}: {said}", run.status)));
    }
    for id in ids {
        // Criterion names its folders after the group, the benchmark and its parameter.
        let (group, name) = id.split_once('/').unwrap_or((id, ""));
        let folder = written.path().join(group).join(name.replace('/', "_")).join("new");
        if !folder.exists() {
            continue;
        }
        let sample: Sample = read(&folder.join("sample.json"))?;
        let benchmark: Benchmark = read(&folder.join("benchmark.json"))?;
        let each = sample.times.iter().zip(&sample.iters).map(|(time, times)| time / times);
        let elements: f64 = benchmark.throughput.values().sum();
        seconds.insert((*id).to_owned(), each.fold(f64::INFINITY, f64::min) / 1e9 / elements);
    }
    Ok(seconds)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read(path).map_err(|e| Error::file(path, e))?;
    serde_json::from_slice(&text)
        .map_err(|e| Error::bad_file(path.display(), "not written by criterion").caused_by(e))
}

/// Criterion's record of a run: nanoseconds, and the number of iterations that took them.
#[derive(Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

/// Criterion's record of a benchmark: how many elements or bytes one iteration processes.
#[derive(Deserialize)]
struct Benchmark {
    throughput: HashMap<String, f64>,
}

fn table(pairs: &[Pair]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["per element", "base", "branch", "ratio", "99 % interval", "rounds", ""]);
    for pair in pairs {
        let Verdict::Missing = pair.verdict else {
            let fastest = |side: usize| {
                let seconds = pair.rounds.iter().map(|round| round[side]);
                format!("{:.2} ns", seconds.fold(f64::INFINITY, f64::min) * 1e9)
            };
            let ratio = pair.ratio();
            table.add_row([
                pair.id.to_owned(),
                fastest(0),
                fastest(1),
                format!("{:.3}", ratio.median),
                format!("{:.3} - {:.3}", ratio.low, ratio.high),
                pair.rounds.len().to_string(),
                pair.verdict.said().to_owned(),
            ]);
            continue;
        };
        let blank = String::new;
        let cells = [pair.id.to_owned(), blank(), blank(), blank(), blank(), blank()];
        table.add_row(cells.into_iter().chain([pair.verdict.said().to_owned()]));
    }
    table
}

impl Verdict {
    fn said(self) -> &'static str {
        match self {
            Verdict::Open => "undecided: accepted",
            Verdict::Slower => "SLOWER",
            Verdict::Fine => "fine",
            Verdict::Missing => "not in both: left out",
        }
    }
}
