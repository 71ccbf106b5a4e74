//! Restores a backup without trusting it.
//!
//! A restore executes code that others wrote: checks of tables and domains, generated
//! columns, index expressions, casts, queries of materialized views. All of it runs in a
//! session that logs in as an ordinary role, so there is no superuser to switch back to.
//! The superuser of an embedded server creates only what needs a superuser and is not code of
//! the backup: roles, memberships, and extensions from this machine's packages. No statement
//! of a backup runs in its sessions. What could not be restored is reported.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::dump::{self, Entry, Failure};
use super::manifest::Manifest;
use crate::error::{Error, Kind, Result};
use crate::pg::{ConnInfo, Embedded, Ident, Typed, connect, fill};

/// The role that restores, in an embedded server.
const ROLE: &str = "sterna_restore";
/// The group through which production's roles get the rights to own what is restored.
const OWNERS: &str = "sterna_owners";

/// Server messages about actions that need more rights than an ordinary role has.
const ABOUT_RIGHTS: [&str; 6] = [
    "permission denied",
    "must be superuser",
    "must be owner",
    "must be member",
    "must be able to SET ROLE",
    "must have privileges",
];

/// A database to restore into, and the role to do it as.
#[derive(Clone, Debug)]
pub struct Restorer {
    /// An ordinary role: all code of the backup runs as this one.
    role: ConnInfo,
    /// The superuser of an embedded server.
    superuser: Option<ConnInfo>,
}

impl Restorer {
    /// Restores as a new role without rights, into `database` of an embedded server.
    ///
    /// # Errors
    /// If the server already has such a role.
    pub async fn own(server: &Embedded, database: &str) -> Result<Self> {
        let superuser = server.conninfo(database);
        let session = connect(&superuser).await?;
        let sql = include_str!("../../sql/restore/create-role.sql");
        session.batch_execute(&fill(sql, &[("role", &Ident::new(ROLE)?)])).await?;
        session.close().await?;
        Ok(Restorer { role: server.conninfo_of(ROLE, database), superuser: Some(superuser) })
    }

    /// Restores as the role of `info`, into its database.
    ///
    /// # Errors
    /// Refused if that role is a superuser.
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
                 and is a member of production's roles, or omit --into",
            ));
        }
        Ok(Restorer { role: info.clone(), superuser: None })
    }

    /// The login to use for everything that comes from the backup.
    #[must_use]
    pub fn role(&self) -> &ConnInfo {
        &self.role
    }

    /// Makes the role that restores the owner of the database.
    pub(super) async fn take_database(&self) -> Result<()> {
        let Some(superuser) = &self.superuser else { return Ok(()) };
        let (database, role) = (Ident::new(superuser.database())?, Ident::new(ROLE)?);
        let sql = include_str!("../../sql/restore/give-database.sql");
        let sql = fill(sql, &[("database", &database), ("role", &role)]);
        let session = connect(superuser).await?;
        session.batch_execute(&sql).await?;
        session.close().await
    }

    /// Restores a dump: everything if `whole`, else only what needs no roles, no functions
    /// beside the tables and no rights. Returns what could not be restored without a superuser.
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

    /// Runs the statements that a query returns, which contain only names, as the superuser.
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

    /// Creates the extensions as the superuser, from their names only.
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
            let what = "the dump creates more than schemas where it creates schemas";
            return Err(Error::new(Kind::Validation, what)
                .hint("no pg_dump writes that: somebody has changed the file"));
        }
        // Without comments on them, which may be any text.
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

    /// Runs the statements that grant rights, each as the owner of its object; returns those
    /// that failed.
    async fn grant(&self, text: &str) -> Result<Vec<Failure>> {
        let session = connect(&self.role).await?;
        let mut failed = Vec::new();
        let mut owner = None;
        for statement in dump::statements(text) {
            // The role that restores is a member of all others, but may not set its session
            // authorization to them. pg_restore writes the owner of an entry as a string, and
            // pg_dump writes a role that has passed on a right as a name.
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

/// The statement that makes a session act as a role, or as its own login again.
fn as_role(name: Option<&str>) -> Result<String> {
    Ok(match name {
        None => include_str!("../../sql/restore/reset-role.sql").to_owned(),
        Some(name) => {
            fill(include_str!("../../sql/restore/set-role.sql"), &[("role", &Ident::new(name)?)])
        }
    })
}

/// Names what an ordinary role may not create, and what failed for lack of it; any other first
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
