//! 1.3: species and synonyms that the files need.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::site::Addition;
use super::{MigrationChoices, Site};
use crate::cli::commands::exclusive::json as value;
use crate::error::Result;
use crate::inspect::{InspectOptions, missing};
use crate::load::Years;
use crate::migrate::{Outcome, Verbs};
use crate::species::{self, NewSpecies};

/// How many taxa without a species the ledger names.
const NAMED: usize = 10;

pub(super) struct AddSpecies;

impl Verbs<Site, MigrationChoices> for AddSpecies {
    fn run(&self, site: &Site, args: &MigrationChoices) -> Result<Outcome> {
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
                        species::add(session, &pair.table, &new, id).await?
                    }
                    Addition::Synonym { name, of } => {
                        species::add_synonym(session, &pair.table, name, of, id).await?
                    }
                });
            }
            Ok(added)
        })?;
        let options = InspectOptions {
            table: site.exclusive.pair.table.clone(),
            inputs: args.inputs.clone(),
            read: args.load.read.options(),
            years: Years::default(),
            on_inexact: None,
            synonyms: args.load.synonyms.clone(),
            mapping: args.load.mapping.clone(),
            matching: None,
            workers: args.load.options(&site.exclusive.pair.table, &args.inputs).workers,
        };
        let missing = missing(&site.exclusive.info, &options, NAMED, &site.watch)?;
        let summary = match missing.names {
            0 => format!("{} added; every taxon maps to a species", added.len()),
            names => format!(
                "{} added; {} records of {names} taxa map to no species",
                added.len(),
                missing.rows_unmapped
            ),
        };
        let detail = json!({"added": value(&added)?, "missing": value(&missing)?});
        Ok(Outcome { summary, detail, ..Outcome::default() })
    }

    fn undo(&self, site: &Site, _: &Value) -> Result<Option<Value>> {
        let undone = site.exclusive.session_alone(async |session, pair| {
            let mut undone = Vec::new();
            // A synonym may be one of a species that was added before it.
            for addition in site.additions.iter().rev() {
                let id = addition.id(site.run);
                if species::stands(session, &pair.table, id).await? {
                    undone.push(species::undo(session, &pair.table, Some(id)).await?);
                }
            }
            Ok(undone)
        })?;
        if undone.is_empty() { Ok(None) } else { value(&undone).map(Some) }
    }
}
