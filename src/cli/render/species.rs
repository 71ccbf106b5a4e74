//! Missing and added species as text.

use indicatif::HumanCount;

use super::screen::{laid_out, table};
use super::text::left_out;
use crate::command_line::shell_quoted;
use crate::error::counted;
use crate::inspect::{MissingReport, MissingTaxon};
use crate::species::{AddedSpecies, SpeciesUndone};

/// The taxa that map to no species.
#[must_use]
pub fn missing(report: &MissingReport) -> String {
    let (rows, read) = (HumanCount(report.rows_unmapped), counted(report.rows_read, "record"));
    let left_out: String =
        left_out(&report.left_out).iter().map(|line| format!("left out   {line}\n")).collect();
    if report.names == 0 {
        return format!("every taxon of {read} maps to a species\n{left_out}");
    }
    let mut table = table(["taxon without a species", "rows", "closest"], 1..2);
    for taxon in &report.taxa {
        let rows = HumanCount(taxon.rows).to_string();
        table.add_row([taxon.taxon.clone(), rows, taxon.closest.join(", ")]);
    }
    let more = report.names - report.taxa.len() as u64;
    let more =
        if more > 0 { format!("and {} more (--limit)\n", HumanCount(more)) } else { String::new() };
    format!(
        "{}\n{more}\n{} without a species in {rows} of {read}\n{left_out}{}",
        laid_out(table),
        counted(report.names, "taxon"),
        report.taxa.first().map(how_to_add).unwrap_or_default(),
    )
}

/// The commands that add a taxon, with its name filled in.
fn how_to_add(taxon: &MissingTaxon) -> String {
    let name = shell_quoted(&taxon.taxon);
    let closest = taxon
        .closest
        .first()
        .map_or("'NAME IN THE DATABASE'".to_owned(), |closest| shell_quoted(closest));
    format!(
        "\nto add the first of them, and likewise the others:\n\
         as a species     sterna species add --scientific-name {name} --like {closest} --common-name 'COMMON NAME'\n\
         as a synonym     sterna species add --synonym {name} --of {closest}\n"
    )
}

/// The result of an addition.
#[must_use]
pub fn added(addition: &AddedSpecies) -> String {
    match addition {
        AddedSpecies::Species { species_id, scientific_name, derived, .. } => {
            let from = if derived.is_empty() {
                String::new()
            } else {
                format!("; not given but derived: {}", derived.join(", "))
            };
            format!("added the species {scientific_name} ({species_id}){from}\n")
        }
        AddedSpecies::Synonym { synonym, scientific_name, .. } => {
            format!("loads map {synonym} to {scientific_name} from now on\n")
        }
        AddedSpecies::Exists { name, scientific_name } if name == scientific_name => {
            format!("{name} exists already; nothing was done\n")
        }
        AddedSpecies::Exists { name, scientific_name } => {
            format!("{name} already stands for {scientific_name}; nothing was done\n")
        }
    }
}

/// The result of an undo.
#[must_use]
pub fn undone(undone: &SpeciesUndone) -> String {
    let before = if undone.was_there { "" } else { ", which was gone already" };
    format!("took {} back{before}\n", undone.name)
}
