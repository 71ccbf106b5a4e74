//! Restoring a backup without trusting it.
//!
//! A restore executes what others wrote: checks of tables and domains, generated columns,
//! expressions of indexes, casts, queries of materialized views. All of it runs in a
//! session that logs in as an ordinary role, so there is no superuser to change back to.
//! The superuser of a server of sterna's own makes what only a superuser can make and what
//! is nobody's code: roles, memberships, extensions of this machine's packages. Not one
//! statement of a backup runs in its sessions. What is left is named.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::dump::{self, Entry, Failure};
use super::manifest::Manifest;
use crate::error::{Error, Kind, Result};
use crate::pg::{ConnInfo, Embedded, Ident, Typed, connect, fill};

/// The role that restores, in a server of one's own.
const ROLE: &str = "sterna_restore";
/// The group that lends production's roles the right to be given what is restored.
const OWNERS: &str = "sterna_owners";

/// What a server says of a thing that takes more rights than an ordinary role has.
const ABOUT_RIGHTS: [&str; 6] = [
    "permission denied",
    "must be superuser",
    "must be owner",
    "must be member",
    "must be able to SET ROLE",
    "must have privileges",
];

/// A database to restore into, and as whom.
#[derive(Clone, Debug)]
pub struct Restorer {
    /// An ordinary role: whatever the backup holds runs as this one.
    role: ConnInfo,
    /// Of a server of one's own.
    superuser: Option<ConnInfo>,
}

impl Restorer {
    /// As a new role without rights, into `database` of a server of one's own.
    ///
    /// # Errors
    /// Where the server has such a role.
    pub async fn own(server: &Embedded, database: &str) -> Result<Self> {
        let superuser = server.conninfo(database);
        let session = connect(&superuser).await?;
        let sql = include_str!("../../sql/restore/create-role.sql");
        session.batch_execute(&fill(sql, &[("role", &Ident::new(ROLE)?)])).await?;
        session.close().await?;
        Ok(Restorer { role: server.conninfo_of(ROLE, database), superuser: Some(superuser) })
    }

    /// As the role of `info`, into its database.
    ///
    /// # Errors
    /// Refused where that role is a superuser.
    pub async fn given(info: &ConnInfo) -> Result<Self> {
        let session = connect(info).await?;
        let sql = include_str!("../../sql/restore/is-superuser.sql");
        let is_superuser: bool = session.query_one(sql, &[]).await?.get(0);
        session.close().await?;
        if is_superuser {
            let what = format!("{} is a superuser of {}", info.user(), info.display());
            return Err(Error::refused(what).hint(
                "what a restore executes (checks, casts and functions of others) would have a \
                 superuser's rights there: connect as an ordinary role that owns the database \
                 and is a member of production's roles, or leave out --into",
            ));
        }
        Ok(Restorer { role: info.clone(), superuser: None })
    }

    /// The role as which everything of the backup's is to be touched.
    #[must_use]
    pub fn role(&self) -> &ConnInfo {
        &self.role
    }

    /// Gives the database to the role that restores.
    pub(super) async fn take_database(&self) -> Result<()> {
        let Some(superuser) = &self.superuser else { return Ok(()) };
        let (database, role) = (Ident::new(superuser.database())?, Ident::new(ROLE)?);
        let sql = include_str!("../../sql/restore/give-database.sql");
        let sql = fill(sql, &[("database", &database), ("role", &role)]);
        let session = connect(superuser).await?;
        session.batch_execute(&sql).await?;
        session.close().await
    }

    /// Restores a dump: everything, or what needs no roles, no functions beside the tables
    /// and no rights. Returns what could not be restored without a superuser.
    pub(super) async fn dump(
        &self,
        folder: &Path,
        manifest: &Manifest,
        whole: bool,
        stop: &AtomicBool,
    ) -> Result<Vec<String>> {
        let list = dump::list(folder, manifest)?;
        let entries = dump::entries(&list, whole);
        let (schemas, entries): (Vec<Entry>, _) =
            entries.into_iter().partition(|entry| entry.is("SCHEMA"));
        let run = async |entries: &[Entry<'_>]| {
            dump::run(&self.role, folder, manifest, entries, whole, stop).await
        };
        let mut undoing = Vec::new();
        if whole {
            let join = include_str!("../../sql/restore/join-roles.sql");
            let done = self.superuser_runs(join, &[&ROLE, &OWNERS]).await?;
            undoing.extend(done.iter().filter_map(|row| row.get::<_, Option<String>>(1)));
        }
        let mut failed = run(&schemas).await?;
        let (extensions, entries): (Vec<Entry>, _) =
            entries.into_iter().partition(|entry| entry.is_of_extension());
        if self.superuser.is_some() {
            self.make_extensions(folder, manifest, &extensions).await?;
        } else {
            failed.extend(run(&extensions).await?);
        }
        if whole {
            let lend = include_str!("../../sql/restore/lend-schemas.sql");
            self.superuser_runs(lend, &[&OWNERS]).await?;
        }
        let (rights, entries): (Vec<Entry>, _) =
            entries.into_iter().partition(|entry| entry.is("ACL"));
        failed.extend(run(&entries).await?);
        if whole {
            failed.extend(self.grant(&dump::text(folder, manifest, &rights)?).await?);
            if let Some(superuser) = &self.superuser {
                let session = connect(superuser).await?;
                let sql = include_str!("../../sql/restore/leave-roles.sql");
                let owners = Ident::new(OWNERS)?;
                session.batch_execute(&fill(sql, &[("owners", &owners)])).await?;
                session.batch_execute(&undoing.join(";\n")).await?;
                session.close().await?;
            }
        }
        judge(failed)
    }

    /// Runs what a query returns, statements that hold names alone, as the superuser.
    async fn superuser_runs(
        &self,
        query: &str,
        values: &[&dyn Typed],
    ) -> Result<Vec<tokio_postgres::Row>> {
        let Some(superuser) = &self.superuser else { return Ok(Vec::new()) };
        let session = connect(superuser).await?;
        session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
        let rows = session.query(query, values).await?;
        for row in &rows {
            session.batch_execute(row.get(0)).await?;
        }
        session.close().await?;
        Ok(rows)
    }

    /// Makes the extensions, by their names alone.
    async fn make_extensions(
        &self,
        folder: &Path,
        manifest: &Manifest,
        entries: &[Entry<'_>],
    ) -> Result<()> {
        let Some(superuser) = &self.superuser else { return Ok(()) };
        if entries.is_empty() {
            return Ok(());
        }
        let session = connect(superuser).await?;
        session.batch_execute(include_str!("../../sql/catalog/session.sql")).await?;
        let planted = include_str!("../../sql/restore/planted.sql");
        if session.query_one(planted, &[]).await?.get(0) {
            let what = "the dump makes more than schemas where it makes schemas";
            return Err(Error::new(Kind::Validation, what)
                .hint("no pg_dump writes that: somebody has changed the file"));
        }
        // Not what is said about them, which may be any text.
        let made: Vec<Entry> = entries.iter().copied().filter(|e| e.is("EXTENSION")).collect();
        let text = dump::text(folder, manifest, &made)?;
        for (extension, schema) in dump::extensions_made(&text) {
            let sql = include_str!("../../sql/restore/create-extension.sql");
            let (extension, schema) = (Ident::new(extension)?, Ident::new(schema)?);
            let sql = fill(sql, &[("extension", &extension), ("schema", &schema)]);
            session.batch_execute(&sql).await?;
        }
        session.close().await
    }

    /// Runs the statements that give rights, each as the owner of what it is about; returns
    /// those that failed.
    async fn grant(&self, text: &str) -> Result<Vec<Failure>> {
        let session = connect(&self.role).await?;
        let mut failed = Vec::new();
        let mut owner = None;
        for statement in dump::statements(text) {
            // The role that restores is a member of all others, but may not take on their
            // sessions. pg_restore writes the owner of an entry as a value, and pg_dump a
            // role that has passed on a right as a name.
            let sql = match dump::session_authorization(&statement) {
                Some("DEFAULT") => as_role(None)?,
                Some("") => as_role(owner.as_deref())?,
                Some(role) => {
                    let name = dump::unquoted(role);
                    if role.starts_with('\'') {
                        owner = Some(name.clone());
                    }
                    as_role(Some(&name))?
                }
                None => statement.clone(),
            };
            match session.batch_execute(&sql).await.map_err(Error::from) {
                Ok(()) => {}
                Err(error) if error.sqlstate().is_some() => {
                    failed.push(Failure { what: statement, why: error.to_string() });
                }
                Err(error) => return Err(error.context(statement)),
            }
        }
        session.close().await?;
        Ok(failed)
    }
}

/// What makes a session act as a role, or as itself.
fn as_role(name: Option<&str>) -> Result<String> {
    Ok(match name {
        None => include_str!("../../sql/restore/reset-role.sql").to_owned(),
        Some(name) => {
            fill(include_str!("../../sql/restore/set-role.sql"), &[("role", &Ident::new(name)?)])
        }
    })
}

/// What an ordinary role may not make is named, with what then lacked it; any other
/// failure means that the backup does not restore.
fn judge(failed: Vec<Failure>) -> Result<Vec<String>> {
    let is_about_rights =
        |failure: &Failure| ABOUT_RIGHTS.iter().any(|words| failure.why.contains(words));
    match failed.first() {
        Some(first) if !is_about_rights(first) => {
            Err(Error::database(format!("pg_restore failed: {}: {}", first.what, first.why)))
        }
        _ => Ok(failed.into_iter().map(|f| format!("{}: {}", f.what, f.why)).collect()),
    }
}
