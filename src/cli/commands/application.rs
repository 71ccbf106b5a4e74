//! How the application is reached, by whatever command asks as it.

use std::time::Duration;

use clap::Args;

use crate::application::Application;
use crate::error::Result;
use crate::pg::{ConnInfo, Ident};

/// What of the environment is about the migrator, and not about the application.
const OF_THE_MIGRATOR: [&str; 5] =
    ["DATABASE_URL", "PGUSER", "PGPASSWORD", "PGSERVICE", "PGOPTIONS"];

/// How the application is reached.
#[derive(Args, Clone, Debug, Default)]
pub struct ApplicationArgs {
    /// How the application logs in; its queries run in sessions of its own
    #[arg(long, env = "STERNA_APPLICATION_URL", hide_env_values = true, value_name = "URL")]
    pub application_url: Option<String>,
    /// The application's role, which has to be able to log in, or be one that the login of
    /// --application-url takes on [default: anon, where it exists]
    #[arg(long, value_name = "ROLE")]
    pub as_role: Option<String>,
}

impl ApplicationArgs {
    /// What they mean, where a question may take so long.
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
