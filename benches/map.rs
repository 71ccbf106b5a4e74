//! Maps taxon names to species: names as the files spell them, other spellings, and names
//! of the rest of the world, which map to no species.

mod download;

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use sterna::Result;
use sterna::cites::Taxa;
use sterna::cites::arctic::arctic_taxa;

/// Few, as in `encode`.
const NAMES: usize = 4_300;

fn main() -> Result<()> {
    let taxa = download::arctic()?;
    let mut criterion = download::criterion();
    let exact = arctic_taxa().iter().map(|taxon| taxon.scientific_name.to_owned());
    let respelt = exact.clone().map(|name| format!(" {} ", name.to_uppercase()));
    let unknown = exact.clone().map(|name| format!("{name} ignotus"));
    measure(&mut criterion, &taxa, "exact", &exact.collect::<Vec<_>>(), NAMES);
    measure(&mut criterion, &taxa, "normalised", &respelt.collect::<Vec<_>>(), NAMES);
    measure(&mut criterion, &taxa, "unmapped", &unknown.collect::<Vec<_>>(), 0);
    criterion.final_summary();
    Ok(())
}

/// Looks up `NAMES` names, of which `expected` must be found.
fn measure(criterion: &mut Criterion, taxa: &Taxa, what: &str, names: &[String], expected: usize) {
    let mut group = criterion.benchmark_group("map");
    group.throughput(Throughput::Elements(NAMES as u64));
    group.bench_function(what, |bencher| {
        bencher.iter(|| {
            let names = names.iter().cycle().take(NAMES);
            let found = names.filter(|name| taxa.find(black_box(name)).is_some()).count();
            assert_eq!(found, expected);
        });
    });
    group.finish();
}
