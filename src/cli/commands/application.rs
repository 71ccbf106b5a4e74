//! Options for connecting as the application, shared by several commands.

use std::time::Duration;

use clap::Args;

use crate::application::Application;
use crate::error::Result;
use crate::pg::{ConnInfo, Ident};

/// Environment variables that configure the migrator's connection, not the application's.
const OF_THE_MIGRATOR: [&str; 5] =
    ["DATABASE_URL", "PGUSER", "PGPASSWORD", "PGSERVICE", "PGOPTIONS"];

/// Options for connecting as the application.
#[derive(Args, Clone, Debug, Default)]
pub struct ApplicationArgs {
    /// Login of the application; its queries run in separate sessions
    #[arg(long, env = "STERNA_APPLICATION_URL", hide_env_values = true, value_name = "URL")]
    pub application_url: Option<String>,
    /// The application's role: one that can log in, or that the login of --application-url
    /// switches to [default: anon, if it exists]
    #[arg(long, value_name = "ROLE")]
    pub as_role: Option<String>,
}

impl ApplicationArgs {
    /// Resolves the options; `limit` is the time limit of each query.
    ///
    /// # Errors
    /// Usage errors about the URL or the role.
    pub fn application(&self, limit: Duration) -> Result<Application> {
        let env = |name: &str| match OF_THE_MIGRATOR.contains(&name) {
            true => None,
            false => std::env::var(name).ok(),
        };
        let url = self.application_url.as_deref();
        let login = url.map(|url| ConnInfo::resolve(Some(url), &env)).transpose();
        let login = login.map_err(|error| error.context("--application-url"))?;
        let role = self.as_role.as_deref().map(Ident::new).transpose()?;
        Ok(Application { login, role, limit })
    }
}
