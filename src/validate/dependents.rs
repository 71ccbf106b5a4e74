//! Views and functions over the live table: each is asked for a row, and has to
//! answer.

use std::sync::atomic::AtomicBool;

use serde_json::{Map, Value};

use super::check::Severity;
use super::report::CheckReport;
use super::subject::Subject;
use crate::error::{Kind, Result};
use crate::pg::{Connection, interruptible};

const NAME: &str = "dependents-answer";
const PURPOSE: &str = "views over the table and functions that name it answer when they are asked";

/// Asks all of them, in a read-only transaction that the session is in.
pub(super) async fn check(
    session: &Connection,
    subject: &Subject,
    stop: &AtomicBool,
) -> Result<CheckReport> {
    let list = include_str!("../../sql/validate/dependents.sql");
    let dependents = session.query(list, &[&subject.checked_oid]).await?;
    let mut silent = Vec::new();
    for row in &dependents {
        let (kind, name, question): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        session.batch_execute(include_str!("../../sql/validate/filtered.sql")).await?;
        match interruptible(session, stop, session.batch_execute(&question)).await {
            Ok(()) => {}
            Err(error) if error.kind() == Kind::Interrupted || error.sqlstate().is_none() => {
                return Err(error);
            }
            Err(error) => {
                let cells = [("kind", kind), ("name", name), ("answer", error.to_string())];
                let cells = cells.into_iter().map(|(key, text)| (key.into(), Value::String(text)));
                silent.push(cells.collect::<Map<_, _>>());
            }
        }
        session.batch_execute("ROLLBACK TO SAVEPOINT before").await?;
    }
    let count = silent.len() as i64;
    Ok(CheckReport::wrong(NAME.into(), Severity::Error, PURPOSE, count, silent))
}
