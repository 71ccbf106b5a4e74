//! Prepares a load: gathers and checks everything that is known before a record is read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures::FutureExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::cites::{Format, Formats, Taxa};
use crate::error::{Error, Result};
use crate::input::{Inputs, hex};
use crate::load::identity::input_digest;
use crate::load::plan::columns::LoadPlan;
use crate::load::plan::matching::{Matching, Way};
use crate::load::plan::options::LoadOptions;
use crate::load::plan::reading::{Reading, Request};
use crate::load::plan::row_id::RowIds;
use crate::load::write::rejects;
use crate::pg::{CatalogText, Column, Columns, Connection, Ident, Quoted, copy_out, fill, values};
use crate::table::distributed;
use crate::table::staging::Pair;

/// The inputs of a load, and how they become rows.
pub(in crate::load) struct Prepared {
    pub(in crate::load) inputs: Inputs,
    pub(in crate::load) formats: Formats,
    pub(in crate::load) plan: LoadPlan,
    /// How rows are matched with production.
    pub(in crate::load) matching: Matching,
    pub(in crate::load) taxa: Taxa,
    /// What must be unchanged for a load to resume, by topic.
    pub(in crate::load) identity: Arc<Value>,
    /// The first format that looks up names, if any.
    pub(in crate::load) looks_up: Option<Format>,
}

impl Prepared {
    /// The columns of the COPY statement.
    pub(in crate::load) fn columns(&self) -> Columns {
        Columns(self.plan.columns.iter().map(|c| c.name.clone()).collect())
    }

    /// The columns of the COPY statement whose values are verified.
    pub(in crate::load) fn hashed_columns(&self) -> Vec<Column> {
        self.plan.hashed().into_iter().cloned().collect()
    }

    /// Path and SHA-256 of every member, for the ledger.
    pub(in crate::load) fn ledger_files(&self) -> Vec<(&str, &[u8; 32])> {
        self.inputs.members().iter().map(|m| (&*m.name, self.inputs.sha256(m))).collect()
    }
}

/// Reads inputs, headers, target and species, and plans the load.
pub(in crate::load) async fn prepare(
    session: &Connection,
    pair: &Pair,
    options: &LoadOptions,
    stop: &AtomicBool,
) -> Result<Prepared> {
    let mut reading = Reading::new(
        session,
        &Request {
            table: &pair.table,
            whole: &pair.whole,
            table_oid: pair.table_oid,
            inputs: &options.inputs,
            read: options.read,
            years: &options.years,
            synonyms: options.synonyms.as_deref(),
            mapping: options.mapping.as_deref(),
            matching: Some(&options.matching),
        },
    )
    .await?;
    let plan = reading.plan(options.on_inexact)?;
    if let Some(path) = &options.rejects {
        for path in rejects::paths(path, plan.rows.distinct(), &reading.formats).values() {
            refuse_input(path, &reading.inputs, options)?;
            rejects::check(path)?;
        }
    }
    reading.identify(options.workers, stop)?;
    let Some(matching) = reading.matching().cloned() else {
        return Err(Error::usage("no matching options were given"));
    };
    if matching.way == Way::Server && options.keep_indexes {
        return Err(Error::usage(
            "--keep-indexes cannot be used here: the server matches the rows with production, and \
             the indexes are built after that",
        )
        .hint("leave it out"));
    }
    if matching.way == Way::Server && pair.distribution.is_elsewhere() {
        return Err(distributed::cannot_match(&pair.table, &matching.uses.unfilled()));
    }
    if pair.partitioned && options.keep_indexes {
        let what = "--keep-indexes cannot be used with a partitioned table";
        return Err(Error::refused(format!("{}: {what}", pair.table)).hint("leave it out"));
    }
    let used = reading.used_formats();
    let (inputs, taxa) = (&reading.inputs, &reading.taxa);
    let keys = inputs.members().iter().map(|m| sha256(&inputs.member_key(m)));
    let identity = Arc::new(json!({
        "input": input_digest(keys),
        "options": options.decisive(),
        "mapping": sha256(format!("{used:?}").as_bytes()),
        "species": sha256(format!("{:?}", taxa.canonical()).as_bytes()),
        "target": plan.hashed().into_iter().map(describe).collect::<Vec<_>>(),
    }));
    let looks_up = used.into_iter().find(|format| format.lookup.is_some()).cloned();
    let Reading { inputs, formats, taxa, .. } = reading;
    Ok(Prepared { inputs, formats, plan, matching, taxa, identity, looks_up })
}

/// Refuses to overwrite a file that the load reads with rejects.
pub(in crate::load) fn refuse_input(
    path: &Path,
    inputs: &Inputs,
    options: &LoadOptions,
) -> Result<()> {
    let place = path.canonicalize().ok();
    let same = |other: &PathBuf| place.is_some() && other.canonicalize().ok() == place;
    if inputs.is_read(path) || [&options.synonyms, &options.mapping].into_iter().flatten().any(same)
    {
        return Err(Error::usage(format!("rejects would go to {}, an input", path.display()))
            .hint("name another file with --rejects, so that the input is not overwritten"));
    }
    Ok(())
}

/// A column as written in the identity of a run in the ledger.
pub(in crate::load) fn describe(column: &Column) -> String {
    let null = if column.not_null { " not null" } else { "" };
    format!("{} {}{null}", column.name, column.sql_type)
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The record id and the row id in a row of production.
fn known_row<'a>(pair: &Pair, row: &'a [u8]) -> Result<(&'a [u8], Uuid)> {
    let mut values = values(row).flatten();
    let (Some(record_id), Some(id)) = (values.next(), values.next()) else {
        return Err(Error::refused(format!("a row of {} has no id", pair.table)));
    };
    let id =
        Uuid::from_slice(id).map_err(|e| Error::database("a row id is not a uuid").caused_by(e))?;
    Ok((record_id, id))
}

/// Reads production's row ids by record id, for formats that have both.
pub(in crate::load) async fn row_ids(
    session: &Connection,
    pair: &Pair,
    prepared: &Prepared,
) -> Result<RowIds> {
    let mut ids = RowIds::default();
    if prepared.matching.way != Way::Client {
        return Ok(ids);
    }
    let used = prepared.plan.rows.distinct().iter().map(|r| prepared.formats.get(r.layout.format));
    let wanted = used.filter_map(|f| {
        let record_id = f.columns.get(f.record_id.as_ref()?)?;
        Some((record_id.clone(), f.row_id.clone()?))
    });
    let mut wanted: Vec<_> = wanted.collect();
    wanted.sort();
    wanted.dedup();
    for (record_id, row_id) in wanted {
        let (record_id, row_id) = (Ident::new(record_id)?, Ident::new(row_id)?);
        let names: [(&str, &dyn Quoted); 4] = [
            ("record_id", &record_id),
            ("row_id", &row_id),
            ("table", &pair.table),
            ("oid", &CatalogText::oid(pair.table_oid)),
        ];
        let live = fill(include_str!("../../../sql/load/row-ids.sql"), &names);
        let deleted = fill(include_str!("../../../sql/load/deleted-row-ids.sql"), &names);
        let mut gone = Vec::new();
        // Boxed because they are large; awaited once.
        let read = futures::try_join!(
            copy_out(session, &live, |row| {
                let (record_id, id) = known_row(pair, row)?;
                ids.carry_over(record_id, id);
                Ok(())
            })
            .boxed_local(),
            copy_out(session, &deleted, |row| {
                let (record_id, id) = known_row(pair, row)?;
                gone.push((record_id.to_owned(), id));
                Ok(())
            })
            .boxed_local(),
        );
        read.map_err(|e| e.context("could not read production's row ids"))?;
        for (record_id, id) in gone {
            if !ids.is_known(&record_id) {
                ids.carry_over(&record_id, id);
            }
        }
    }
    if ids.ambiguous() > 0 {
        if let Some(child) = &prepared.matching.referred_by {
            return Err(Error::refused(format!(
                "{} record ids name several rows of {} each, to which {child} refers: it is \
                 unclear whose key a record keeps",
                ids.ambiguous(),
                pair.table
            ))
            .hint("give the rows distinct record ids, or name columns that tell them apart with --match"));
        }
        tracing::warn!(
            "{} record ids name several rows of {}; their records get new row ids",
            ids.ambiguous(),
            pair.table
        );
    }
    Ok(ids)
}
