//! Which roles sterna trusts in a database: superusers, and the role that it runs as. That
//! role often has more rights than the owner of the table, so no other role's code may run
//! with them.

use crate::error::{Error, Result};
use crate::pg::{CatalogText, Quoted, Session, Table, Transaction, fill};

/// Finds untrusted code on tables: those read or copied ($1), and those written to ($2).
pub(crate) const CODE: &str = include_str!("../sql/trust/code.sql");

/// The SQLSTATE raised by the guard function in the ledger when it finds such code.
const STRANGE_CODE: &str = "SN020";

/// The maximum number of items that an error lists.
const NAMED: usize = 10;

/// Makes sure that the schema `sterna`, if it exists, and everything in it belong to a
/// trusted role, and that no other role may write there. Reads only the catalog.
///
/// # Errors
/// Refused, listing who owns or may write what.
pub async fn ledger(session: &Session) -> Result<()> {
    let rows = session.query(include_str!("../sql/trust/ledger.sql"), &[]).await?;
    let lines: Vec<String> = rows.iter().map(|row| row.get(1)).collect();
    if lines.is_empty() {
        return Ok(());
    }
    let what = format!("other roles have control over the schema sterna: {}", named(&lines));
    Err(Error::refused(what).hint(
        "run sterna as the role that owns the ledger; if it belongs to somebody else and no run \
         in it is to be resumed or rolled back, have that schema dropped or renamed",
    ))
}

/// Lists code of untrusted roles that would run with this role's rights: on `tables`, which
/// are read or whose definition is copied, and on tables that are `written` to.
///
/// # Errors
/// Those of the server.
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
/// Refused, listing each function and its owner.
pub async fn code(session: &Session, tables: &[u32], written: &[u32]) -> Result<()> {
    refuse(&strange_code(session, tables, written).await?)
}

fn refuse(code: &[String]) -> Result<()> {
    if code.is_empty() {
        return Ok(());
    }
    let what = format!("code of other roles would run with this role's rights: {}", named(code));
    Err(Error::refused(what).hint(HINT))
}

/// Locks a table that the transaction is going to write to, and makes sure that no untrusted
/// code would run. Has to come first in the transaction.
///
/// # Errors
/// Those of [`code`]; also if the lock is not granted soon.
pub async fn before_writing(transaction: &Transaction<'_>, table: &Table, oid: u32) -> Result<()> {
    let names: [(&str, &dyn Quoted); 1] = [("table", table)];
    transaction.batch_execute(&fill(include_str!("../sql/trust/lock.sql"), &names)).await?;
    code(transaction, &[], &[oid]).await
}

/// Returns why a relation other than `table` must not be read, if so: it belongs to an
/// untrusted role, whose code in it would run with the rights of the connected role.
///
/// # Errors
/// Those of [`code`], if its owner is accepted.
pub async fn strange_beside(
    session: &Session,
    beside: &Table,
    table: &Table,
) -> Result<Option<String>> {
    let names = [beside.schema.name(), beside.name.name(), table.schema.name(), table.name.name()];
    let code = CODE.replace("$1", "ARRAY[c.oid]").replace("$2", "ARRAY[]");
    let code = CatalogText::from_catalog(code);
    let sql = fill(include_str!("../sql/trust/beside.sql"), &[("code", &code)]);
    let row = session.query_opt(&sql, &[&names[0], &names[1], &names[2], &names[3]]).await?;
    let Some(row) = row else { return Ok(None) };
    if let Some(whose) = row.get::<_, Option<String>>(0) {
        return Ok(Some(format!("{beside} {whose}")));
    }
    refuse(&row.get::<_, Vec<String>>(1))?;
    Ok(None)
}

/// Makes sure that a relation other than `table` may be read.
///
/// # Errors
/// Refused, naming its owner, or the owner of the code that would run.
pub async fn beside(session: &Session, beside: &Table, table: &Table) -> Result<()> {
    match strange_beside(session, beside, table).await? {
        None => Ok(()),
        Some(whose) => Err(Error::refused(format!(
            "{whose}, who could use it to run code with the rights of the connected role"
        ))
        .hint(format!(
            "if it is part of the application, give it to the owner of {table} \
             (ALTER ... OWNER TO); or connect as its owner"
        ))),
    }
}

/// Makes sure that a transaction that is going to write to a table would run no untrusted
/// code, and has to come first in it. Like [`before_writing`], for a table that only sterna
/// writes to.
///
/// # Errors
/// Those of [`code`].
pub async fn guard(session: &Session, oid: u32) -> Result<()> {
    let guarded = session.query_one(include_str!("../sql/trust/guard.sql"), &[&oid]).await;
    guarded.map(drop).map_err(|error| explain(error.into()))
}

/// Turns an error raised by the guard function into a refusal; returns any other unchanged.
#[must_use]
pub fn explain(error: Error) -> Error {
    match error.postgres().and_then(tokio_postgres::Error::as_db_error) {
        Some(said) if said.code().code() == STRANGE_CODE => {
            Error::refused(said.message().to_owned()).hint(HINT)
        }
        _ => error,
    }
}

/// The hint for code that belongs to an untrusted role.
pub const HINT: &str = "run sterna as the role that owns it, which is safest; or have a superuser \
    review each function and take ownership of it";

fn named(lines: &[String]) -> String {
    let mut text = lines.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    if lines.len() > NAMED {
        text.push_str(&format!("; and {} more", lines.len() - NAMED));
    }
    text
}
