//! Step 1.3: adds species and synonyms that the files need.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Definition, MigrationOptions, Site};
use crate::error::{Result, grouped};
use crate::inspect::{InspectOptions, missing};
use crate::migrate::additions::Addition;
use crate::migrate::outcome::StepOutcome;
use crate::migrate::outcome::value;
use crate::migrate::plan::{Rows, Statement, Step, StepPlan};
use crate::species::{self, NewSpecies};

/// The number of taxa without a species that the ledger names.
const NAMED: usize = 10;
/// Those of them that the warning names.
const WARNED: usize = 3;

pub(super) const STEP: Definition = Definition {
    plan: StepPlan {
        step: Step::Species,
        number: "1.3",
        name: "species",
        title: "add missing species and synonyms",
        does: "Adds what --add-species and --add-synonym name, and reports which taxa of the \
               files still map to no species.",
        statements: &[sql!("species/insert.sql"), sql!("species/insert-synonym.sql")],
        locks: "SHARE ROW EXCLUSIVE on species, while it is written",
        transaction: "one for each addition",
        validated_by: "each name maps to a species",
        undone_by: "deleting what was added, as long as nothing refers to it",
        leaves_traces: true,
        is_gate: false,
        rows: Rows::Few,
    },
    act,
    validate: None,
    undo: Some(undo),
};

fn act(site: &Site, args: &MigrationOptions) -> Result<StepOutcome> {
    let added = site.exclusive.session(async |session, pair| {
        let mut added = Vec::new();
        for addition in &site.additions {
            let id = addition.id(site.run);
            added.push(match addition {
                Addition::Species { name, common_name, like } => {
                    let (scientific_name, like) = (name.clone(), like.clone());
                    let common = common_name.iter().map(|n| ("common_name".into(), n.clone()));
                    let values = BTreeMap::from_iter(common);
                    let new = NewSpecies { scientific_name, like, values };
                    species::add(session, &pair.whole, &new, id).await?
                }
                Addition::Synonym { name, of } => {
                    species::add_synonym(session, &pair.whole, name, of, id).await?
                }
            });
        }
        Ok(added)
    })?;
    let options = InspectOptions { on_inexact: None, ..args.inspection() };
    let missing = missing(&site.exclusive.info, &options, NAMED, &site.watch)?;
    let summary = match missing.names {
        0 => format!("{} added; every taxon maps to a species", added.len()),
        names => format!(
            "{} added; {} of {} records map to no species and will not be loaded, with {} taxa",
            added.len(),
            grouped(missing.rows_unmapped),
            grouped(missing.rows_read),
            grouped(names)
        ),
    };
    if missing.names > 0 {
        let names = missing.taxa.iter().take(WARNED).map(|taxon| taxon.taxon.as_str());
        tracing::warn!(
            "{} of {} records map to no species and will not be loaded, most often of {}; \
             `sterna species missing INPUT` lists the taxa and how to add them",
            grouped(missing.rows_unmapped),
            grouped(missing.rows_read),
            names.collect::<Vec<_>>().join(", ")
        );
    }
    let detail = json!({"added": value(&added)?, "missing": value(&missing)?});
    Ok(StepOutcome { summary, detail, ..StepOutcome::default() })
}

fn undo(site: &Site) -> Result<Option<Value>> {
    let undone = site.exclusive.session_alone(async |session, pair| {
        let mut undone = Vec::new();
        // A synonym may belong to a species that was added before it.
        for addition in site.additions.iter().rev() {
            let id = addition.id(site.run);
            if species::stands(session, &pair.table, id).await? {
                undone.push(species::undo(session, &pair.whole, Some(id)).await?);
            }
        }
        Ok(undone)
    })?;
    if undone.is_empty() { Ok(None) } else { value(&undone).map(Some) }
}
