//! `sterna species`: lists taxa that map to no species, and adds species and synonyms.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use super::Context;
use super::load::ReadChoices;
use super::step::{AsStep, as_step, mark_undone, plain};
use crate::cli::render;
use crate::error::{Error, Result};
use crate::inspect::{InspectOptions, missing};
use crate::load::Years;
use crate::migrate::Step;
use crate::species::{self, AddedSpecies, NewSpecies, SpeciesUndone};
use crate::table::partition::Takes;
use crate::watch::Watch;

/// Find taxa without a species; add species and synonyms
#[derive(Args, Clone, Debug)]
pub struct SpeciesArgs {
    /// The action.
    #[command(subcommand)]
    pub action: SpeciesAction,
}

/// Actions on species.
#[derive(Clone, Debug, Subcommand)]
#[allow(missing_docs, reason = "a doc comment here would replace the arguments' own help")]
pub enum SpeciesAction {
    Missing(MissingArgs),
    Add(Box<AddArgs>),
    Undo(UndoArgs),
}

/// List the taxa in files that map to no species, with the closest species
#[derive(Args, Clone, Debug)]
pub struct MissingArgs {
    /// CSV files, .csv.gz, .zip, folders, globs, or - for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Inspect these years only: 2024, 2015-2020, or several with commas [default: all]
    #[arg(long, value_name = "Y")]
    pub year: Vec<Years>,
    /// CSV file of synonyms, with the header synonym,scientific_name
    #[arg(long, value_name = "FILE")]
    pub synonyms: Option<PathBuf>,
    /// TOML file of formats, in place of the built-in ones (see data/formats.toml)
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// How the files are read.
    #[command(flatten)]
    pub read: ReadChoices,
    /// Number of taxa to list, most frequent first
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub limit: usize,
}

/// Add a species, or a synonym of one, and record it in the ledger
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  sterna species add --scientific-name 'Branta hutchinsii leucopareia' \\
      --common-name 'Aleutian Cackling Goose' --like 'Branta canadensis leucopareia'
  sterna species add --synonym 'Branta hutchinsii leucopareia' \\
      --of 'Branta canadensis leucopareia'

Loads and inspections use the added synonyms. `sterna species undo` undoes the last addition,
as long as nothing refers to it.")]
pub struct AddArgs {
    /// Scientific name of the new species
    #[arg(long, value_name = "NAME", required_unless_present = "synonym")]
    pub scientific_name: Option<String>,
    /// Another name for a species of the database, used in files
    #[arg(long, value_name = "NAME", requires = "of", conflicts_with = "scientific_name")]
    pub synonym: Option<String>,
    /// The species that the synonym stands for
    #[arg(long, value_name = "NAME", requires = "synonym")]
    pub of: Option<String>,
    /// Species to copy the missing ranks from
    #[arg(long, value_name = "NAME", conflicts_with = "synonym")]
    pub like: Option<String>,
    /// The values of its columns.
    #[command(flatten)]
    pub values: ValueArgs,
}

/// The column values of a new species.
#[derive(Args, Clone, Debug)]
#[group(conflicts_with = "synonym", multiple = true)]
pub struct ValueArgs {
    /// Common name
    #[arg(long, value_name = "NAME")]
    pub common_name: Option<String>,
    /// Kingdom
    #[arg(long, value_name = "NAME")]
    pub kingdom: Option<String>,
    /// Phylum
    #[arg(long, value_name = "NAME")]
    pub phylum: Option<String>,
    /// Class
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,
    /// Order
    #[arg(long, value_name = "NAME")]
    pub order: Option<String>,
    /// Family
    #[arg(long, value_name = "NAME")]
    pub family: Option<String>,
    /// Genus [default: the relative's, else the first word of the scientific name]
    #[arg(long, value_name = "NAME")]
    pub genus: Option<String>,
    /// Epithet [default: what follows the first word of the scientific name]
    #[arg(long, value_name = "NAME")]
    pub species_name: Option<String>,
    /// Author and year of the name
    #[arg(long, value_name = "TEXT")]
    pub authority: Option<String>,
    /// Any other column (repeatable)
    #[arg(long, value_name = "COLUMN=VALUE")]
    pub set: Vec<String>,
}

/// Undo the last addition, as long as nothing refers to it
#[derive(Args, Clone, Debug)]
pub struct UndoArgs {
    /// The addition to undo [default: the last one]
    #[arg(long, value_name = "RUN_ID")]
    pub run: Option<Uuid>,
}

/// Runs the command, prints the result, and returns the exit code.
///
/// # Errors
/// As [`missing`], [`species::add`], [`species::add_synonym`] and [`species::undo`].
pub fn run(args: &SpeciesArgs, context: &Context) -> Result<u8> {
    match &args.action {
        SpeciesAction::Missing(args) => look(args, context)?,
        SpeciesAction::Add(args) => {
            let done = add(args, context)?;
            context.print(&done, || render::species::added(&done))?;
        }
        SpeciesAction::Undo(args) => {
            let done = undo(args, context)?;
            context.print(&done, || render::species::undone(&done))?;
        }
    }
    Ok(0)
}

fn look(args: &MissingArgs, context: &Context) -> Result<()> {
    let mut years = Years::default();
    for more in &args.year {
        years.extend(more.clone());
    }
    let options = InspectOptions {
        read: args.read.options(),
        years,
        synonyms: args.synonyms.clone(),
        mapping: args.mapping.clone(),
        ..InspectOptions::new(context.table.clone(), args.inputs.clone())
    };
    let watch = Arc::new(Watch::default());
    context.stop_on_signal(&watch)?;
    let progress = render::progress::Shown::start(context.progress, &watch);
    let found = missing(&context.conninfo()?, &options, args.limit, &watch);
    progress.finish();
    let found = found?;
    context.print(&found, || render::species::missing(&found))
}

fn add(args: &AddArgs, context: &Context) -> Result<AddedSpecies> {
    let new = NewSpecies {
        scientific_name: args.scientific_name.clone().unwrap_or_default(),
        values: values(&args.values)?,
        like: args.like.clone(),
    };
    let watch = Arc::new(Watch::default());
    let arguments = json!({
        "scientific_name": args.scientific_name, "like": args.like,
        "synonym": args.synonym, "of": args.of,
    });
    let what = AsStep { step: Step::Species, arguments, told: plain, watch: &watch };
    as_step(context, &what, |exclusive, _| {
        exclusive.session(async |session, pair| {
            let run = Uuid::new_v4();
            match (&args.synonym, &args.of) {
                (Some(synonym), Some(of)) => {
                    species::add_synonym(session, &pair.whole, synonym, of, run).await
                }
                _ => species::add(session, &pair.whole, &new, run).await,
            }
        })
    })
}

fn undo(args: &UndoArgs, context: &Context) -> Result<SpeciesUndone> {
    let exclusive = context.exclusive(Takes::Partitions, &Arc::new(Watch::default()))?;
    // Staging has no foreign keys during a load: no load may start using the species while
    // we look for references to it.
    let done = exclusive
        .session_alone(async |session, pair| species::undo(session, &pair.whole, args.run).await)?;
    mark_undone(&exclusive, &[Step::Species])?;
    exclusive.release();
    Ok(done)
}

/// The given values by column.
fn values(args: &ValueArgs) -> Result<BTreeMap<String, String>> {
    let named = [
        ("common_name", &args.common_name),
        ("kingdom", &args.kingdom),
        ("phylum", &args.phylum),
        ("class", &args.class),
        ("order_name", &args.order),
        ("family", &args.family),
        ("genus", &args.genus),
        ("species_name", &args.species_name),
        ("authority", &args.authority),
    ];
    let mut values = BTreeMap::new();
    for (column, value) in named {
        values.extend(value.clone().map(|value| (column.to_owned(), value)));
    }
    for pair in &args.set {
        let Some((column, value)) = pair.split_once('=') else {
            return Err(Error::usage(format!("--set {pair:?} is not COLUMN=VALUE")));
        };
        if values.insert(column.to_owned(), value.to_owned()).is_some() {
            return Err(Error::usage(format!("{column} is given twice")));
        }
    }
    Ok(values)
}
