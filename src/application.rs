//! Queries that run with the application's rights, in sessions that log in as the application.
//! `SET ROLE` in one of sterna's own sessions would not do: a function that a view calls can
//! reset the role, and would then run with the migrator's rights.

use std::time::Duration;

use tokio_postgres::Row;

use crate::error::{Error, Kind, Result};
use crate::pg::{ConnInfo, Connection, Ident, Mode, Table, Typed, connect, fill};

/// The application's role unless another is named.
const USUAL_ROLE: &str = "anon";
/// How long past its limit a query is still waited for: the queried code may have caught the
/// server's cancellation.
const GRACE: Duration = Duration::from_secs(5);

/// How to connect as the application.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its own login.
    pub login: Option<ConnInfo>,
    /// The role that it logs in as, or that its login assumes by `SET ROLE`; `anon` by default,
    /// if that role exists.
    pub role: Option<Ident>,
    /// The time limit of a query.
    pub limit: Duration,
}

/// Runs queries as the application.
#[derive(Clone, Debug)]
pub struct Asker {
    info: ConnInfo,
    /// The role that the login assumes.
    takes_on: Option<Ident>,
    limit: Duration,
    /// The login and the role that it assumes, as text.
    pub who: String,
}

/// The application's role, and either an [`Asker`] or the reason why there is none.
#[derive(Clone, Debug)]
pub struct Found {
    /// The role whose rights count.
    pub role: Option<Ident>,
    /// Runs queries as the application, or the reason why that is not possible.
    pub asker: std::result::Result<Asker, String>,
}

impl Application {
    /// Logs in as the application. Checks, through the migrator's own session, that this role
    /// does not have all the migrator's rights, and that it finds the same table.
    ///
    /// # Errors
    /// A usage error if a given role or login is wrong; an error if a session is lost.
    pub async fn find(
        &self,
        info: &ConnInfo,
        migrator: &Connection,
        (table, oid): (&Table, u32),
    ) -> Result<Found> {
        let mut role = self.role.clone();
        let sql = include_str!("../sql/application/role.sql");
        let wanted = role.clone().map_or_else(|| Ident::new(USUAL_ROLE), Ok)?;
        let row = migrator.query_opt(sql, &[&wanted.name()]).await?;
        let can_login = row.map(|row| row.get::<_, bool>(0));
        match can_login {
            Some(_) => role = Some(wanted),
            None if role.is_some() => {
                return Err(Error::usage(format!("there is no role {wanted}")));
            }
            None => {}
        }
        let found = |asker| Ok(Found { role: role.clone(), asker });
        let login = match (&self.login, &role) {
            (Some(login), _) => login.clone(),
            (None, Some(role)) if can_login == Some(true) => info.with_user(role.name()),
            (None, Some(role)) => return found(Err(format!("{role} cannot log in"))),
            (None, None) => return found(Err("the application's role is not known".into())),
        };
        let login = login.with_application_name("sterna as the application");
        let session = match connect(&login).await {
            Ok(session) => session,
            // A login that the user has given must work.
            Err(error) if self.login.is_some() => return Err(error),
            Err(error) => return found(Err(error.to_string())),
        };
        let names: [&dyn Typed; 2] = [&table.schema.name(), &table.name.name()];
        let row = session.query_one(include_str!("../sql/application/login.sql"), &names).await?;
        let (user, sees): (String, Option<u32>) = (row.get(0), row.get(1));
        session.close().await?;
        let rights = migrator.query_opt(sql, &[&user]).await?.map(|row| row.get::<_, bool>(1));
        match rights {
            Some(false) if sees == Some(oid) => {}
            Some(true) => {
                return found(Err(format!("{user} has all rights of the role that migrates")));
            }
            _ => {
                let what = format!("{} is not the database of {table}", login.display());
                return Err(Error::usage(what).hint("the application's URL names another database"));
            }
        }
        // A separate login may differ from the role.
        let takes_on = self.role.clone().filter(|role| role.name() != user);
        let who = match &takes_on {
            Some(role) => format!("{role}, which {user} takes on"),
            None => user.clone(),
        };
        let role = Some(takes_on.clone().map_or_else(|| Ident::new(user), Ok)?);
        Ok(Found { role, asker: Ok(Asker { info: login, takes_on, limit: self.limit, who }) })
    }
}

impl Application {
    /// Returns the asker, for callers that cannot do without one.
    ///
    /// # Errors
    /// A usage error with the reason why there is none; otherwise as [`Application::find`].
    pub async fn asker(
        &self,
        info: &ConnInfo,
        migrator: &Connection,
        table: (&Table, u32),
    ) -> Result<Asker> {
        self.find(info, migrator, table).await?.asker.map_err(|why| {
            Error::usage(format!("dependents cannot be queried as the application: {why}"))
                .hint("give its login by --application-url, or omit --ask-dependents")
        })
    }
}

impl Asker {
    /// Runs a query in a separate, read-only session, with the time limit.
    ///
    /// # Errors
    /// The server's errors, and an error if there is no answer in time.
    pub async fn ask(&self, sql: &str) -> Result<Vec<Row>> {
        let asked = tokio::time::timeout(self.limit + GRACE, self.ask_in_session(sql));
        asked.await.unwrap_or_else(|_| {
            let seconds = (self.limit + GRACE).as_secs();
            Err(Error::new(Kind::Database, format!("no answer within {seconds} s")))
        })
    }

    async fn ask_in_session(&self, sql: &str) -> Result<Vec<Row>> {
        let mut session = connect(&self.info).await?;
        session.batch_execute(include_str!("../sql/application/session.sql")).await?;
        let transaction = session.begin(Mode::ReadOnly).await?;
        let limit = self.limit.as_millis().to_string();
        let set = include_str!("../sql/application/time-limit.sql");
        transaction.query(set, &[&limit]).await?;
        if let Some(role) = &self.takes_on {
            let set = fill(include_str!("../sql/application/as-role.sql"), &[("role", role)]);
            transaction.batch_execute(&set).await?;
        }
        let rows = transaction.query(sql, &[]).await?;
        // Nothing was written; a rollback would show up in the application's statistics.
        transaction.commit().await?;
        session.close().await?;
        Ok(rows)
    }
}
