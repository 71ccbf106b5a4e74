//! The line between sterna and the server is cut after any number of bytes, while an application
//! writes to production: in a switchover and in its rollback. Production is one table or the other
//! with every acknowledged write, the error names the cut and how to go on, and the same command
//! then completes.
//!
//! `STERNA_FAULTS_TIMES` and `STERNA_FAULTS_SEED` try more of them than the tests do.

mod wire;
mod writer;

use std::collections::BTreeMap;

use rand::RngExt;
use sterna::table::fingerprint::{Difference, Fingerprint};

use super::exchange::{fingerprint, names, rich_installation};
use crate::cites::Installation;
use crate::server::{Finished, TestDb};
use crate::tries::Tries;
use wire::{Break, Place, Wire};
use writer::{Books, Writer};

const SWITCHOVER: [&str; 2] = ["switchover", "--accept-failed-validation"];
const ROLLBACK: [&str; 2] = ["rollback", "switchover"];

/// What a command may report about a cut.
const CUT: [&str; 7] = [
    "connection closed",
    "error communicating with the server",
    "unexpected end of file",
    "unexpected EOF",
    "Broken pipe",
    "Connection reset by peer",
    CUT_OFF,
];
/// What a command reports that ends a session which the server has kept.
const CUT_OFF: &str = "was cut off from sterna's process";
/// What a rollback reports about the application's writes.
const KEPT: &str = "of the new release were written to, and are inserted into the old table";

/// An installation whose table is exchanged again and again.
struct Scenario {
    here: Installation,
    release: String,
    fingerprint: Fingerprint,
    /// All names, before a switchover and after it.
    names: [String; 2],
}

impl Scenario {
    async fn new() -> Self {
        let (here, release) = rich_installation().await;
        let before = fingerprint(&here.db).await;
        Scenario { here, release, fingerprint: before, names: [String::new(), String::new()] }
    }

    fn db(&self) -> &TestDb {
        &self.here.db
    }

    /// Loads the release again, which leaves nothing of an earlier switchover's preparations.
    async fn afresh(&self, number: u64) -> Books {
        if number > 0 {
            self.db().sterna(&["stage", "drop"]).expect_code(0);
        }
        self.db().sterna(&["stage", "create"]).expect_code(0);
        self.here.report(0, &[&self.release, "--all"]);
        Books::open(self.db(), number).await
    }

    /// Runs a command while an application writes.
    async fn run(&self, args: &[&str], wire: Option<&Wire>, books: &mut Books) -> Finished {
        let writer = Writer::start(self.db(), books);
        let mut command = self.db().command(&["--progress", "never"]);
        command.args(args);
        if let Some(wire) = wire {
            command.env("PGHOST", wire.host());
        }
        let ran = tokio::task::spawn_blocking(move || command.output().unwrap());
        let finished = Finished::from(ran.await.unwrap());
        writer.stop(books).await;
        finished
    }

    async fn live(&self) -> String {
        self.db().psql("SELECT 'public.cites_trade_records'::regclass::oid").await
    }

    /// Asserts that production is valid, whichever of the tables it is.
    async fn assert_valid(&self, is_new: bool, books: &Books, what: &str) {
        let differences = self.fingerprint.differences(&fingerprint(self.db()).await);
        // What is finished after the exchange: new rows are checked, old ones will be.
        let is_left = |d: &&Difference| {
            d.kind.ends_with("foreign key") && d.after.iter().any(|now| now.contains("NOT VALID"))
        };
        let wrong: Vec<_> = differences.iter().filter(|d| !is_left(d)).collect();
        assert!(wrong.is_empty(), "{what}: {wrong:#?}");
        books.assert_kept(self.db(), is_new, what).await;
        let own = |names: &str| -> Vec<String> {
            let own =
                names.lines().filter(|name| !name.contains("_staging") && !name.contains("_old"));
            own.map(str::to_owned).collect()
        };
        assert_eq!(own(&names(self.db()).await), own(&self.names[usize::from(is_new)]), "{what}");
    }

    /// Asserts that a command has reached its end, and left nothing to do.
    async fn assert_complete(&self, is_new: bool, books: &Books, what: &str) {
        self.assert_valid(is_new, books, what).await;
        assert_eq!(self.fingerprint.differences(&fingerprint(self.db()).await), [], "{what}");
        assert_eq!(names(self.db()).await, self.names[usize::from(is_new)], "{what}");
    }
}

/// The output of a command that was cut: it names nothing but the cut, and says how to go on.
fn judge(what: &str, cut: &Finished, is_done: bool) {
    assert!(matches!(cut.code, Some(0 | 1)), "{what}: {cut:?}");
    assert!(is_done || cut.code == Some(1), "{what}: {cut:?}");
    assert!(!is_done || !cut.stderr.contains("were not exchanged"), "{what}: {cut:?}");
    let mut said = cut.stderr.lines().filter(|line| !line.starts_with("hint: "));
    let strange = said.find(|l| !l.contains(KEPT) && !CUT.iter().any(|cause| l.contains(cause)));
    assert_eq!(strange, None, "{what}: {cut:?}");
    let error = cut.stderr.lines().find(|line| line.starts_with("error: "));
    assert_eq!(error.is_some(), cut.code == Some(1), "{what}: {cut:?}");
    let hint = cut.stderr.lines().find(|line| line.starts_with("hint: "));
    let goes_on = |hint: &str| {
        ["run the command again", "run the same command"].iter().any(|go_on| hint.contains(go_on))
    };
    assert_eq!(hint.is_some_and(goes_on), cut.code == Some(1), "{what}: {cut:?}");
    assert!(
        !error.is_some_and(|line| line.contains("closed: connection closed")),
        "{what}: {cut:?}"
    );
}

/// The output of the same command without a cut: it completes, or there is nothing left to do.
fn judge_again(what: &str, again: &Finished, is_done: bool) {
    let mut said = again.stderr.lines();
    if again.code == Some(6) && is_done {
        assert!(again.stderr.contains("nothing is left to switch over"), "{what}: {again:?}");
    } else {
        assert_eq!(again.code, Some(0), "{what}: {again:?}");
        let strange = said.find(|line| !line.contains(KEPT) && !line.contains(CUT_OFF));
        assert_eq!(strange, None, "{what}: {again:?}");
    }
}

/// Cuts both commands, after as many bytes as an uncut one carries at most. If only the exchange
/// and the rest are of interest, half of the cuts come after the COMMIT has been sent.
async fn cut(is_late: bool, mut tries: Tries) {
    let mut scenario = Scenario::new().await;
    let mut places = Vec::new();
    let mut books = scenario.afresh(0).await;
    for (is_new, command) in [(true, SWITCHOVER), (false, ROLLBACK)] {
        let whole = Wire::new(None);
        scenario.run(&command, Some(&whole), &mut books).await.expect_code(0);
        scenario.names[usize::from(is_new)] = names(scenario.db()).await;
        places.push((is_new, command, whole.before(), whole.carried()));
    }
    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..tries.times {
        books = scenario.afresh(books.number()).await;
        let old = scenario.live().await;
        for (to_new, command, before, total) in &places {
            let from = if is_late { before[tries.random.random_range(0..2)] } else { 0 };
            let at = tries.random.random_range(from..*total);
            let breaks = match tries.random.random_range(0..16) {
                // sterna tries for a minute to reach a server that may have exchanged the tables.
                0 => Break::Line,
                number if number % 3 == 0 => Break::Session,
                number if number % 3 == 1 => Break::Sessions,
                _ => Break::Answers,
            };
            let what = format!("{}, {breaks:?} at byte {at} of {total}", command[0]);
            let wire = Wire::new(Some((at, breaks)));
            let cut = scenario.run(command, Some(&wire), &mut books).await;
            tries.broken += u64::from(cut.code != Some(0));
            let is_new = scenario.live().await != old;
            let is_done = is_new == *to_new;
            judge(&what, &cut, is_done);
            scenario.assert_valid(is_new, &books, &what).await;
            let again = scenario.run(command, None, &mut books).await;
            judge_again(&what, &again, is_done);
            scenario.assert_complete(*to_new, &books, &what).await;
            let place = match wire.broke() {
                None => "not at all",
                // The application's writes make it a few bytes more or less.
                Some(Place::Before) if at < before[0] => "before the exchange",
                Some(Place::Before) => "within it, before COMMIT",
                Some(Place::Unanswered) => "before the answer to COMMIT",
                Some(Place::After) => "after that answer",
            };
            let ends = format!("ended with {:?}, then with {:?}", cut.code, again.code);
            let outcome = format!("{} cut {place}, exchanged: {is_done}, {ends}", command[0]);
            *told.entry(outcome).or_default() += 1;
        }
    }
    for (outcome, times) in told {
        println!("{times:4} {outcome}");
    }
    println!("{} writes of the application", books.number());
    tries.tell("switchovers and as many rollbacks that were cut");
}

#[tokio::test]
async fn the_line_is_cut_at_any_byte() {
    cut(false, Tries::new(3)).await;
}

/// Few of those fall into the exchange, and fewer upon the answer to its COMMIT.
#[tokio::test]
async fn the_line_is_cut_from_the_exchange_on() {
    cut(true, Tries::new(3)).await;
}
