//! Input for the benchmarks: a generated download on disk, and everything that a load
//! decides before it reads a record.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::fs::File;
use std::sync::atomic::AtomicBool;

use criterion::Criterion;
use sterna::Result;
use sterna::cites::arctic::species_rows;
use sterna::cites::generate::{GenerateOptions, Generator, SHIPMENT_HEADER};
use sterna::cites::{Formats, Species, Taxa};
use sterna::input::Inputs;
use sterna::load::batch::{EncodedBatch, RecordBatch};
use sterna::load::encode::RowPlan;
use sterna::load::{
    Done, OnInexact, OnUnmapped, PerMember, Pipeline, ReadOptions, RowIds, Sink, UnmappedTaxa,
    Years, plan,
};
use sterna::pg::{Column, ColumnType, Ident, Table};
use sterna::watch::Counters;
use tempfile::TempDir;

/// Few enough samples that a benchmark takes seconds; the arguments can override that.
pub(crate) fn criterion() -> Criterion {
    Criterion::default().sample_size(20).configure_from_args()
}

/// A generated download in a folder that is removed on drop.
pub(crate) struct Download {
    folder: TempDir,
    /// Records in all files.
    pub(crate) rows: u64,
    /// Bytes in all files.
    pub(crate) bytes: u64,
}

impl Download {
    /// Generates records of Arctic taxa only, or of the whole world.
    pub(crate) fn generate(rows: u64, world: bool) -> Result<Self> {
        let generator = Generator::new({
            let mut options = GenerateOptions::new(rows);
            options.world = world;
            options
        })?;
        let folder = TempDir::new().expect("a temporary folder");
        let mut bytes = 0;
        for index in 0..generator.files() {
            let path = folder.path().join(generator.file_name(index));
            let mut file = File::create(&path).expect("a file in the temporary folder");
            generator.write_file(index, &mut file)?;
            bytes += file.metadata().expect("the size of a file just written").len();
        }
        Ok(Download { folder, rows, bytes })
    }

    /// The folder, as the input argument of a load.
    pub(crate) fn input(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// A path for the rejects of a load.
    pub(crate) fn rejects(&self) -> std::path::PathBuf {
        self.folder.path().join("rejects")
    }
}

/// The values that a [`Pipeline`] borrows.
pub(crate) struct Prepared {
    inputs: Inputs,
    pub(crate) plans: PerMember<RowPlan>,
    /// The species of the Arctic taxa.
    pub(crate) taxa: Taxa,
    /// Production is empty, so every id is a new one.
    pub(crate) row_ids: RowIds,
    years: Years,
    stop: AtomicBool,
    counters: Counters,
}

impl Prepared {
    /// Decides how the files of `download` become rows of the production table.
    pub(crate) fn new(download: &Download) -> Result<Self> {
        let inputs = Inputs::discover(&[download.input()], false)?;
        let formats = Formats::built_in()?;
        let header: Vec<&str> = SHIPMENT_HEADER.trim_end().split(',').collect();
        let layout = formats.layout(&header).expect("the generator's header is a known one");
        let columns = production_columns(&header, &layout.columns)?;
        let layouts = PerMember::same(layout, inputs.members().len());
        let table = Table::new("public", "cites_trade_records")?;
        let plans = plan(&table, &columns, &formats, &layouts, OnInexact::Widen)?.rows;
        Ok(Prepared {
            inputs,
            plans,
            taxa: arctic()?,
            row_ids: RowIds::default(),
            years: Years::default(),
            stop: AtomicBool::new(false),
            counters: Counters::default(),
        })
    }

    /// Sends all files through a pipeline of `workers` threads that read and as many
    /// that encode; `settle` is called with each batch at the end.
    pub(crate) fn run(
        &self,
        workers: usize,
        mut settle: impl FnMut(&EncodedBatch),
    ) -> Result<UnmappedTaxa> {
        let pipeline = Pipeline {
            inputs: &self.inputs,
            plans: &self.plans,
            taxa: &self.taxa,
            row_ids: &self.row_ids,
            years: &self.years,
            on_unmapped: OnUnmapped::Skip,
            on_inexact: OnInexact::Widen,
            batch_rows: 10_000,
            max_record_bytes: ReadOptions::default().max_record_bytes,
            workers,
            sources: workers,
            stop: &self.stop,
            counters: &self.counters,
        };
        pipeline.run(vec![Discard], |batch| {
            settle(batch);
            Ok(())
        })
    }

    /// The records that the sources hand to the workers.
    pub(crate) fn record_batches(&self) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        self.run(1, |batch| batches.push(copy(&batch.records)))?;
        Ok(batches)
    }
}

/// Copies a batch record by record, without its account and rejects.
fn copy(batch: &RecordBatch) -> RecordBatch {
    let mut copy = RecordBatch::default();
    copy.location = batch.location;
    for record in batch.records() {
        let at = record.at();
        let fields: Vec<&[u8]> = (0..record.len()).map(|index| record.field(index)).collect();
        let ends = fields.iter().scan(0, |end, field| {
            *end += field.len();
            Some(*end)
        });
        let ends: Vec<usize> = ends.collect();
        let (place, quoted) = ((at.line, at.byte_offset), record.raw().contains(&b'"'));
        copy.push(place, record.raw(), quoted, &fields.concat(), ends.into_iter(), at.fate);
    }
    copy
}

/// A sink that accepts every batch and writes nothing.
struct Discard;

impl Sink for Discard {
    fn write(&mut self, batch: EncodedBatch, done: Done<'_>) -> Result<()> {
        done(batch);
        Ok(())
    }
}

/// The species of the Arctic taxa, as a load reads them from the database.
pub(crate) fn arctic() -> Result<Taxa> {
    let species = species_rows().into_iter();
    Taxa::new(species.map(|row| Species { id: row.id, name: row.scientific_name.into() }).collect())
}

/// The columns of production's table, in its order, as its catalog describes them.
fn production_columns(
    header: &[&str],
    fields: &std::collections::BTreeMap<String, usize>,
) -> Result<Vec<Column>> {
    let column = |name: &str, type_name: &str, typmod: i32, not_null: bool| -> Result<Column> {
        Ok(Column {
            name: Ident::new(name)?,
            kind: ColumnType::from_catalog(type_name, typmod),
            sql_type: type_name.into(),
            not_null,
            default: None,
            generated: false,
            identity: false,
        })
    };
    let money = ((10 << 16) | 2) + 4;
    let mut columns =
        vec![column("id", "uuid", -1, true)?, column("species_id", "uuid", -1, true)?];
    for index in 0..header.len() {
        let Some((name, _)) = fields.iter().find(|(_, at)| **at == index) else { continue };
        columns.push(match name.as_str() {
            "year" => column(name, "int4", -1, true)?,
            "quantity" => column(name, "numeric", money, false)?,
            "appendix" | "taxon" | "term" => column(name, "text", -1, true)?,
            _ => column(name, "text", -1, false)?,
        });
    }
    Ok(columns)
}
