//! Encodes records into binary COPY rows on one thread: throughput in rows and in bytes of CSV.

mod download;

use criterion::Throughput;
use download::{Download, Prepared};
use sterna::Result;
use sterna::load::OnInexact;
use sterna::load::batch::EncodedBatch;
use sterna::load::encode::Encoder;

/// Few enough that a sample can fit between two interruptions: then the fastest is accurate.
const ROWS: u64 = 10_000;

fn main() -> Result<()> {
    let download = Download::generate(ROWS, false)?;
    let prepared = Prepared::new(&download)?;
    let mut batches = prepared.record_batches()?;
    let mut encoder = Encoder::new(&prepared.taxa, &prepared.row_ids, OnInexact::Widen);
    let mut encoded = EncodedBatch::default();
    let mut all = || {
        let mut rows = 0;
        for batch in &mut batches {
            let member = batch.location.member;
            encoder.encode(&prepared.plans[member], b"member", std::mem::take(batch), &mut encoded);
            rows += encoded.row_ends.len() as u64;
            *batch = std::mem::take(&mut encoded.records);
        }
        assert_eq!(rows, ROWS);
    };
    let mut criterion = download::criterion();
    for (unit, throughput) in
        [("rows", Throughput::Elements(ROWS)), ("bytes", Throughput::Bytes(download.bytes))]
    {
        let mut group = criterion.benchmark_group("encode");
        group.throughput(throughput);
        group.bench_function(unit, |bencher| bencher.iter(&mut all));
        group.finish();
    }
    criterion.final_summary();
    Ok(())
}
