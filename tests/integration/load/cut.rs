//! A load whose line to the server breaks at any byte, or whose COMMIT goes unanswered:
//! `--resume` goes on, and no row is lost or doubled.
//!
//! `STERNA_CUTS` tries more places than the tests do.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::process::resumed;
use crate::cites::{Installation, Row, generated, rows_of};
use crate::line::{Line, Pass, has};
use crate::server::Finished;

const ROWS: u64 = 3_000;
const OPTIONS: [&str; 6] = ["--all", "--on-inexact", "widen", "--batch-size", "100", "--resume"];

struct Scenario {
    here: Installation,
    args: Vec<String>,
    rows: Vec<Row>,
    checksum: Value,
    /// What an unbroken load sends.
    bytes: u64,
}

impl Scenario {
    async fn new() -> Self {
        let here = Installation::new().await;
        let text = generated(ROWS, 12);
        let args: Vec<String> =
            std::iter::once(here.file("in.csv", &text)).chain(OPTIONS.map(str::to_owned)).collect();
        let line = Line::new(|_, _| Pass::On);
        let mut scenario =
            Scenario { here, args, rows: rows_of(&text), checksum: Value::Null, bytes: 0 };
        let report = scenario.load(&line).expect_code(0).stdout;
        scenario.checksum = serde_json::from_str::<Value>(&report).unwrap()["checksum"].clone();
        scenario.bytes = line.carried();
        scenario
    }

    fn load(&self, line: &Line) -> Finished {
        let mut command = self.here.command(&self.args);
        Finished::from(command.env("PGHOST", line.host()).output().unwrap())
    }

    /// Loads over a line that breaks, goes on over one that does not, and compares.
    async fn try_line(&self, what: &str, rule: impl FnMut(&[u8], u64) -> Pass + Send + 'static) {
        self.here.db.sterna(&["stage", "drop"]).expect_code(0);
        let finished = self.load(&Line::new(rule));
        match finished.code {
            Some(0) => {}
            Some(1) => assert!(finished.stderr.contains("connection"), "{what}: {finished:?}"),
            _ => panic!("{what}: {finished:?}"),
        }
        let mut args = self.args.clone();
        args.push("--verify".into());
        let report = resumed(|| self.here.load(&args));
        assert_eq!(report["rows_loaded"], ROWS, "{what}");
        assert_eq!((&report["checksum"], &report["verified"]), (&self.checksum, &true.into()));
        assert!(self.here.staging().await == self.rows, "{what}: staging is not the file");
    }
}

fn places(usual: u64) -> u64 {
    std::env::var("STERNA_CUTS").map_or(usual, |text| text.parse().unwrap())
}

#[tokio::test]
async fn the_line_breaks_at_any_byte() {
    let scenario = Scenario::new().await;
    let mut random = ChaCha8Rng::seed_from_u64(13);
    for place in 0..places(8) {
        let at = random.random_range(0..scenario.bytes);
        let for_good = place % 2 == 0;
        let mut is_cut = false;
        let rule = move |sent: &[u8], before: u64| {
            if is_cut {
                return if for_good { Pass::Cut(0) } else { Pass::On };
            }
            is_cut = before + sent.len() as u64 > at;
            if is_cut { Pass::Cut(usize::try_from(at - before).unwrap()) } else { Pass::On }
        };
        scenario.try_line(&format!("cut at byte {at}, for good: {for_good}"), rule).await;
    }
}

#[tokio::test]
async fn a_commit_goes_unanswered() {
    let scenario = Scenario::new().await;
    for place in 0..places(4) {
        let mut commits = 0;
        let rule = move |sent: &[u8], _: u64| {
            commits += u64::from(has(sent, b"COMMIT"));
            // The load makes some 35 of them, most of them for a batch.
            if has(sent, b"COMMIT") && commits == 1 + place * 9 % 35 {
                Pass::Unanswered
            } else {
                Pass::On
            }
        };
        scenario.try_line(&format!("COMMIT {} unanswered", 1 + place * 9 % 35), rule).await;
    }
}
