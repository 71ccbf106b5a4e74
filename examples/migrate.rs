//! Migrates a table twice and rolls back the second switchover, on a temporary server,
//! with generated files, and prints a summary of its own:
//!
//! ```sh
//! cargo run --release --example migrate --no-default-features
//! ```

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use sterna::cites::arctic::species_rows;
use sterna::cites::generate::{GenerateOptions, Generator};
use sterna::load::OnInexact;
use sterna::migrate::rollback::{RollbackOptions, roll_back};
use sterna::migrate::{Ended, Migrated, Migration, MigrationOptions, Step, StepListener};
use sterna::pg::embedded::{Embedded, ModelSchema, Options};
use sterna::pg::{ConnInfo, Ident, Table, connect};
use sterna::watch::Watch;
use sterna::{Error, Result};
use tokio::runtime::Runtime;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::file("the async runtime", error))?;
    let folder = tempfile::tempdir().map_err(|error| Error::file("a temporary folder", error))?;
    let server = Embedded::start(&Options::default())?;
    let info = server.conninfo("trade");
    let table = Table::new("public", "cites_trade_records")?;
    runtime.block_on(make_database(&server, &info))?;

    let release = Generator::new(GenerateOptions::new(10_000))?;
    let new_release = write(&release, &folder.path().join("new"))?;
    let earlier_release = write(&release.earlier_release(), &folder.path().join("earlier"))?;

    for (name, files) in [("earlier", earlier_release), ("new", new_release)] {
        let mut options = MigrationOptions::new(table.clone(), vec![files]);
        options.load.on_inexact = OnInexact::Widen;
        options.load.rejects = Some(folder.path().join(format!("{name}-rejects.csv")));
        options.backup = Some(folder.path().join(format!("{name}-backup")));
        options.bench_seconds = 0.5;
        let watch = Arc::default();
        let Migrated { status, failure, .. } =
            Migration::new(options)?.run(&info, &watch, &mut Dots)?;
        println!();
        failure.map_or(Ok(()), Err)?;
        let rows = count(&runtime, &info)?;
        let switchover = status.steps.iter().find(|step| step.step == Step::Switchover);
        let locked = switchover.and_then(|step| step.detail["locked_ms"].as_f64());
        let locked = locked.unwrap_or_default();
        println!("{name} release: {rows} rows are live; readers waited for {locked:.0} ms");
    }

    let mut options = RollbackOptions::new(table);
    options.step = Some(Step::Switchover);
    let back = roll_back(&info, &options, |_| Ok(true), &Arc::new(Watch::default()))?;
    let steps: Vec<_> = back.undone.iter().map(|undone| undone.name).collect();
    println!("rolled back {}: {} rows are live", steps.join(", "), count(&runtime, &info)?);
    Ok(())
}

/// Prints a dot for each step.
struct Dots;

impl StepListener for Dots {
    fn begins(&mut self, _: Step) {}

    fn ended(&mut self, _: Step, _: &Ended<'_>) {
        print!(".");
    }
}

/// Creates a database with the schema of production and its species.
async fn make_database(server: &Embedded, info: &ConnInfo) -> Result<()> {
    server.create_database(&Ident::new("trade")?, None).await?;
    let session = connect(info).await?;
    ModelSchema::Production.install(&session).await?;
    let insert = "INSERT INTO species (id, scientific_name, common_name, kingdom, phylum, class,
            order_name, family, genus, species_name)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    for row in species_rows() {
        let ranks = [row.kingdom, row.phylum, row.class, row.order_name, row.family, row.genus];
        let [kingdom, phylum, class, order, family, genus] = &ranks;
        let (name, common, species) = (&row.scientific_name, &row.common_name, &row.species_name);
        session
            .execute(
                insert,
                &[&row.id, name, common, kingdom, phylum, class, order, family, genus, species],
            )
            .await?;
    }
    session.close().await
}

/// Writes the files of a release into a new folder and returns its path.
fn write(release: &Generator, folder: &Path) -> Result<String> {
    std::fs::create_dir(folder).map_err(|error| Error::file(folder, error))?;
    for index in 0..release.files() {
        let path = folder.join(release.file_name(index));
        let file = File::create(&path).map_err(|error| Error::file(&path, error))?;
        release.write_file(index, &mut BufWriter::new(file))?;
    }
    Ok(folder.display().to_string())
}

fn count(runtime: &Runtime, info: &ConnInfo) -> Result<i64> {
    runtime.block_on(async {
        let session = connect(info).await?;
        let row = session.query_one("SELECT count(*) FROM cites_trade_records", &[]).await?;
        session.close().await?;
        Ok(row.get(0))
    })
}
