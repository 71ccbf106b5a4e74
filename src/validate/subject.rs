//! The subject of a validation: the table to check, the structure of production, and the
//! values that checks can use.

use std::collections::BTreeMap;
use std::time::Duration;

use super::check::body;
use super::value::{Known, Value, references};
use super::{ValidateOptions, names};
use crate::cites::{Format, Formats};
use crate::error::{Error, Result};
use crate::load::ledger::{self, LoadRun};
use crate::load::{ColumnUses, Years, columns_of};
use crate::pg::{Column, ColumnType, Columns, Connection, Ident, SqlText, Table, catalog};
use crate::table::staging::{self, Pair};
use crate::table::summary;
use crate::trust;

/// The subject of a validation.
pub(super) struct Subject {
    pub(super) pair: Pair,
    /// The table whose rows are checked.
    pub(super) checked: Table,
    pub(super) checked_oid: u32,
    /// The staging table, if there is one.
    pub(super) staging_oid: Option<u32>,
    pub(super) is_live: bool,
    /// Its columns, from the catalog.
    pub(super) columns: Vec<Column>,
    /// The columns that its loads wrote, if known.
    pub(super) written: Option<Vec<Column>>,
    pub(super) runs: Vec<LoadRun>,
    pub(super) years: Years,
    pub(super) keys: Vec<Key>,
    /// Pairs of a column and its sequence.
    pub(super) sequences: Vec<(Ident, Table)>,
    /// The column with a species' name and the one that refers to the species, if both exist.
    pub(super) names: Vec<Ident>,
    pub(super) known: Known,
    /// The totals of both tables, by column of quantities.
    pub(super) totals: BTreeMap<String, Value>,
    /// Time limit of each of the user's own checks.
    pub(super) time_limit: Duration,
}

/// A key of the live table.
pub(super) struct Key {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) columns: Columns,
    /// The table at the other end of a foreign key, with its columns.
    pub(super) other: Option<(Table, Columns)>,
}

/// The last year that rows may be of: the one that was asked for, or the current one.
async fn last_year(session: &Connection, options: &ValidateOptions) -> Result<i32> {
    if let Some(year) = options.limits.last_year {
        return Ok(year);
    }
    let sql = include_str!("../../sql/validate/current-year.sql");
    Ok(session.query_one(sql, &[]).await?.get(0))
}

impl Subject {
    /// Reads the catalog and the ledger.
    ///
    /// # Errors
    /// Refused if there is no staging table and the live one was not asked for.
    pub(super) async fn read(
        session: &Connection,
        pair: Pair,
        options: &ValidateOptions,
    ) -> Result<Self> {
        let is_live = options.comprehensive;
        let staging = staging::find(session, &pair).await?;
        let staging_oid = staging.map(|relation| relation.oid);
        let (checked, checked_oid) = match staging_oid {
            _ if is_live => (pair.table.clone(), pair.table_oid),
            Some(oid) => (pair.staging.clone(), oid),
            None => {
                return Err(Error::refused(format!("there is no {} to validate", pair.staging))
                    .hint("`sterna load` fills it; --comprehensive checks the live table"));
            }
        };
        let code = [checked_oid];
        let (code, runs, columns, keys, sequences, production, last_year) = futures::join!(
            // Its owner may have added code to it since it was loaded.
            trust::code(session, &code, &[]),
            ledger::runs(session, checked_oid),
            catalog::columns(session, checked_oid),
            keys(session, pair.table_oid),
            sequences(session, pair.table_oid, is_live),
            catalog::columns(session, pair.table_oid),
            last_year(session, options),
        );
        code?;
        let (runs, columns, production) = (runs?, columns?, production?);
        let written = runs.last().and_then(|run| columns_of(run, &columns));
        let mut subject = Subject {
            years: options.years.clone().unwrap_or_else(|| years_of(&runs)),
            keys: keys?,
            sequences: sequences?,
            pair,
            checked,
            checked_oid,
            staging_oid,
            is_live,
            columns,
            written,
            runs,
            names: Vec::new(),
            known: Known::default(),
            totals: BTreeMap::new(),
            time_limit: options.time_limit,
        };
        subject.tell(session, options, &production, last_year?).await?;
        Ok(subject)
    }

    pub(super) fn has_column(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name.name() == name)
    }

    /// Whether a load filled a column; if no load is known, whether the column exists.
    pub(super) fn is_filled(&self, name: &str) -> bool {
        let Some(written) = &self.written else { return self.has_column(name) };
        // `written` lacks the columns that only some of the files fill.
        let uses = self.runs.last().map(|run| run.arguments["columns"].clone());
        let uses = uses.and_then(|uses| serde_json::from_value::<ColumnUses>(uses).ok());
        written.iter().any(|column| column.name.name() == name)
            || uses.is_some_and(|uses| uses.is_filled(name))
    }

    /// The columns that identify a row: its primary key, or else another unique key, and the id
    /// of its record.
    pub(super) fn row_id(&self) -> Vec<Ident> {
        let unique = self.keys.iter().find(|key| key.kind == "unique");
        let mut columns = unique.map_or_else(Vec::new, |key| key.columns.0.clone());
        columns.extend(
            self.columns.iter().map(|c| &c.name).find(|c| c.name() == "record_id").cloned(),
        );
        columns.dedup();
        columns.retain(|column| self.has_column(column.name()));
        columns
    }

    /// Returns the first of these columns that the table does not have.
    pub(super) fn lacks<'a>(&self, columns: &'a [Ident]) -> Option<&'a Ident> {
        columns.iter().find(|column| !self.has_column(column.name()))
    }

    /// Sets the values of all placeholders that checks may use.
    async fn tell(
        &mut self,
        session: &Connection,
        options: &ValidateOptions,
        production: &[Column],
        last_year: i32,
    ) -> Result<()> {
        let (pair, limits) = (&self.pair, &options.limits);
        let mut known = Known::default();
        known.name("checked", &self.checked);
        known.name("table", &pair.table);
        if !self.is_live {
            known.name("staging", &pair.staging);
        }
        known.value("checked_oid", Value::Oid(self.checked_oid));
        known.value("table_oid", Value::Oid(pair.table_oid));
        if let Some(rows) = options.expect_rows {
            let rows = i64::try_from(rows).map_err(|_| Error::usage("too many rows to expect"))?;
            known.value("expect_rows", Value::Integer(rows));
        }
        known.value("first_year", Value::Integer(limits.first_year.into()));
        known.value("last_year", Value::Integer(last_year.into()));
        known.value("all_years", Value::Flag(self.years.is_all()));
        known.value("years", Value::Years(self.years.iter().collect()));
        known.value("max_shrinkage", Value::Share(limits.max_shrinkage_percent / 100.0));
        known
            .value("max_quantity_change", Value::Share(limits.max_quantity_change_percent / 100.0));
        let is_there = |column: &&Column| self.has_column(column.name.name());
        let required: Vec<&Column> =
            production.iter().filter(|c| c.not_null).filter(is_there).collect();
        if !required.is_empty() {
            let filled = required.iter().map(|column| match column.kind {
                Some(ColumnType::Text | ColumnType::Varchar(_) | ColumnType::Char(_)) => {
                    let template = body(include_str!("../../sql/validate/filled.sql")).trim_end();
                    SqlText::filled(template, &[("column", &column.name)])
                }
                _ => SqlText::quoted(&column.name),
            });
            known.name("required_filled", &SqlText::list(&filled.collect::<Vec<_>>()));
        }
        known.value("widened", Value::Texts(self.widened(production)));
        self.known = known;
        self.tell_summary(session).await?;
        // The format that the load used: its mapping file may be gone.
        let told = self.runs.last().map(|run| run.arguments["looks_up"].clone());
        match told.and_then(|told| serde_json::from_value::<Format>(told).ok()) {
            Some(format) => self.tell_species(session, &format).await,
            None => self.tell_species(session, Formats::built_in()?.get(0)).await,
        }
    }

    /// Whether a related table exists and belongs to a trusted role.
    async fn may_read(&self, session: &Connection, beside: &Table) -> Result<bool> {
        let (strange, found) = futures::join!(
            trust::strange_beside(session, beside, &self.pair.whole),
            catalog::relation(session, beside),
        );
        if let Some(whose) = strange? {
            tracing::warn!("{whose}, and is not read with the rights of the connected role");
            return Ok(false);
        }
        Ok(found?.is_some())
    }

    /// Sets the placeholders for the summary per species and for comparing it.
    async fn tell_summary(&mut self, session: &Connection) -> Result<()> {
        let schema = &self.pair.whole.schema;
        let summary = Table { schema: schema.clone(), name: Ident::new(summary::SUMMARY)? };
        if !self.is_live || !self.may_read(session, &summary).await? {
            return Ok(());
        }
        if self.pair.whole != self.pair.table {
            return Ok(());
        }
        self.known.name("summary", &summary);
        if let Some([quantity, other]) = summary::quantities(&self.columns) {
            self.known.name("quantity", &quantity);
            self.known.name("other_quantity", &other);
        }
        if self.has_column("species_id") {
            let template = include_str!("../../sql/validate/species-written.sql");
            let (sql, sent) = self.known.statement(template);
            let rows = session.query(&sql, &references(&sent)).await?;
            let written = rows.iter().map(|row| row.get(0)).collect();
            self.known.value("species_written", Value::Ids(written));
        }
        Ok(())
    }

    /// Sets the placeholders for the table of species and for the names that are accepted.
    async fn tell_species(&mut self, session: &Connection, format: &Format) -> Result<()> {
        let Some(lookup) = &format.lookup else { return Ok(()) };
        let Some(taxon) = format.columns.get(&lookup.field) else { return Ok(()) };
        let schema = lookup.schema.as_deref().unwrap_or(self.pair.whole.schema.name());
        let species = Table::new(schema, lookup.table.as_str())?;
        if !self.may_read(session, &species).await? {
            return Ok(());
        }
        let names = [&lookup.key, &lookup.value, &lookup.column, taxon];
        let [name, id, reference, taxon] = names.map(|name| Ident::new(name.as_str()));
        let (reference, taxon) = (reference?, taxon?);
        self.known.name("species", &species);
        self.known.name("species_name", &name?);
        self.known.name("species_key", &id?);
        if self.has_column(reference.name()) {
            self.known.name("reference", &reference);
        }
        if self.lacks(&[reference.clone(), taxon.clone()]).is_some() {
            return Ok(());
        }
        self.known.name("taxon", &taxon);
        self.names = vec![taxon, reference];
        let (ids, taxa) = {
            let Subject { pair, known, runs, .. } = &*self;
            names::accepted(session, &pair.whole, known, runs, format).await?
        };
        self.known.value("accepted_species", Value::Ids(ids));
        self.known.value("accepted_taxa", Value::Texts(taxa));
        Ok(())
    }

    /// The columns that the load was asked to widen.
    fn widened(&self, production: &[Column]) -> Vec<String> {
        let asked = self.runs.iter().any(|r| r.identity["options"]["on_inexact"] == "widen");
        let is_widened = |column: &&Column| {
            asked
                && matches!(column.kind, Some(ColumnType::Numeric(Some(_))))
                && self.is_filled(column.name.name())
        };
        production.iter().filter(is_widened).map(|c| c.name.name().to_owned()).collect()
    }
}

/// The years that the loads selected; all years if one of them made no selection.
fn years_of(runs: &[LoadRun]) -> Years {
    let mut all = Years::default();
    for run in runs {
        let years = &run.identity["options"]["years"];
        match serde_json::from_value::<Years>(years.clone()) {
            Ok(years) if !years.is_all() => all.extend(years),
            _ => return Years::default(),
        }
    }
    all
}

async fn keys(session: &Connection, oid: u32) -> Result<Vec<Key>> {
    let columns = |names: Vec<String>| -> Result<Columns> {
        Ok(Columns(names.into_iter().map(Ident::new).collect::<Result<_>>()?))
    };
    let rows = session.query(include_str!("../../sql/validate/keys.sql"), &[&oid]).await?;
    rows.iter()
        .map(|row| {
            let other = match (row.get::<_, Option<String>>(3), row.get::<_, Option<String>>(4)) {
                (Some(schema), Some(name)) => {
                    Some((Table::new(schema, name)?, columns(row.get(5))?))
                }
                _ => None,
            };
            Ok(Key { kind: row.get(0), name: row.get(1), columns: columns(row.get(2))?, other })
        })
        .collect()
}

/// Reads the sequences of a table; if it is not `live`, only those that the switchover does
/// not advance past the loaded rows.
async fn sequences(session: &Connection, oid: u32, live: bool) -> Result<Vec<(Ident, Table)>> {
    let rows = session.query(include_str!("../../sql/validate/sequences.sql"), &[&oid]).await?;
    let pair = |row: &tokio_postgres::Row| {
        let (schema, name): (String, String) = (row.get(1), row.get(2));
        Ok((Ident::new(row.get::<_, String>(0))?, Table::new(schema, name)?))
    };
    rows.iter().filter(|row| live || !row.get::<_, bool>(3)).map(pair).collect()
}
