//! The whole load on a real server: only the rows, and staging with its indexes,
//! foreign key and statistics.

mod download;

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use criterion::Throughput;
use download::Download;
use sterna::Result;
use sterna::cites::arctic::species_rows;
use sterna::load::report::LoadReport;
use sterna::load::{LoadOptions, OnInexact, load};
use sterna::pg::embedded::{Embedded, ModelSchema, Options};
use sterna::pg::{ConnInfo, Connection, Ident, Table, Typed, connect};
use sterna::table::Patience;
use sterna::table::staging;
use sterna::watch::Watch;
use tokio::runtime::{Builder, Runtime};

const ROWS: u64 = 100_000;

const INSERT_SPECIES: &str = "
    INSERT INTO species (id, scientific_name, common_name, kingdom, phylum, class, order_name,
                         family, genus, species_name)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

fn main() -> Result<()> {
    let bench = Bench::new()?;
    let mut criterion = download::criterion().sample_size(10);
    let mut group = criterion.benchmark_group("load");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("rows", |bencher| {
        bencher.iter_custom(|times| {
            let seconds = (0..times).map(|_| bench.load().0.rows.load_seconds);
            Duration::from_secs_f64(seconds.sum())
        });
    });
    group.bench_function("ready", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| bench.load().1).sum());
    });
    group.finish();
    criterion.final_summary();
    Ok(())
}

struct Bench {
    download: Download,
    options: LoadOptions,
    info: ConnInfo,
    runtime: Runtime,
    _server: Embedded,
}

impl Bench {
    fn new() -> Result<Self> {
        let download = Download::generate(ROWS, false)?;
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let server = Embedded::start(&Options::durable())?;
        let info = server.conninfo("bench");
        runtime.block_on(async {
            server.create_database(&Ident::new("bench")?, None).await?;
            let client = connect(&info).await?;
            ModelSchema::Production.install(&client).await?;
            insert_species(&client).await
        })?;
        let table = Table::new("public", "cites_trade_records")?;
        let mut options = LoadOptions::new(table, vec![download.input()]);
        options.on_inexact = OnInexact::Widen;
        options.rejects = Some(download.rejects());
        Ok(Bench { download, options, info, runtime, _server: server })
    }

    /// Loads once into a new staging table, and returns the report and the total time.
    fn load(&self) -> (LoadReport, Duration) {
        self.drop_staging().expect("dropping the staging table");
        let begun = Instant::now();
        let outcome = load(&self.info, &self.options, &Watch::default()).expect("a load");
        let elapsed = begun.elapsed();
        assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
        assert_eq!(outcome.report.rows.account.rows_loaded, self.download.rows);
        (outcome.report, elapsed)
    }

    /// Drops the staging table of the previous load, then runs a checkpoint, so that its WAL
    /// does not disturb the next load.
    fn drop_staging(&self) -> Result<()> {
        self.runtime.block_on(async {
            let mut session = connect(&self.info).await?;
            let pair = staging::pair(&mut session, &self.options.table).await?;
            if let Some(found) = staging::find(&session, &pair).await? {
                let (patience, stop) = (Patience::default(), AtomicBool::new(false));
                staging::drop(&mut session, &pair, found.oid, patience, &stop).await?;
            }
            Ok(session.batch_execute("CHECKPOINT").await?)
        })
    }
}

async fn insert_species(client: &Connection) -> Result<()> {
    for row in species_rows() {
        let texts = [
            row.scientific_name,
            row.common_name,
            row.kingdom,
            row.phylum,
            row.class,
            row.order_name,
            row.family,
            row.genus,
            row.species_name,
        ];
        let mut values: Vec<&dyn Typed> = vec![&row.id];
        values.extend(texts.iter().map(|text| text as &dyn Typed));
        client.execute(INSERT_SPECIES, &values).await?;
    }
    Ok(())
}
