//! Values for the parameters of checks, and their placeholders in the text of a check.

use std::collections::BTreeMap;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::pg::{Quoted, SqlText, Typed, fill};

/// A value, which is sent as a query parameter and never as part of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Flag(bool),
    Integer(i64),
    Share(f64),
    Oid(u32),
    Years(Vec<i32>),
    Texts(Vec<String>),
    Ids(Vec<Uuid>),
    Json(serde_json::Value),
}

impl Value {
    fn type_name(&self) -> &'static str {
        match self {
            Value::Flag(_) => "boolean",
            Value::Integer(_) => "bigint",
            Value::Share(_) => "double precision",
            Value::Oid(_) => "oid",
            Value::Years(_) => "integer[]",
            Value::Texts(_) => "text[]",
            Value::Ids(_) => "uuid[]",
            Value::Json(_) => "jsonb",
        }
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Value::Flag(value) => value.to_sql(ty, out),
            Value::Integer(value) => value.to_sql(ty, out),
            Value::Share(value) => value.to_sql(ty, out),
            Value::Oid(value) => value.to_sql(ty, out),
            Value::Years(value) => value.to_sql(ty, out),
            Value::Texts(value) => value.to_sql(ty, out),
            Value::Ids(value) => value.to_sql(ty, out),
            Value::Json(value) => value.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        // The text casts each placeholder to the type of its value.
        true
    }

    to_sql_checked!();
}

/// What the placeholders of checks stand for: quoted names, and values as parameters.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    names: BTreeMap<&'static str, SqlText>,
    values: BTreeMap<&'static str, Value>,
}

impl Known {
    pub(super) fn name(&mut self, key: &'static str, name: &dyn Quoted) {
        self.names.insert(key, SqlText::quoted(name));
    }

    pub(super) fn value(&mut self, key: &'static str, value: Value) {
        self.values.insert(key, value);
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.names.contains_key(key) || self.values.contains_key(key)
    }

    /// Fills in `template`, and adds the values that it uses to `sent`.
    pub(super) fn fill(&self, template: &str, sent: &mut Vec<Value>) -> SqlText {
        let mut parts: Vec<(&str, SqlText)> =
            self.names.iter().map(|(key, name)| (*key, name.clone())).collect();
        for (key, value) in &self.values {
            if template.contains(&format!("{{{key}}}")) {
                sent.push(value.clone());
                parts.push((key, SqlText::parameter(sent.len(), value.type_name())));
            }
        }
        let parts: Vec<(&str, &dyn Quoted)> =
            parts.iter().map(|(key, part)| (*key, part as &dyn Quoted)).collect();
        SqlText::filled(template, &parts)
    }

    /// As [`Known::fill`], but returns a statement with its values.
    pub(super) fn statement(&self, template: &str) -> (String, Vec<Value>) {
        let mut sent = Vec::new();
        let sql = self.fill(template, &mut sent);
        (fill("{sql}", &[("sql", &sql)]), sent)
    }
}

impl Typed for Value {
    fn sql_type(&self) -> Type {
        match self {
            Value::Flag(_) => Type::BOOL,
            Value::Integer(_) => Type::INT8,
            Value::Share(_) => Type::FLOAT8,
            Value::Oid(_) => Type::OID,
            Value::Years(_) => Type::INT4_ARRAY,
            Value::Texts(_) => Type::TEXT_ARRAY,
            Value::Ids(_) => Type::UUID_ARRAY,
            Value::Json(_) => Type::JSONB,
        }
    }
}

/// The values in the form that a session takes.
pub(super) fn references(values: &[Value]) -> Vec<&dyn Typed> {
    values.iter().map(|value| value as &dyn Typed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::Table;

    #[test]
    fn names_are_quoted_and_values_have_places() {
        let mut known = Known::default();
        known.name("checked", &Table::new("s", "t").unwrap());
        known.value("years", Value::Years(vec![2020]));
        known.value("unused", Value::Flag(true));
        let (sql, sent) =
            known.statement("x FROM {checked} WHERE y = ANY ({years}) OR {years} {z}");
        assert_eq!(sql, "x FROM \"s\".\"t\" WHERE y = ANY ($1::integer[]) OR $1::integer[] {z}");
        assert_eq!(sent, [Value::Years(vec![2020])]);
        assert!(known.has("years") && !known.has("z"));
    }
}
