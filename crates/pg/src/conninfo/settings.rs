//! Connection parameters by libpq's names, and the precedence of their sources.
//!
//! A value that sterna cannot honour is refused, never ignored: someone who sets
//! `requirepeer` or a revocation list must not get a connection without it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use sterna_error::{Error, Result, did_you_mean};

/// How sterna handles a parameter of libpq.
enum Support {
    /// Its value takes effect.
    Used,
    /// Any value is accepted and has no effect.
    Ignored,
    /// Only these values are accepted, because they match what sterna does; none if the list
    /// is empty.
    Only(&'static [&'static str]),
}

use Support::{Ignored, Only, Used};

/// Keyword, environment variable, support.
type Parameter = (&'static str, Option<&'static str>, Support);

/// Every parameter of libpq 18; any other keyword is a spelling mistake.
static PARAMETERS: &[Parameter] = &[
    ("service", Some("PGSERVICE"), Used),
    ("host", Some("PGHOST"), Used),
    ("hostaddr", Some("PGHOSTADDR"), Used),
    ("port", Some("PGPORT"), Used),
    ("user", Some("PGUSER"), Used),
    ("dbname", Some("PGDATABASE"), Used),
    ("password", Some("PGPASSWORD"), Used),
    ("passfile", Some("PGPASSFILE"), Used),
    ("application_name", Some("PGAPPNAME"), Used),
    ("fallback_application_name", None, Used),
    ("options", Some("PGOPTIONS"), Used),
    ("connect_timeout", Some("PGCONNECT_TIMEOUT"), Used),
    ("keepalives", None, Used),
    ("keepalives_idle", None, Used),
    ("keepalives_interval", None, Used),
    ("keepalives_count", None, Used),
    ("tcp_user_timeout", None, Used),
    ("sslmode", Some("PGSSLMODE"), Used),
    ("sslrootcert", Some("PGSSLROOTCERT"), Used),
    ("sslcert", Some("PGSSLCERT"), Used),
    ("sslkey", Some("PGSSLKEY"), Used),
    ("channel_binding", Some("PGCHANNELBINDING"), Used),
    ("target_session_attrs", Some("PGTARGETSESSIONATTRS"), Used),
    // The driver always uses UTF-8, whatever the terminal uses.
    ("client_encoding", Some("PGCLIENTENCODING"), Ignored),
    ("gssencmode", Some("PGGSSENCMODE"), Only(&["disable", "prefer"])),
    ("krbsrvname", Some("PGKRBSRVNAME"), Ignored),
    ("gsslib", Some("PGGSSLIB"), Ignored),
    ("gssdelegation", Some("PGGSSDELEGATION"), Only(&["0"])),
    ("load_balance_hosts", Some("PGLOADBALANCEHOSTS"), Only(&["disable"])),
    ("replication", None, Only(&["false", "off", "no", "0"])),
    ("require_auth", Some("PGREQUIREAUTH"), Only(&[])),
    ("requirepeer", Some("PGREQUIREPEER"), Only(&[])),
    ("sslcertmode", Some("PGSSLCERTMODE"), Only(&["allow"])),
    ("sslcompression", Some("PGSSLCOMPRESSION"), Only(&["0"])),
    ("sslcrl", Some("PGSSLCRL"), Only(&[])),
    ("sslcrldir", Some("PGSSLCRLDIR"), Only(&[])),
    ("sslnegotiation", Some("PGSSLNEGOTIATION"), Only(&["postgres"])),
    ("sslpassword", None, Only(&[])),
    ("sslsni", Some("PGSSLSNI"), Only(&["1"])),
    ("sslkeylogfile", None, Only(&[])),
    ("scram_client_key", None, Only(&[])),
    ("scram_server_key", None, Only(&[])),
    ("oauth_issuer", None, Only(&[])),
    ("oauth_client_id", None, Only(&[])),
    ("oauth_client_secret", None, Only(&[])),
    ("oauth_scope", None, Only(&[])),
    ("min_protocol_version", Some("PGMINPROTOCOLVERSION"), Only(&["3.0"])),
    ("max_protocol_version", Some("PGMAXPROTOCOLVERSION"), Only(&["3.0", "latest"])),
    (
        "ssl_min_protocol_version",
        Some("PGSSLMINPROTOCOLVERSION"),
        Only(&["TLSv1", "TLSv1.1", "TLSv1.2"]),
    ),
    // Not of libpq. Supabase prints it for drivers that would otherwise name statements.
    ("pgbouncer", None, Ignored),
    ("ssl_max_protocol_version", Some("PGSSLMAXPROTOCOLVERSION"), Only(&["TLSv1.3"])),
];

/// The origin of a value, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// `--database-url` or `DATABASE_URL`.
    ConnectionString,
    /// A line (counted from 1) of a service file.
    Service(PathBuf, usize),
    /// An environment variable.
    Environment(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::ConnectionString => f.write_str("the connection string"),
            Origin::Service(file, line) => write!(f, "{}:{line}", file.display()),
            Origin::Environment(name) => f.write_str(name),
        }
    }
}

/// A parameter's value and its origin. Not `Debug`, because it may be the password.
pub(super) struct Setting {
    pub(super) value: String,
    pub(super) origin: Origin,
}

impl Setting {
    /// A usage error about this value, which is not shown: in a malformed URL, part of
    /// the password can end up as port or host.
    pub(super) fn invalid(&self, keyword: &str, expected: &str) -> Error {
        Error::usage(format!("{keyword} in {} is not {expected}", self.origin))
    }
}

/// The values that apply, by keyword.
#[derive(Default)]
pub(super) struct Settings(BTreeMap<&'static str, Setting>);

impl Settings {
    /// The connection string's pairs; if a keyword is given twice, the last value counts.
    pub(super) fn from_connection_string(pairs: Vec<(String, String)>) -> Result<Self> {
        let mut settings = Settings::default();
        let mut unknown = Vec::new();
        for (keyword, value) in pairs {
            match known(&keyword) {
                Some(keyword) => {
                    let setting = Setting { value, origin: Origin::ConnectionString };
                    settings.0.insert(keyword, setting);
                }
                None => unknown.push(keyword),
            }
        }
        match unknown.as_slice() {
            [] => Ok(settings),
            _ => Err(unknown_parameters(&unknown, &Origin::ConnectionString)),
        }
    }

    /// Adds a value of lower precedence: it is used only if there is none yet.
    pub(super) fn offer(&mut self, keyword: &str, value: String, origin: Origin) -> Result<()> {
        let Some(keyword) = known(keyword) else {
            return Err(unknown_parameters(&[keyword.to_owned()], &origin));
        };
        self.0.entry(keyword).or_insert(Setting { value, origin });
        Ok(())
    }

    /// Adds values from the environment for parameters that have none yet.
    pub(super) fn offer_environment(&mut self, env: &dyn Fn(&str) -> Option<String>) {
        for (keyword, variable, _) in PARAMETERS {
            let Some(variable) = variable else { continue };
            if let Some(value) = env(variable) {
                let origin = Origin::Environment(variable);
                self.0.entry(keyword).or_insert(Setting { value, origin });
            }
        }
        // The older way to require encryption.
        let required = "PGREQUIRESSL";
        if env(required).is_some_and(|value| value.starts_with('1')) {
            let (value, origin) = ("require".to_owned(), Origin::Environment(required));
            self.0.entry("sslmode").or_insert(Setting { value, origin });
        }
    }

    /// A parameter's value; an empty one means the default, as in libpq.
    pub(super) fn get(&self, keyword: &str) -> Option<&Setting> {
        self.0.get(keyword).filter(|setting| !setting.value.is_empty())
    }

    /// As [`Settings::get`], but only the text.
    pub(super) fn value(&self, keyword: &str) -> Option<&str> {
        self.get(keyword).map(|setting| setting.value.as_str())
    }

    /// Refuses values that sterna cannot honour.
    pub(super) fn refuse_unsupported(&self) -> Result<()> {
        for (keyword, _, support) in PARAMETERS {
            let (Only(accepted), Some(setting)) = (support, self.get(keyword)) else {
                continue;
            };
            if accepted.contains(&setting.value.as_str()) {
                continue;
            }
            let error = format!("sterna does not support this {keyword} ({})", setting.origin);
            return Err(match accepted {
                [] => Error::usage(error).hint(format!("leave {keyword} out")),
                _ => Error::usage(error).hint(format!("{keyword}={}", accepted.join(" or "))),
            });
        }
        Ok(())
    }
}

fn known(keyword: &str) -> Option<&'static str> {
    PARAMETERS.iter().map(|(name, ..)| *name).find(|name| *name == keyword)
}

fn unknown_parameters(names: &[String], origin: &Origin) -> Error {
    let plural = if names.len() == 1 { "" } else { "s" };
    let list: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    let error = Error::usage(format!("unknown parameter{plural} {} in {origin}", list.join(", ")));
    let known = PARAMETERS.iter().map(|(keyword, ..)| *keyword);
    error.hint(did_you_mean(&names[0], known).unwrap_or_else(|| {
        "the parameters are those of libpq: host, port, dbname, user, sslmode".to_owned()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &[(&str, &str)]) -> Vec<(String, String)> {
        text.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn refusal<T>(result: Result<T>) -> Error {
        result.err().expect("refused")
    }

    #[test]
    fn the_source_of_higher_precedence_wins() {
        let mut settings = Settings::from_connection_string(pairs(&[("port", "1")])).unwrap();
        let service = Origin::Service("service.conf".into(), 2);
        settings.offer("port", "2".into(), service.clone()).unwrap();
        settings.offer("user", "of_service".into(), service).unwrap();
        settings.offer_environment(&|name| Some(format!("env {name}")));
        assert_eq!(settings.value("port"), Some("1"));
        assert_eq!(settings.value("user"), Some("of_service"));
        assert_eq!(settings.value("dbname"), Some("env PGDATABASE"));
    }

    #[test]
    fn unknown_parameters_are_all_named() {
        let given = pairs(&[("sslmod", "require"), ("pgbuoncer", "true"), ("port", "1")]);
        let error = refusal(Settings::from_connection_string(given));
        assert_eq!(
            error.to_string(),
            "unknown parameters \"sslmod\", \"pgbuoncer\" in the connection string"
        );
        assert_eq!(error.kind().exit_code(), 2);
        assert_eq!(error.next_step(), Some("did you mean sslmode?"));
    }

    #[test]
    fn what_cannot_be_honoured_is_refused() {
        let given = pairs(&[
            ("gssencmode", "prefer"),
            ("client_encoding", "LATIN1"),
            ("pgbouncer", "true"),
        ]);
        assert!(Settings::from_connection_string(given).unwrap().refuse_unsupported().is_ok());
        for pair in [("requirepeer", "postgres"), ("gssencmode", "require"), ("sslcrl", "a")] {
            let settings = Settings::from_connection_string(pairs(&[pair])).unwrap();
            let error = refusal(settings.refuse_unsupported());
            assert!(error.to_string().contains(pair.0), "{error}");
        }
    }

    #[test]
    fn an_empty_value_hides_lower_sources_and_means_the_default() {
        let mut settings = Settings::from_connection_string(pairs(&[("user", "")])).unwrap();
        settings.offer_environment(&|name| (name == "PGUSER").then(|| "other".to_owned()));
        assert_eq!(settings.value("user"), None);
    }

    #[test]
    fn what_protects_is_honoured_or_refused_by_name() {
        // libpq's security parameters, and how sterna handles them.
        let honoured = [
            ("sslmode", "verify-full"),
            ("sslrootcert", "root.crt"),
            ("sslcert", "client.crt"),
            ("sslkey", "client.key"),
            ("channel_binding", "require"),
            ("target_session_attrs", "read-write"),
            ("passfile", "pgpass"),
        ];
        let refused = [
            ("sslcrl", "root.crl", Some("PGSSLCRL")),
            ("sslcrldir", "crls", Some("PGSSLCRLDIR")),
            ("require_auth", "scram-sha-256", Some("PGREQUIREAUTH")),
            ("requirepeer", "postgres", Some("PGREQUIREPEER")),
            ("gssencmode", "require", Some("PGGSSENCMODE")),
            ("sslcertmode", "require", Some("PGSSLCERTMODE")),
            ("sslcertmode", "disable", Some("PGSSLCERTMODE")),
            ("sslnegotiation", "direct", Some("PGSSLNEGOTIATION")),
            ("ssl_min_protocol_version", "TLSv1.3", Some("PGSSLMINPROTOCOLVERSION")),
            ("ssl_max_protocol_version", "TLSv1.2", Some("PGSSLMAXPROTOCOLVERSION")),
            ("sslpassword", "x", None),
            ("min_protocol_version", "3.2", Some("PGMINPROTOCOLVERSION")),
            ("scram_client_key", "x", None),
        ];
        for (keyword, value) in honoured {
            let used = PARAMETERS.iter().any(|(name, _, s)| *name == keyword && matches!(s, Used));
            assert!(used, "{keyword}");
            let given = pairs(&[(keyword, value)]);
            assert!(Settings::from_connection_string(given).unwrap().refuse_unsupported().is_ok());
        }
        for (keyword, value, variable) in refused {
            let given = Settings::from_connection_string(pairs(&[(keyword, value)])).unwrap();
            let error = refusal(given.refuse_unsupported());
            assert!(error.to_string().contains(keyword) && error.next_step().is_some(), "{error}");
            let Some(variable) = variable else { continue };
            let mut settings = Settings::default();
            settings.offer_environment(&|name| (name == variable).then(|| value.to_owned()));
            let error = refusal(settings.refuse_unsupported());
            assert!(error.to_string().contains(variable), "{error}");
        }
        for (value, mode) in [("1", Some("require")), ("0", None)] {
            let mut settings = Settings::default();
            settings.offer_environment(&|name| (name == "PGREQUIRESSL").then(|| value.to_owned()));
            assert_eq!(settings.value("sslmode"), mode);
        }
    }
}
