//! Adds a row to the species table.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::{AddedSpecies, ID, NAME, beside, existing, taxa};
use crate::error::{Error, Result};
use crate::pg::{Column, Columns, Connection, Ident, Quoted, Table, catalog, explain_denied, fill};
use crate::trust;

/// The columns that a species shares with a relative: the ranks above it.
const SHARED: [&str; 7] =
    ["kingdom", "phylum", "class", "order_name", "family", "genus", "family_id"];

/// A species to add.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewSpecies {
    /// Its scientific name.
    pub scientific_name: String,
    /// Values of other columns, as text for the server.
    pub values: BTreeMap<String, String>,
    /// A species from which ranks that are not given are taken.
    pub like: Option<String>,
}

/// Adds a species and records it in the ledger. Genus and epithet are taken from the name if
/// they are not given.
///
/// The session must be prepared by [`crate::table::staging::pair`].
///
/// # Errors
/// A usage error that names each column that must have a value and has none, or a column that
/// does not exist.
pub async fn add(
    session: &mut Connection,
    trade: &Table,
    new: &NewSpecies,
    run: Uuid,
) -> Result<AddedSpecies> {
    let name = new.scientific_name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return Err(Error::usage("the scientific name is empty"));
    }
    let (species, oid) = beside(session, trade).await?;
    let columns = catalog::columns(session, oid).await?;
    let names: [(&str, &dyn Quoted); 1] = [("species", &species)];
    let transaction = session.transaction().await?;
    let lock = fill(include_str!("../../sql/species/lock.sql"), &names);
    transaction.batch_execute(&lock).await.map_err(|e| explain_denied(e.into()))?;
    trust::code(&transaction, &[], &[oid]).await?;
    let taxa = taxa(&transaction, &species).await.map_err(explain_denied)?;
    if let Some(exists) = existing(&taxa, &name) {
        return Ok(exists);
    }
    let relative = match &new.like {
        None => None,
        Some(like) => {
            let index = taxa.find(like).ok_or_else(|| {
                Error::usage(format!("{like:?} is not the name of a species in the database"))
            })?;
            let sql = fill(include_str!("../../sql/species/relative.sql"), &names);
            let row = transaction.query_one(&sql, &[&taxa.species(index).id]).await?;
            Some(row.get::<_, Json<Map<String, Value>>>(0).0)
        }
    };
    let (given, derived) = values(&name, new, relative.as_ref(), &columns, &species)?;
    let used = given.keys().map(Ident::new).collect::<Result<_>>()?;
    let insert = fill(
        include_str!("../../sql/species/insert.sql"),
        &[("species", &species), ("columns", &Columns(used))],
    );
    let row = transaction
        .query_one(&insert, &[&Json(&given)])
        .await
        .map_err(|e| explain_denied(Error::from(e).context(format!("could not add {name}"))))?;
    let species_id: Uuid = row.get(0);
    let record = include_str!("../../sql/species/record.sql");
    let (schema, table) = (species.schema.name(), species.name.name());
    let (id, version) = (species_id.to_string(), env!("CARGO_PKG_VERSION"));
    transaction
        .execute(record, &[&run, &schema, &table, &id, &name, &Json(&given), &version])
        .await?;
    transaction.commit().await?;
    Ok(AddedSpecies::Species { run_id: run, species_id, scientific_name: name, derived })
}

/// The values by column, and the columns whose values were derived.
fn values(
    name: &str,
    new: &NewSpecies,
    relative: Option<&Map<String, Value>>,
    columns: &[Column],
    table: &Table,
) -> Result<(Map<String, Value>, Vec<String>)> {
    let present = |name: &str| columns.iter().any(|column| column.name.name() == name);
    let mut given = Map::new();
    given.insert(NAME.to_owned(), name.into());
    for (column, value) in &new.values {
        if !present(column) {
            return Err(Error::usage(format!("{table} has no column {column}")));
        }
        given.insert(column.clone(), value.as_str().into());
    }
    let mut derived = Vec::new();
    let mut derive = |column: &str, value: Value| {
        if present(column) && !given.contains_key(column) && !value.is_null() {
            given.insert(column.to_owned(), value);
            derived.push(column.to_owned());
        }
    };
    for column in SHARED {
        derive(column, relative.and_then(|row| row.get(column)).cloned().unwrap_or_default());
    }
    if let Some((genus, epithet)) = name.split_once(' ') {
        derive("genus", genus.into());
        derive("species_name", epithet.into());
    }
    let lacking = columns.iter().filter(|column| {
        column.not_null
            && column.default.is_none()
            && !(column.generated || column.identity)
            && !given.contains_key(column.name.name())
    });
    let flags: Vec<String> = lacking.map(|column| flag(column.name.name())).collect();
    if flags.is_empty() {
        return Ok((given, derived));
    }
    let error = Error::usage(format!("{table} needs more values: {}", flags.join(", ")));
    Err(match new.like {
        None => error.hint("give them, or name a relative with --like to copy its ranks"),
        Some(_) => error.hint("give them; --like copies only the ranks"),
    })
}

/// The option that gives a column its value.
fn flag(column: &str) -> String {
    match column {
        "common_name" | "kingdom" | "phylum" | "class" | "family" | "genus" | "species_name"
        | "authority" => format!("--{}", column.replace('_', "-")),
        "order_name" => "--order".into(),
        ID => "--set id=UUID".into(),
        other => format!("--set {other}=VALUE"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn column(name: &str, not_null: bool) -> Column {
        Column {
            name: Ident::new(name).unwrap(),
            kind: None,
            sql_type: "text".into(),
            not_null,
            default: None,
            generated: false,
            identity: false,
        }
    }

    fn given(
        new: &NewSpecies,
        relative: Option<Value>,
    ) -> Result<(Map<String, Value>, Vec<String>)> {
        let names =
            ["scientific_name", "common_name", "order_name", "genus", "species_name", "zone"];
        let columns: Vec<_> = names.iter().map(|name| column(name, *name != "zone")).collect();
        let relative = relative.map(|row| row.as_object().unwrap().clone());
        let table = Table::new("public", "species").unwrap();
        values("Branta hutchinsii leucopareia", new, relative.as_ref(), &columns, &table)
    }

    #[test]
    fn what_is_given_comes_before_a_relatives_and_the_names_own() {
        let mut new = NewSpecies { like: Some("x".into()), ..NewSpecies::default() };
        new.values.insert("common_name".into(), "Aleutian Cackling Goose".into());
        new.values.insert("zone".into(), "3".into());
        let relative = json!({"order_name": "Anseriformes", "common_name": "Goose", "zone": "9"});
        let (given, derived) = given(&new, Some(relative)).unwrap();
        assert_eq!(derived, ["order_name", "genus", "species_name"]);
        assert_eq!(given["common_name"], "Aleutian Cackling Goose");
        assert_eq!(given["species_name"], "hutchinsii leucopareia");
        assert_eq!(given["zone"], "3");
    }

    #[test]
    fn every_lacking_column_is_named_by_its_option() {
        let error = given(&NewSpecies::default(), None).unwrap_err();
        assert!(error.to_string().ends_with(": --common-name, --order"), "{error}");
        assert_eq!(error.kind().exit_code(), 2);
        let mut unknown = NewSpecies::default();
        unknown.values.insert("colour".into(), "grey".into());
        assert!(given(&unknown, None).unwrap_err().to_string().ends_with("no column colour"));
    }
}
