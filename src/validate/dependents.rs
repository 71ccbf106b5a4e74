//! Checks views and functions over the live table: parses or compiles them, and queries them
//! for a row, as the application, only if the user asks for that.

use std::sync::atomic::AtomicBool;

use serde_json::{Map, Value};

use super::check::Severity;
use super::report::CheckReport;
use super::subject::Subject;
use crate::application::Asker;
use crate::error::{Kind, Result};
use crate::pg::{Connection, interruptible};

pub(super) const NAME: &str = "dependents-answer";
const PURPOSE: &str = "views over the table can be parsed, functions that name it can be \
                       compiled, and those that are queried (--ask-dependents) answer";

/// Checks all of them, in the session's read-only transaction. `asker` queries only those that
/// belong to a superuser or to the connected role.
pub(super) async fn check(
    session: &Connection,
    subject: &Subject,
    asker: Option<&Asker>,
    stop: &AtomicBool,
) -> Result<CheckReport> {
    let list = include_str!("../../sql/validate/dependents.sql");
    let (mut wrong, mut left_out) = (Vec::new(), Vec::new());
    for row in session.query(list, &[&subject.checked_oid]).await? {
        let [kind, name]: [String; 2] = [row.get(0), row.get(1)];
        let [parsed, compiled, question]: [Option<String>; 3] =
            [row.get(2), row.get(3), row.get(4)];
        session.batch_execute(include_str!("../../sql/validate/filtered.sql")).await?;
        let mut answer = match (&parsed, &compiled) {
            (Some(sql), _) => interruptible(session, stop, session.prepare(sql)).await.map(drop),
            (None, Some(sql)) => interruptible(session, stop, session.batch_execute(sql)).await,
            (None, None) => {
                left_out.push(name.clone());
                Ok(())
            }
        };
        answer = match answer {
            Err(error) if error.kind() == Kind::Interrupted || error.sqlstate().is_none() => {
                return Err(error);
            }
            answer => answer,
        };
        session.batch_execute("ROLLBACK TO SAVEPOINT before").await?;
        if let (Ok(()), Some(asker), Some(question)) = (&answer, asker, &question) {
            answer = match asker.ask(question).await {
                // The application may not read it.
                Err(error) if error.sqlstate() == Some("42501") => {
                    left_out.push(name.clone());
                    Ok(())
                }
                asked => asked.map(drop),
            };
        }
        if let Err(error) = answer {
            let cells = [("kind", kind), ("name", name), ("answer", error.to_string())];
            let cells = cells.into_iter().map(|(key, text)| (key.into(), Value::String(text)));
            wrong.push(cells.collect::<Map<_, _>>());
        }
    }
    let count = wrong.len() as i64;
    let mut report = CheckReport::wrong(NAME.into(), Severity::Error, PURPOSE, count, wrong);
    if !left_out.is_empty() {
        report.detail.push_str(&format!("; not checked: {}", left_out.join(", ")));
    }
    Ok(report)
}
