//! Reads, maps and encodes files, with a sink that writes nothing: a download of Arctic
//! taxa, and one of the whole world, nearly all of which is skipped.

mod download;

use std::cell::LazyCell;
use std::thread;

use criterion::{Criterion, Throughput};
use download::{Download, Prepared};
use sterna::load::account::Account;

const ARCTIC_ROWS: u64 = 20_000;
/// Enough for two files, so that two sources read.
const WORLD_ROWS: u64 = 1_000_000;

fn main() {
    let mut criterion = download::criterion();
    measure(&mut criterion, "arctic", ARCTIC_ROWS, false, |account| {
        account.rows_loaded == ARCTIC_ROWS
    });
    // The generator guarantees the share, not the exact number.
    let nearly_all = WORLD_ROWS / 100 * 97;
    measure(&mut criterion, "world", WORLD_ROWS, true, |account| {
        account.rows_unmapped > nearly_all && account.rows_loaded > WORLD_ROWS / 100
    });
    criterion.final_summary();
}

/// Generates the files only if the arguments select a benchmark that reads them.
fn measure(
    criterion: &mut Criterion,
    what: &str,
    rows: u64,
    world: bool,
    expected: impl Fn(&Account) -> bool,
) {
    let download = LazyCell::new(|| Download::generate(rows, world).expect("generated files"));
    let prepared = LazyCell::new(|| Prepared::new(&download).expect("a layout for them"));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut group = criterion.benchmark_group("pipeline");
    group.throughput(Throughput::Elements(rows));
    for workers in if cores == 1 { vec![1] } else { vec![1, cores] } {
        group.bench_function(format!("{what}/{workers}"), |bencher| {
            LazyCell::force(&prepared);
            bencher.iter(|| {
                let mut account = Account::default();
                let run = prepared.run(workers, |batch| account += batch.records.account);
                run.expect("generated files are readable");
                assert_eq!(account.rows_read, rows);
                assert!(account.balances() && expected(&account), "{account:?}");
            });
        });
    }
    group.finish();
}
