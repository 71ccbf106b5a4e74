//! The application's side of the database: its questions are asked in sessions that log in
//! as the application. A role is not taken on by `SET ROLE` in a session of sterna's own:
//! what a view calls can undo that, and would be the migrator again.

use std::time::Duration;

use tokio_postgres::Row;

use crate::error::{Error, Kind, Result};
use crate::pg::{ConnInfo, Connection, Ident, Mode, Table, Typed, connect, fill};

/// The application's role where nobody names another.
const USUAL_ROLE: &str = "anon";
/// What a question may take beyond its limit until it is given up here: what is asked may
/// have caught the server's cancellation.
const GRACE: Duration = Duration::from_secs(5);

/// How the application is reached.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its own login.
    pub login: Option<ConnInfo>,
    /// The role that it logs in as, or that its login takes on; else `anon`, where there is
    /// one.
    pub role: Option<Ident>,
    /// How long a question may take.
    pub limit: Duration,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Asker {
    info: ConnInfo,
    /// What the login takes on.
    takes_on: Option<Ident>,
    limit: Duration,
    /// The login, and what it takes on, in words.
    pub who: String,
}

/// The application's role, and who asks as it; or why nobody does.
#[derive(Clone, Debug)]
pub struct Found {
    /// The role whose rights count.
    pub role: Option<Ident>,
    /// Who asks, or why nobody can.
    pub asker: std::result::Result<Asker, String>,
}

impl Application {
    /// Logs in as the application, beside a session of the migrator's own in `migrator`
    /// that knows the roles, and sees that it is another role, in the same database.
    ///
    /// # Errors
    /// Usage errors about what was named; and where the migrator's session is lost.
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
            // What was given by the user has to be right.
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
                let what = format!("{} is not where {table} is migrated", login.display());
                return Err(Error::usage(what).hint("the application's URL names another database"));
            }
        }
        // By a login of its own the role may be another one.
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
    /// Who asks as the application, where nothing goes without.
    ///
    /// # Errors
    /// A usage error that says why nobody can; otherwise as [`Application::find`].
    pub async fn asker(
        &self,
        info: &ConnInfo,
        migrator: &Connection,
        table: (&Table, u32),
    ) -> Result<Asker> {
        self.find(info, migrator, table).await?.asker.map_err(|why| {
            Error::usage(format!("dependents cannot be asked as the application: {why}"))
                .hint("--application-url says how it logs in; or leave --ask-dependents out")
        })
    }
}

impl Asker {
    /// Asks in a session of its own, which cannot write, until the limit.
    ///
    /// # Errors
    /// The server's, and where there was no answer in time.
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
        // It wrote nothing; a rollback would count among those of the application.
        transaction.commit().await?;
        session.close().await?;
        Ok(rows)
    }
}
