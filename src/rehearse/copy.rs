//! The copy of production: a database that a backup is restored into.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::Production;
use crate::backup::{self, Manifest, Restorer};
use crate::error::{Error, Kind, Result};
use crate::pg::{
    ConnInfo, Connection, Embedded, Ident, Table, catalog, connect, fill as filled, interruptible,
};
use crate::table::fingerprint::{self, Fingerprint};
use crate::{ledger, pg};

/// The database in which the plan is rehearsed.
#[derive(Clone, Debug)]
pub struct Place {
    /// The role that restores and looks at what was restored.
    restorer: Restorer,
    /// The role that runs the plan: on an embedded server the same role as on production.
    /// Never a superuser.
    pub info: ConnInfo,
    /// A description in words.
    pub name: String,
}

impl Place {
    /// An empty database in an embedded server, with production's name, roles and rights.
    /// Logins are possible only through the server's private socket. A superuser of production
    /// is not one there, but may do whatever the plan needs.
    ///
    /// # Errors
    /// If a role cannot be created as it is on production.
    pub async fn embedded(server: &Embedded, production: &Production) -> Result<Self> {
        let session = connect(&server.conninfo("postgres")).await?;
        let statements = production.roles.iter().map(|(_, statement)| statement);
        let rights = production.rights.iter();
        run(&session, statements).await?;
        if production.database != "postgres" {
            server.create_database(&Ident::new(production.database.as_str())?, None).await?;
        }
        run(&session, rights).await?;
        session.close().await?;
        let sandbox = if server.is_sandboxed() { "in a sandbox" } else { "without a sandbox" };
        Ok(Place {
            info: server.conninfo_of(&production.role, &production.database),
            restorer: Restorer::own(server, &production.database).await?,
            name: format!("an embedded PostgreSQL {} {sandbox}", production.major),
        })
    }

    /// An empty database that the user created for the rehearsal.
    ///
    /// # Errors
    /// Refused if it is not empty, its major version differs from production's, it lacks
    /// roles, or the login is a superuser.
    pub async fn given(info: ConnInfo, production: &Production) -> Result<Self> {
        let restorer = Restorer::given(&info).await?;
        let session = connect(&info).await?;
        let asked = session.query_one(include_str!("../../sql/rehearse/occupied.sql"), &[]).await?;
        let (version, major): (String, i32) = (asked.get(0), asked.get(1));
        let holds: Option<String> = asked.get(2);
        if let Some(relation) = holds {
            let what = format!("{} is not empty: it holds {relation}", info.display());
            return Err(Error::refused(what).hint(
                "create an empty database for the rehearsal and drop it afterwards; existing \
                 objects are never overwritten",
            ));
        }
        if u32::try_from(major) != Ok(production.major) {
            let what = format!(
                "{} runs PostgreSQL {version}, production {}",
                info.display(),
                production.server_version
            );
            return Err(Error::refused(what).hint("rehearse on a server of the same major version"));
        }
        let names: Vec<&str> = production.roles.iter().map(|(name, _)| name.as_str()).collect();
        let sql = include_str!("../../sql/rehearse/missing-roles.sql");
        let missing = session.query(sql, &[&names]).await?;
        session.close().await?;
        if !missing.is_empty() {
            let names: Vec<&str> = missing.iter().map(|row| row.get(0)).collect();
            let what =
                format!("{} lacks roles of production: {}", info.display(), names.join(", "));
            return Err(Error::refused(what).hint("create each of them; none needs to log in"));
        }
        let name = info.display();
        Ok(Place { restorer, info, name })
    }

    /// The fingerprint of the table's catalog entries in the copy.
    ///
    /// # Errors
    /// If the table is missing.
    pub async fn fingerprint(&self, table: &Table) -> Result<Fingerprint> {
        let session = connect(&self.info).await?;
        session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
        let oid = catalog::replaceable(&session, table).await?.oid;
        let taken = fingerprint::take(&session, oid).await?;
        session.close().await?;
        Ok(taken)
    }

    /// A session of the role that restores.
    async fn session(&self) -> Result<Connection> {
        let session = connect(self.restorer.role()).await?;
        session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
        Ok(session)
    }
}

async fn run(session: &Connection, statements: impl Iterator<Item = &String>) -> Result<()> {
    for statement in statements {
        // The statement is safe to show: it contains only names.
        let done = session.batch_execute(statement).await;
        done.map_err(|e| Error::from(e).context(format!("the copy's server: {statement}")))?;
    }
    Ok(())
}

/// Restores a backup into the copy, and removes what sterna made and recorded on production,
/// so that the plan begins as it will there. Returns what could not be restored without a
/// superuser.
///
/// # Errors
/// Refused if the server lacks extensions, all of which are named;
/// [`Kind::Validation`] if the backup is damaged or does not restore.
pub async fn fill(
    place: &Place,
    folder: &Path,
    manifest: &Manifest,
    production: &Production,
    stop: &AtomicBool,
) -> Result<Vec<String>> {
    let session = place.session().await?;
    let wanted = backup::extensions(folder, manifest)?;
    let sql = include_str!("../../sql/rehearse/missing-extensions.sql");
    let missing = session.query(sql, &[&wanted]).await?;
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|row| row.get(0)).collect();
        let what = format!("{} lacks extensions of production: {}", place.name, names.join(", "));
        return Err(Error::refused(what).hint(
            "install their packages beside the server, or rehearse with --into URL in an empty \
             database of a server that has them",
        ));
    }
    let restored = backup::restore_whole(&place.restorer, folder, manifest, stop).await;
    let unrestored = restored.map_err(|error| match error.kind() {
        Kind::Interrupted => error,
        _ => Error::new(Kind::Validation, "the backup does not restore")
            .caused_by(error)
            .hint("take another one, or fix what it names; see `sterna backup --full`"),
    })?;
    renew_ledger(place, &session, production).await?;
    let vacuum = include_str!("../../sql/rehearse/vacuum.sql");
    interruptible(&session, stop, session.batch_execute(vacuum)).await?;
    session.close().await?;
    Ok(unrestored)
}

async fn renew_ledger(place: &Place, session: &Connection, production: &Production) -> Result<()> {
    for table in &production.own {
        let sql = include_str!("../../sql/rehearse/drop-own-table.sql");
        session.batch_execute(&filled(sql, &[("table", table as &dyn pg::Quoted)])).await?;
    }
    let there = include_str!("../../sql/ledger/exists.sql");
    let there = session.query_one(there, &[&["sterna.synonym"].as_slice()]).await?;
    let synonyms: Option<serde_json::Value> = match there.get(0) {
        true => {
            let sql = include_str!("../../sql/rehearse/synonyms.sql");
            Some(session.query_one(sql, &[]).await?.get(0))
        }
        false => None,
    };
    session.batch_execute(include_str!("../../sql/rehearse/forget.sql")).await?;
    if let Some(synonyms) = synonyms {
        // The role that runs the plan must own the ledger.
        let mut session = connect(&place.info).await?;
        ledger::ensure(&mut session).await?;
        session.execute(include_str!("../../sql/rehearse/renew.sql"), &[&synonyms]).await?;
        session.close().await?;
    }
    Ok(())
}

/// The number of rows of a table and a checksum of them, to compare at two times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The table.
    pub table: String,
    rows: i64,
    sum: String,
}

/// The content of each table whose rows are in the backup, except the ledger's.
///
/// # Errors
/// If a table cannot be read.
pub async fn content(
    place: &Place,
    manifest: &Manifest,
    stop: &AtomicBool,
) -> Result<Vec<Content>> {
    let session = place.session().await?;
    let mut found = Vec::new();
    for saved in manifest.tables.iter().filter(|saved| saved.schema != "sterna") {
        let table = saved.table()?;
        if catalog::relation(&session, &table).await?.is_none() {
            continue;
        }
        let sql = include_str!("../../sql/rehearse/content.sql");
        let sql = filled(sql, &[("table", &table as &dyn pg::Quoted)]);
        let row = interruptible(&session, stop, session.query_one(&sql, &[])).await?;
        let table = format!("{}.{}", saved.schema, saved.name);
        found.push(Content { table, rows: row.get(0), sum: row.get(1) });
    }
    session.close().await?;
    Ok(found)
}
