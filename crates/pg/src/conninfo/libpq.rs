//! The environment that makes libpq programs, such as `pg_dump`, connect to the server that
//! sterna is connected to. Secrets never appear on a command line.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::Command;

use tokio_postgres::config::ChannelBinding;

use super::{Address, ConnInfo};
use crate::Connection;
use crate::name::named;
use crate::tls::{Roots, SslMode};

impl ConnInfo {
    /// Makes `command`, a libpq program with a cleared environment, connect to the same
    /// server as `session`, as the same user and with the same protection.
    pub fn apply_to(&self, command: &mut Command, session: &Connection) {
        let program = Path::new(command.get_program()).file_name().map(OsStr::to_string_lossy);
        let own = session.application_name();
        let name = program.and_then(|program| named(own, &program));
        command.env("PGAPPNAME", name.as_deref().unwrap_or(own));
        command.envs(self.environment(session));
    }

    fn environment(&self, session: &Connection) -> Vec<(&'static str, OsString)> {
        let endpoint = session.endpoint();
        let mut variables: Vec<(&str, OsString)> = vec![
            ("PGPORT", endpoint.port.to_string().into()),
            ("PGUSER", self.user().into()),
            ("PGDATABASE", self.database().into()),
        ];
        match &endpoint.address {
            Address::Socket(folder) => variables.push(("PGHOST", folder.into())),
            Address::Tcp { host, .. } => {
                variables.push(("PGHOST", host.into()));
                variables.extend(session.ip().map(|ip| ("PGHOSTADDR", ip.to_string().into())));
                variables.push(("PGSSLMODE", SslMode::NAMES[self.ssl_mode as usize].into()));
            }
        }
        if let Some(password) = self.password(endpoint) {
            variables.push(("PGPASSWORD", OsString::from_vec(password)));
        }
        match &self.roots {
            Some(Roots::File(path)) => variables.push(("PGSSLROOTCERT", path.into())),
            Some(Roots::System) => variables.push(("PGSSLROOTCERT", "system".into())),
            // libpq looks there by itself.
            Some(Roots::UsualFile(_)) | None => {}
        }
        if let Some(identity) = &self.identity {
            variables.push(("PGSSLCERT", identity.certificates.clone().into()));
            variables.push(("PGSSLKEY", identity.key.clone().into()));
        }
        if let Some(options) = self.base.get_options() {
            variables.push(("PGOPTIONS", options.into()));
        }
        if self.base.get_channel_binding() == ChannelBinding::Require {
            variables.push(("PGCHANNELBINDING", "require".into()));
        }
        if let Some(limit) = self.connect_timeout {
            variables.push(("PGCONNECT_TIMEOUT", limit.as_secs().max(1).to_string().into()));
        }
        variables
    }
}
