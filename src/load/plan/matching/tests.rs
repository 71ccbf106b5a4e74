//! Tests of matching decisions, without a database.

use super::*;
use crate::cites::Formats;

fn column(name: &str, sql_type: &str) -> Column {
    Column {
        name: Ident::new(name).unwrap(),
        kind: ColumnType::from_catalog(sql_type, -1),
        sql_type: sql_type.into(),
        not_null: false,
        default: None,
        generated: false,
        identity: false,
    }
}

fn name(name: &str) -> Ident {
    Ident::new(name).unwrap()
}

/// A table of notes on things, whose files fill `code` and `label`.
struct Case {
    columns: Vec<Column>,
    mapping: &'static str,
    production: Production,
    options: MatchOptions,
}

impl Case {
    fn new(mapping: &'static str) -> Self {
        Case {
            columns: vec![
                Column { identity: true, generated: true, not_null: true, ..column("id", "int8") },
                column("code", "text"),
                column("label", "text"),
                column("notes", "jsonb"),
            ],
            mapping,
            production: Production {
                unique: vec![vec![name("id")], vec![name("code")]],
                primary: vec![name("id")],
                has_rows: true,
                ..Production::default()
            },
            options: MatchOptions::default(),
        }
    }

    fn decide(&self) -> Result<Matching> {
        let text = format!("[[format]]\nname = \"things\"\n{}", self.mapping);
        let formats = Formats::parse(&text, "m.toml").unwrap();
        let table = Table::new("public", "things").unwrap();
        decide(&table, &self.columns, &[formats.get(0)], &self.production, &self.options)
    }
}

const FILLED: &str = "[format.columns]\n\"Code\" = \"code\"\n\"Label\" = \"label\"\n";
const NO_KEY: &str = "[format.columns]\n\"Label\" = \"label\"\n";

#[test]
fn a_unique_key_that_the_files_fill_tells_rows_apart() {
    let found = Case::new(FILLED).decide().unwrap();
    assert_eq!((found.way, &found.by.0), (Way::Server, &vec![name("code")]));
    assert_eq!(found.uses.of(Treatment::Kept), ["id", "notes"]);
    assert_eq!(found.uses.of(Treatment::Filled), ["code", "label"]);
    let mut asked = Case::new(FILLED);
    asked.options.by = vec!["label".into()];
    assert_eq!(asked.decide().unwrap().by.0, [name("label")]);
}

#[test]
fn what_cannot_be_asked_for_is_named() {
    for (by, why) in [("weight", "no column \"weight\""), ("notes", "do not fill column \"notes\"")]
    {
        let mut case = Case::new(FILLED);
        case.options.by = vec![by.into()];
        let error = case.decide().unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn nothing_is_lost_for_want_of_a_key() {
    let mut case = Case::new(NO_KEY);
    let error = case.decide().unwrap_err();
    assert_eq!(error.kind(), crate::error::Kind::Unsafe);
    assert!(error.to_string().contains("the key id and the values of code, notes"), "{error}");
    let hint = error.next_step().unwrap();
    assert!(hint.contains("\"FIELD\" = \"id\"") && hint.contains("--unfilled default"), "{hint}");

    // No table refers to the ids, so new ones can be requested.
    case.options.unfilled = Unfilled::Default;
    assert_eq!(case.decide().unwrap().uses.of(Treatment::Kept), [""; 0]);
    case.production.referred = vec![(name("id"), "public.kids".into())];
    let error = case.decide().unwrap_err();
    assert!(error.to_string().contains("to which public.kids refers"), "{error}");
    assert!(!error.next_step().unwrap().contains("--unfilled"), "{error:?}");

    // There is nothing to lose.
    case.production.has_rows = false;
    let found = case.decide().unwrap();
    assert_eq!((found.way, found.by.0.len()), (Way::Server, 0));
}

#[test]
fn defaults_are_asked_for_but_never_for_keys_that_can_be_kept() {
    let mut case = Case::new(FILLED);
    case.options.unfilled = Unfilled::Default;
    let found = case.decide().unwrap();
    assert_eq!(found.uses.of(Treatment::Kept), ["id"]);
    assert_eq!(found.uses.of(Treatment::Default), ["notes"]);
}

#[test]
fn a_value_that_has_to_be_there_comes_from_the_files_or_from_production() {
    let mut case = Case::new(FILLED);
    case.columns[3].not_null = true;
    assert_eq!(case.decide().unwrap().uses.of(Treatment::Kept), ["id", "notes"]);
    case.options.unfilled = Unfilled::Default;
    let error = case.decide().unwrap_err();
    assert!(error.to_string().contains("\"notes\" of \"public\".\"things\" is NOT NULL"));
}

#[test]
fn the_client_carries_row_ids_over_where_there_is_nothing_else_to_keep() {
    let mapping = "record_id = \"Code\"\nrow_id = \"id\"\n[format.columns]\n\"Code\" = \"code\"\n\
                   \"Label\" = \"label\"\n\"Notes\" = \"notes\"\n";
    let mut case = Case::new(mapping);
    case.columns[0] = column("id", "uuid");
    assert_eq!(case.decide().unwrap().way, Way::Client);
    case.production.is_large = true;
    assert_eq!(case.decide().unwrap().way, Way::Server);
    case.production.is_large = false;
    case.columns[1].kind = Some(ColumnType::BigInt);
    assert_eq!(case.decide().unwrap().way, Way::Server);
    case.columns[1].kind = Some(ColumnType::Text);
    case.columns.push(column("tags", "_text"));
    let found = case.decide().unwrap();
    assert_eq!((found.way, found.uses.of(Treatment::Kept)), (Way::Server, vec!["id", "tags"]));
}

#[test]
fn what_files_of_one_format_lack_is_kept_or_takes_its_default() {
    let text = "[[format]]\nname = \"long\"\n[format.columns]\n\"Code\" = \"code\"\n\"Label\" = \"label\"\n\
                [[format]]\nname = \"short\"\n[format.columns]\n\"Code\" = \"code\"\n";
    let formats = Formats::parse(text, "m.toml").unwrap();
    let both = [formats.get(0), formats.get(1)];
    let table = Table::new("public", "things").unwrap();
    let mut case = Case::new(FILLED);
    case.columns.remove(0);
    let decide = |case: &Case| {
        decide(&table, &case.columns, &both, &case.production, &case.options).unwrap()
    };
    let found = decide(&case);
    assert_eq!((found.way, found.uses.of(Treatment::Kept)), (Way::Server, vec!["label", "notes"]));
    assert_eq!(
        found.uses.unfilled(),
        ["kept where code is production's: label (files of short), notes"]
    );
    assert!(found.uses.is_filled("label") && !found.uses.is_filled("notes"));
    // Without a default, rows of such files have NULL from the start.
    case.options.unfilled = Unfilled::Default;
    assert_eq!(decide(&case).way, Way::Nobody);
    case.columns[1].default = Some("'none'".into());
    let found = decide(&case);
    assert_eq!(
        (found.way, found.uses.of(Treatment::Default)),
        (Way::Server, vec!["label", "notes"])
    );
    // A record of such a file is rejected if it gets no value.
    case.columns[1] = Column { not_null: true, ..column("label", "text") };
    assert_eq!(decide(&case).required, None);
}
