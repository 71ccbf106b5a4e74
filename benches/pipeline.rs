//! Files through reading, mapping and encoding to a sink that writes nothing: a
//! download of Arctic taxa, and one of the whole world, nearly all of it left out.

mod download;

use std::thread;

use criterion::{Criterion, Throughput};
use download::{Download, Prepared};
use sterna::Result;
use sterna::load::account::Account;

const ARCTIC_ROWS: u64 = 20_000;
/// Two files of them, for two sources to read.
const WORLD_ROWS: u64 = 1_000_000;

fn main() -> Result<()> {
    let mut criterion = download::criterion();
    let arctic = Download::generate(ARCTIC_ROWS, false)?;
    measure(&mut criterion, "arctic", &arctic, |account| account.rows_loaded == ARCTIC_ROWS)?;
    let world = Download::generate(WORLD_ROWS, true)?;
    // The generator promises the share and not the row.
    let nearly_all = WORLD_ROWS / 100 * 97;
    measure(&mut criterion, "world", &world, |account| {
        account.rows_unmapped > nearly_all && account.rows_loaded > WORLD_ROWS / 100
    })?;
    criterion.final_summary();
    Ok(())
}

fn measure(
    criterion: &mut Criterion,
    what: &str,
    download: &Download,
    expected: impl Fn(&Account) -> bool,
) -> Result<()> {
    let prepared = Prepared::new(download)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut group = criterion.benchmark_group("pipeline");
    group.throughput(Throughput::Bytes(download.bytes));
    for workers in if cores == 1 { vec![1] } else { vec![1, cores] } {
        group.bench_function(format!("{what}/{workers}"), |bencher| {
            bencher.iter(|| {
                let mut account = Account::default();
                let run = prepared.run(workers, |batch| account += batch.records.account);
                run.expect("generated files are readable");
                assert_eq!(account.rows_read, download.rows);
                assert!(account.balances() && expected(&account), "{account:?}");
            });
        });
    }
    group.finish();
    Ok(())
}
