//! A session of an application that writes to production while sterna works, and what production
//! must hold therefore.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sterna::pg::{ConnInfo, Connection, connect};
use tokio::task::JoinHandle;

use crate::server::TestDb;

/// Rows by their `record_id`, as digests of all their columns.
type Rows = BTreeMap<String, String>;

/// Writes that the server has acknowledged: the row's digest, or none if it was deleted.
type Written = BTreeMap<String, Option<String>>;

/// What the two tables hold, and what has been written to production since.
pub(super) struct Books {
    old: Rows,
    new: Rows,
    written: Written,
    number: u64,
}

impl Books {
    /// Of production before a switchover.
    pub(super) async fn open(db: &TestDb, number: u64) -> Self {
        let old = rows(&lines(db, "cites_trade_records").await);
        let new = rows(&lines(db, "cites_trade_records_staging").await);
        Books { old, new, written: Written::new(), number }
    }

    /// How many writes were tried since the first books.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Asserts that production holds the rows of the one table or the other, with every write,
    /// and each row once.
    pub(super) async fn assert_kept(&self, db: &TestDb, is_new: bool, what: &str) {
        let mut expected = if is_new { self.new.clone() } else { self.old.clone() };
        for (record, digest) in &self.written {
            match digest {
                Some(digest) => expected.insert(record.clone(), digest.clone()),
                None => expected.remove(record),
            };
        }
        let expected: Vec<_> = expected.iter().map(|(id, row)| format!("{id}|{row}")).collect();
        let found = lines(db, "cites_trade_records").await;
        if found != expected {
            let lost: Vec<_> = expected.iter().filter(|row| !found.contains(row)).collect();
            let added: Vec<_> = found.iter().filter(|row| !expected.contains(row)).collect();
            let counts = (found.len(), expected.len());
            panic!("{what}: lost {lost:#?}, added {added:#?}, (found, expected) {counts:?}");
        }
    }
}

async fn lines(db: &TestDb, table: &str) -> Vec<String> {
    let rows = format!(
        "SELECT record_id, md5(t::text) FROM {table} AS t ORDER BY record_id COLLATE \"C\""
    );
    db.psql(&rows).await.lines().map(str::to_owned).collect()
}

fn rows(lines: &[String]) -> Rows {
    let rows = lines.iter().map(|line| line.split_once('|').unwrap());
    rows.map(|(record, digest)| (record.to_owned(), digest.to_owned())).collect()
}

/// The session, until it is stopped.
pub(super) struct Writer {
    stop: Arc<AtomicBool>,
    task: JoinHandle<(Written, u64)>,
}

impl Writer {
    pub(super) fn start(db: &TestDb, books: &Books) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(write(db.info().clone(), books.number, Arc::clone(&stop)));
        Writer { stop, task }
    }

    /// Enters what was acknowledged.
    pub(super) async fn stop(self, books: &mut Books) {
        self.stop.store(true, Ordering::Relaxed);
        let (written, number) = self.task.await.unwrap();
        books.written.extend(written);
        books.number = number;
    }
}

/// None of these may fail, whatever happens to sterna's sessions.
async fn write(info: ConnInfo, mut number: u64, stop: Arc<AtomicBool>) -> (Written, u64) {
    let session: Connection = connect(&info).await.unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let mut written = Written::new();
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        // Rows of the release, none of which has children.
        let species = random.random_range(1..=43);
        let one =
            format!("R{species}-{}{}", random.random_range(1..=4), random.random_range(1..=9));
        let earlier = format!("app {}", number.saturating_sub(40));
        let inserted = format!("app {number}");
        let (record, sql) = match number % 8 {
            0 => (&one, delete(&one)),
            1 | 4 => (&earlier, delete(&earlier)),
            2 | 5 | 7 => (&inserted, insert(&inserted)),
            _ => (&one, update(&one, number)),
        };
        let found = session.query_opt(&sql, &[]).await;
        // Otherwise there is no such row.
        if let Some(row) = found.unwrap_or_else(|error| panic!("{sql}: {error:?}")) {
            written.insert(record.clone(), row.get(0));
        }
        tokio::time::sleep(Duration::from_millis(4)).await;
    }
    (written, number)
}

fn insert(record: &str) -> String {
    format!(
        "INSERT INTO cites_trade_records AS t (species_id, record_id, year, appendix, taxon, term)
        SELECT id, '{record}', 2020, 'II', scientific_name, 'skins' FROM species
        WHERE scientific_name = 'Ursus maritimus' RETURNING md5(t::text)"
    )
}

fn update(record: &str, number: u64) -> String {
    format!(
        "UPDATE cites_trade_records AS t SET unit = 'written {number}'
        WHERE record_id = '{record}' RETURNING md5(t::text)"
    )
}

fn delete(record: &str) -> String {
    format!("DELETE FROM cites_trade_records WHERE record_id = '{record}' RETURNING NULL::text")
}
