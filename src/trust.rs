//! Whom sterna trusts in a database: superusers, and the role that it runs as. It often has
//! more rights than whoever owns the table, so nobody else's code is to run with them.

use crate::error::{Error, Result};
use crate::pg::{Quoted, Session, Table, Transaction, fill};

/// Asks for code of others: on tables of the first parameter, and of the second.
pub(crate) const CODE: &str = include_str!("../sql/trust/code.sql");

/// What the server says where the guard of the ledger has found some.
const STRANGE_CODE: &str = "SN020";

/// How many things are named.
const NAMED: usize = 10;

/// Makes sure that the schema `sterna`, where there is one, and all that is in it belong
/// to a trusted role, and that nobody else may write there. Reads the catalog alone.
///
/// # Errors
/// Refused with who owns what.
pub async fn ledger(session: &Session) -> Result<()> {
    let rows = session.query(include_str!("../sql/trust/ledger.sql"), &[]).await?;
    let lines: Vec<String> = rows.iter().map(|row| row.get(1)).collect();
    if lines.is_empty() {
        return Ok(());
    }
    let what = format!("the schema sterna is not this role's alone: {}", named(&lines));
    Err(Error::refused(what).hint(
        "run sterna as the role that the ledger belongs to; where it is another's and no run in \
         it is to be resumed or rolled back, have that schema dropped or renamed",
    ))
}

/// Code that would run with this role's rights and belongs to somebody else: on tables
/// that are read or that others are made like, and on tables that are `written` to.
///
/// # Errors
/// The server's.
pub async fn strange_code(
    session: &Session,
    tables: &[u32],
    written: &[u32],
) -> Result<Vec<String>> {
    let rows = session.query(CODE, &[&tables, &written]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Makes sure that there is no [`strange_code`].
///
/// # Errors
/// Refused with each function, and whose it is.
pub async fn code(session: &Session, tables: &[u32], written: &[u32]) -> Result<()> {
    let lines = strange_code(session, tables, written).await?;
    if lines.is_empty() {
        return Ok(());
    }
    let what = format!("code of other roles would run with this role's rights: {}", named(&lines));
    Err(Error::refused(what).hint(HINT))
}

/// Locks a table that the transaction is going to write to, first of all that it does, and
/// makes sure that nobody else's code runs then.
///
/// # Errors
/// As [`code`], and where the lock is not to be had soon.
pub async fn before_writing(transaction: &Transaction<'_>, table: &Table, oid: u32) -> Result<()> {
    let names: [(&str, &dyn Quoted); 1] = [("table", table)];
    transaction.batch_execute(&fill(include_str!("../sql/trust/lock.sql"), &names)).await?;
    code(transaction, &[], &[oid]).await
}

/// Why a relation beside `table` is not to be read: it is another role's, and what that
/// role has planted in it would run with the rights of the connected one.
///
/// # Errors
/// As [`code`], where it is the table's owner's.
pub async fn strange_beside(
    session: &Session,
    beside: &Table,
    table: &Table,
) -> Result<Option<String>> {
    let names = [beside.schema.name(), beside.name.name(), table.schema.name(), table.name.name()];
    let sql = include_str!("../sql/trust/beside.sql");
    let row = session.query_opt(sql, &[&names[0], &names[1], &names[2], &names[3]]).await?;
    let Some(row) = row else { return Ok(None) };
    if let Some(whose) = row.get::<_, Option<String>>(1) {
        return Ok(Some(format!("{beside} {whose}")));
    }
    code(session, &[row.get(0)], &[]).await?;
    Ok(None)
}

/// Makes sure that a relation beside `table` may be read.
///
/// # Errors
/// Refused with whose it is, or with whose code reading it would run.
pub async fn beside(session: &Session, beside: &Table, table: &Table) -> Result<()> {
    match strange_beside(session, beside, table).await? {
        None => Ok(()),
        Some(whose) => Err(Error::refused(format!(
            "{whose}, who could run anything with the rights of the connected role by it"
        ))
        .hint(format!(
            "give it to the owner of {table} where it is the application's (ALTER ... OWNER TO), \
             or connect as its owner"
        ))),
    }
}

/// Makes sure, first of all in a transaction that is going to write to a table, that nobody
/// else's code runs then. As [`before_writing`], on a table that sterna alone writes to.
///
/// # Errors
/// As [`code`].
pub async fn guard(session: &Session, oid: u32) -> Result<()> {
    let guarded = session.query_one(include_str!("../sql/trust/guard.sql"), &[&oid]).await;
    guarded.map(drop).map_err(|error| explain(error.into()))
}

/// An error of the server's, as a refusal where it is the guard's.
#[must_use]
pub fn explain(error: Error) -> Error {
    match error.postgres().and_then(tokio_postgres::Error::as_db_error) {
        Some(said) if said.code().code() == STRANGE_CODE => {
            Error::refused(said.message().to_owned()).hint(HINT)
        }
        _ => error,
    }
}

/// What to do about code that belongs to somebody else.
pub const HINT: &str = "run sterna as the role that owns it, which is safest; or have a superuser \
    look at each and own it";

fn named(lines: &[String]) -> String {
    let mut text = lines.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    if lines.len() > NAMED {
        text.push_str(&format!("; and {} more", lines.len() - NAMED));
    }
    text
}
