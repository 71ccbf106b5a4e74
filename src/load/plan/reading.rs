//! Reads what decides about a load: inputs, headers, target and taxa.
//!
//! Loading and inspecting share this step, so that both refuse the same inputs. Nothing
//! here writes to the database.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use tokio_postgres::error::SqlState;

use crate::cites::{Format, Formats, Layout, Lookup, Species, Taxa};
use crate::error::{Error, Kind, Result};
use crate::input::{Inputs, Member};
use crate::load::encode::OnInexact;
use crate::load::plan::columns::{LoadPlan, plan};
use crate::load::plan::matching::{self, MatchOptions, Matching, Production, Treatment, Way};
use crate::load::plan::options::{LoadOptions, ReadOptions};
use crate::load::read::map::Years;
use crate::load::read::per_member::PerMember;
use crate::load::read::records::{read_header, read_small};
use crate::pg::{Column, Connection, Ident, Table, catalog, fill};
use crate::{species, trust};

/// The maximum number of unreadable files that one error names.
const BAD_FILES_NAMED: usize = 10;

/// The maximum number of production rows whose ids the client keeps in memory, at about 60
/// bytes each; larger tables are matched by the server.
const MOST_CARRIED_OVER: i64 = 1_000_000;

/// What to read.
pub(crate) struct Request<'a> {
    pub(crate) table: &'a Table,
    /// The table that it is a partition of; itself if it is none.
    pub(crate) whole: &'a Table,
    pub(crate) table_oid: u32,
    pub(crate) inputs: &'a [String],
    pub(crate) read: ReadOptions,
    pub(crate) years: &'a Years,
    pub(crate) synonyms: Option<&'a Path>,
    pub(crate) mapping: Option<&'a Path>,
    /// How rows are matched with production; `None` leaves matching out.
    pub(crate) matching: Option<&'a MatchOptions>,
}

/// The inputs and everything known about them before a record is read.
pub(crate) struct Reading {
    pub(crate) inputs: Inputs,
    pub(crate) formats: Formats,
    pub(crate) taxa: Taxa,
    table: Table,
    columns: Vec<Column>,
    layouts: PerMember<Layout>,
    /// Whether each member holds records after its header.
    has_records: Vec<bool>,
    /// How rows are matched with production, if requested.
    matching: Option<Matching>,
}

/// The formats of a user's file, or the built-in ones.
///
/// # Errors
/// If the file cannot be read, or is not a list of formats.
pub(crate) fn formats(mapping: Option<&Path>) -> Result<Formats> {
    let Some(path) = mapping else { return Formats::built_in() };
    let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
    Formats::parse(&text, &path.display().to_string())
}

/// The columns that the years of the files are stored in, by the formats of their headers; without
/// files, by all formats.
///
/// # Errors
/// If files or the formats cannot be read, or no format fits.
pub(crate) fn year_columns(options: &LoadOptions) -> Result<BTreeSet<String>> {
    let formats = formats(options.mapping.as_deref())?;
    if options.inputs.is_empty() {
        return Ok(formats.year_columns().into_iter().map(str::to_owned).collect());
    }
    let inputs = Inputs::discover(&options.inputs, options.read.recursive)?;
    let (layouts, _) = layouts(&inputs, &formats, options.read.max_record_bytes)?;
    let year_of = |format: &&Format| format.columns.get(format.year.as_ref()?).cloned();
    Ok(used(&formats, &layouts).iter().filter_map(year_of).collect())
}

impl Reading {
    /// Reads inputs, headers, target and species.
    ///
    /// # Errors
    /// If files cannot be read or have no known format; lists the first ten of them.
    pub(crate) async fn new(session: &Connection, request: &Request<'_>) -> Result<Self> {
        let formats = formats(request.mapping)?;
        let inputs = Inputs::discover(request.inputs, request.read.recursive)?;
        let (layouts, has_records) = layouts(&inputs, &formats, request.read.max_record_bytes)?;
        let without_year = layouts.iter().position(|layout| layout.year.is_none());
        if let Some(member) = without_year.filter(|_| !request.years.is_all()) {
            let name = &inputs.members()[member].name;
            return Err(Error::usage(format!("{name} has no year column for --year to select by")));
        }
        let used = used(&formats, &layouts);
        let (columns, taxa, production) = futures::join!(
            catalog::columns(session, request.table_oid),
            taxa(session, request.whole, &used, request.synonyms),
            production(session, request),
        );
        let (columns, taxa) = (columns?, taxa?);
        let matching = match (request.matching, production?) {
            (Some(options), Some(production)) => {
                Some(matching::decide(request.table, &columns, &used, &production, options)?)
            }
            _ => None,
        };
        let table = request.table.clone();
        Ok(Reading { table, inputs, formats, taxa, columns, layouts, has_records, matching })
    }

    /// How rows are matched with production, if requested.
    pub(crate) fn matching(&self) -> Option<&Matching> {
        self.matching.as_ref()
    }

    /// How the files become rows under a policy.
    ///
    /// # Errors
    /// Those of [`plan`].
    pub(crate) fn plan(&self, on_inexact: OnInexact) -> Result<LoadPlan> {
        let mut plan = plan(&self.table, &self.columns, &self.formats, &self.layouts, on_inexact)?;
        if let Some(matching) = self.matching.as_ref().filter(|m| m.way == Way::Server) {
            plan.leave_to_server(&matching.uses.of(Treatment::Kept));
        }
        Ok(plan)
    }

    /// Reads all files and computes their digests.
    ///
    /// # Errors
    /// Those of [`Inputs::identify`]; also if two members hold the same records.
    pub(crate) fn identify(&mut self, threads: usize, stop: &AtomicBool) -> Result<()> {
        self.inputs.identify(threads, stop)?;
        self.inputs.refuse_doubled(|member| self.has_records[member])
    }

    /// The formats of the files.
    pub(crate) fn used_formats(&self) -> Vec<&Format> {
        used(&self.formats, &self.layouts)
    }
}

/// Reads the keys of production, and whether it has rows to lose; `None` if matching was not
/// requested.
async fn production(session: &Connection, request: &Request<'_>) -> Result<Option<Production>> {
    if request.matching.is_none() {
        return Ok(None);
    }
    let mut production = Production::default();
    let sql = include_str!("../../../sql/load/match/keys.sql");
    let size = fill(include_str!("../../../sql/load/match/size.sql"), &[("table", request.table)]);
    let most = MOST_CARRIED_OVER + 1;
    let (keys, size) = futures::join!(
        session.query(sql, &[&request.table_oid]),
        session.query_one(&size, &[&most])
    );
    for row in keys? {
        let (kind, names): (&str, Vec<String>) = (row.get(0), row.get(1));
        let columns = names.into_iter().map(Ident::new).collect::<Result<Vec<_>>>()?;
        match kind {
            "referred" => {
                let by: String = row.get(2);
                production.referred.extend(columns.into_iter().map(|column| (column, by.clone())));
            }
            _ => {
                if kind == "primary" {
                    production.primary.clone_from(&columns);
                }
                production.unique.push(columns);
            }
        }
    }
    production.unique.sort_by_key(|key| *key != production.primary);
    production.has_rows = true;
    match size {
        Ok(row) => {
            let rows: i64 = row.get(0);
            production.has_rows = rows > 0;
            production.is_large = rows > MOST_CARRIED_OVER;
        }
        // Without the right to read the table, files can still be inspected.
        Err(e) if e.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {}
        Err(e) => {
            return Err(Error::from(e).context(format!("could not read {}", request.table)));
        }
    }
    Ok(Some(production))
}

fn used<'a>(formats: &'a Formats, layouts: &PerMember<Layout>) -> Vec<&'a Format> {
    let mut used: Vec<usize> = Vec::new();
    for layout in layouts.distinct() {
        if !used.contains(&layout.format) {
            used.push(layout.format);
        }
    }
    used.into_iter().map(|format| formats.get(format)).collect()
}

/// Reads the header of every member, and whether it holds records. Continues after a bad one:
/// a download has dozens of files, and their faults should be fixed in one go.
fn layouts(
    inputs: &Inputs,
    formats: &Formats,
    max_record_bytes: usize,
) -> Result<(PerMember<Layout>, Vec<bool>)> {
    let mut known: HashMap<Vec<String>, u32> = HashMap::new();
    let (mut distinct, mut of_member, mut has_records) = (Vec::new(), Vec::new(), Vec::new());
    let mut read = |member: &Member| -> Result<()> {
        let header = inputs
            .with_reader(member, |reader| read_header(&member.name, reader, max_record_bytes))?;
        has_records.push(header.has_records);
        if let Some(which) = known.get(&header.names) {
            of_member.push(*which);
            return Ok(());
        }
        let names: Vec<&str> = header.names.iter().map(String::as_str).collect();
        let layout = formats.layout(&names).map_err(|what| {
            Error::bad_file(&member.name, format!("line {}: {what}", header.line))
                .hint("see data/formats.toml for the known headers, or give --mapping")
        })?;
        let which = distinct.len() as u32;
        distinct.push(layout);
        known.insert(header.names, which);
        of_member.push(which);
        Ok(())
    };
    let mut bad = Vec::new();
    for member in inputs.members() {
        match read(member) {
            Ok(()) => {}
            Err(error) if error.kind() == Kind::File => bad.push(error),
            Err(error) => return Err(error),
        }
    }
    match bad.is_empty() {
        true => Ok((PerMember::new(distinct, of_member), has_records)),
        false => Err(all_of(bad, inputs.members().len())),
    }
}

/// Combines `errors`, of which there is at least one, into a single error.
fn all_of(mut errors: Vec<Error>, files: usize) -> Error {
    if errors.len() == 1 {
        return errors.remove(0);
    }
    let mut message = format!("{} of {files} files cannot be read", errors.len());
    for error in errors.iter().take(BAD_FILES_NAMED) {
        message.push_str(&format!("\n  {error}"));
    }
    if errors.len() > BAD_FILES_NAMED {
        message.push_str(&format!("\n  and {} more", errors.len() - BAD_FILES_NAMED));
    }
    let hint = errors[0].next_step().unwrap_or("name only the files to be read");
    Error::new(Kind::File, message).hint(hint)
}

/// Reads the species and synonyms that records can be mapped to.
pub(crate) async fn taxa(
    session: &Connection,
    table: &Table,
    formats: &[&Format],
    synonyms: Option<&Path>,
) -> Result<Taxa> {
    let lookups: Vec<&Lookup> = formats.iter().filter_map(|f| f.lookup.as_ref()).collect();
    let Some(lookup) = lookups.first() else {
        return match synonyms {
            Some(_) => {
                Err(Error::usage("--synonyms has no effect: no format of the input looks up names"))
            }
            None => Ok(Taxa::default()),
        };
    };
    let place = |l: &Lookup| (l.table.clone(), l.key.clone(), l.value.clone());
    if lookups.iter().any(|l| place(l) != place(lookup)) {
        return Err(Error::usage("the formats of the input look up names in different tables")
            .hint("load them one after the other"));
    }
    let schema = lookup.schema.as_deref().unwrap_or(table.schema.name());
    let other = Table::new(schema, lookup.table.as_str())?;
    let (key, value) = (Ident::new(lookup.key.as_str())?, Ident::new(lookup.value.as_str())?);
    let sql = fill(
        include_str!("../../../sql/load/lookup.sql"),
        &[("lookup", &other), ("key", &key), ("value", &value)],
    );
    let read = async {
        trust::beside(session, &other, table).await?;
        Ok::<_, Error>(session.query(&sql, &[]).await)
    };
    let (rows, stored) = futures::join!(read, species::stored(session, &other));
    let rows = rows?.map_err(|e| {
        let error = Error::from(e).context(format!("could not read the names of {other}"));
        match error.sqlstate() {
            // The values are not of type uuid.
            Some("22P02") => error.hint(format!(
                "a lookup fills a column of type uuid, but {other}.{value} has another type; map \
                 the field to a column directly, or leave it out"
            )),
            _ => error,
        }
    })?;
    let all = rows.iter().map(|row| Species { id: row.get(0), name: row.get(1) });
    let mut taxa = Taxa::new(all.collect())?;
    for kept in stored? {
        taxa.add_synonym(&kept.synonym, &kept.scientific_name).map_err(|what| {
            Error::refused(format!("a synonym in the ledger has no effect: {what}"))
                .hint("`sterna species undo` reverts the last addition")
        })?;
    }
    if let Some(path) = synonyms {
        add_synonyms(&mut taxa, path)?;
    }
    Ok(taxa)
}

/// Reads a CSV file with the header `synonym,scientific_name`.
fn add_synonyms(taxa: &mut Taxa, path: &Path) -> Result<()> {
    let name = path.display().to_string();
    let mut file = std::fs::File::open(path).map_err(|e| Error::file(path, e))?;
    let mut header_seen = false;
    read_small(&name, &mut file, |line, fields| {
        let bad = |what: String| Error::usage(format!("{name}: line {line}: {what}"));
        match fields {
            ["synonym", "scientific_name"] if !header_seen => header_seen = true,
            _ if !header_seen => {
                return Err(bad("the header has to be synonym,scientific_name".into()));
            }
            [synonym, _] if synonym.trim().is_empty() => {
                return Err(bad("a synonym is empty".into()));
            }
            [synonym, species] => taxa.add_synonym(synonym, species).map_err(bad)?,
            other => return Err(bad(format!("{} fields; the header has 2", other.len()))),
        }
        Ok(())
    })?;
    if header_seen {
        return Ok(());
    }
    Err(Error::usage(format!("{name}: the header synonym,scientific_name is missing")))
}
