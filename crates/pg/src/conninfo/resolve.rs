//! Resolves a [`ConnInfo`] from the connection string, files and the environment.
//!
//! The precedence is libpq's: connection string, service, environment, defaults.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::config::{ChannelBinding, TargetSessionAttrs};

use super::endpoint::{self, Address, Endpoint};
use super::pass_file::PassFile;
use super::settings::{Setting, Settings};
use super::{
    APPLICATION_NAME, CONNECT_TIMEOUT, ConnInfo, KEEPALIVE_COUNT, KEEPALIVE_IDLE,
    KEEPALIVE_INTERVAL, Passwords, TCP_USER_TIMEOUT, encryption, key_value, service_file, url,
};
use crate::diagnosis::authority;
use crate::tls::{self, SslMode};
use sterna_error::{Error, Result};

/// A lookup in the environment.
type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

impl ConnInfo {
    /// The connection that `url` describes (a `postgres://` URL or libpq's key=value
    /// form), completed by libpq's own rules from `DATABASE_URL`, the service file,
    /// the environment (`env`) and the password file.
    ///
    /// # Errors
    /// A usage error that names the parameter and its origin, never its value; a
    /// file error if a service or certificate file cannot be read.
    pub fn resolve(url: Option<&str>, env: Env<'_>) -> Result<Self> {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let home = set("HOME").map(PathBuf::from).or_else(home_of_os_user);
        let settings = collect(url, env, home.as_deref())?;

        let user = match settings.value("user") {
            Some(user) => user.to_owned(),
            None => os_user()?,
        };
        let endpoints = endpoint::list(&settings)?;
        let base = base_config(&settings, &user)?;
        let named = settings.value("passfile").map(PathBuf::from);
        let pass_file = named.or_else(|| Some(home.as_ref()?.join(".pgpass")));
        let passwords = match settings.value("password") {
            Some(password) => Passwords::Given(Arc::from(password)),
            None => Passwords::File(Arc::new(
                pass_file.as_deref().map(PassFile::read).unwrap_or_default(),
            )),
        };
        let (ssl_mode, roots) = encryption::policy(&settings, home.as_deref())?;
        let over_tcp = |endpoint: &Endpoint| matches!(endpoint.address, Address::Tcp { .. });
        let mut identity = None;
        let tls = if ssl_mode != SslMode::Disable && endpoints.iter().any(over_tcp) {
            identity = encryption::identity(&settings, home.as_deref())?;
            let connector = tls::connector(ssl_mode, roots.as_ref(), identity.as_ref());
            Some(connector.map_err(|error| match endpoints.iter().find_map(authority) {
                Some(hint) if tls::lacks_root(ssl_mode, roots.as_ref()) => error.hint(hint),
                _ => error,
            })?)
        } else {
            None
        };
        let connect_timeout = match number::<i64>(&settings, "connect_timeout")? {
            None => Some(CONNECT_TIMEOUT),
            Some(seconds) => {
                u64::try_from(seconds).ok().filter(|s| *s > 0).map(Duration::from_secs)
            }
        };
        Ok(ConnInfo {
            endpoints,
            base,
            passwords,
            pass_file,
            connect_timeout,
            ssl_mode,
            tls,
            roots,
            identity,
            spare: None,
            keeps_processes: Arc::default(),
        })
    }
}

fn collect(url: Option<&str>, env: Env<'_>, home: Option<&Path>) -> Result<Settings> {
    let from_env = env("DATABASE_URL").filter(|text| !text.is_empty());
    let mut settings = match url.or(from_env.as_deref()) {
        Some(text) => Settings::from_connection_string(parse(text)?)?,
        None => Settings::default(),
    };
    let service = settings.value("service").map(str::to_owned).or_else(|| env("PGSERVICE"));
    if let Some(service) = service.filter(|name| !name.is_empty()) {
        service_file::offer(&mut settings, &service, home, env)?;
    }
    settings.offer_environment(env);
    settings.refuse_unsupported()?;
    Ok(settings)
}

fn parse(text: &str) -> Result<Vec<(String, String)>> {
    if let Some(rest) = url::after_scheme(text) {
        return url::parse(rest);
    }
    if text.contains("://") || !text.contains('=') {
        return Err(Error::usage("the database URL is not a PostgreSQL one")
            .hint("write postgres://user@host:port/database, or host=... dbname=..."));
    }
    key_value::parse(text)
}

fn base_config(settings: &Settings, user: &str) -> Result<tokio_postgres::Config> {
    let mut config = tokio_postgres::Config::new();
    let application_name = settings
        .value("application_name")
        .or_else(|| settings.value("fallback_application_name"))
        .unwrap_or(APPLICATION_NAME);
    config
        .user(user)
        .dbname(settings.value("dbname").unwrap_or(user))
        .application_name(application_name);
    if let Some(options) = settings.value("options") {
        config.options(options);
    }
    let seconds = |keyword, default| {
        Ok::<_, Error>(match number::<u32>(settings, keyword)? {
            None | Some(0) => default,
            Some(seconds) => Duration::from_secs(seconds.into()),
        })
    };
    let user_timeout = match number::<u32>(settings, "tcp_user_timeout")? {
        None | Some(0) => TCP_USER_TIMEOUT,
        Some(milliseconds) => Duration::from_millis(milliseconds.into()),
    };
    let count = number::<u32>(settings, "keepalives_count")?.filter(|count| *count > 0);
    config
        .keepalives(number::<i64>(settings, "keepalives")? != Some(0))
        .keepalives_idle(seconds("keepalives_idle", KEEPALIVE_IDLE)?)
        .keepalives_interval(seconds("keepalives_interval", KEEPALIVE_INTERVAL)?)
        .keepalives_retries(count.unwrap_or(KEEPALIVE_COUNT))
        .tcp_user_timeout(user_timeout);
    if let Some(binding) = settings.get("channel_binding") {
        config.channel_binding(match binding.value.as_str() {
            "disable" => ChannelBinding::Disable,
            "prefer" => ChannelBinding::Prefer,
            "require" => ChannelBinding::Require,
            _ => return Err(binding.invalid("channel_binding", "disable, prefer or require")),
        });
    }
    if let Some(attributes) = settings.get("target_session_attrs") {
        config.target_session_attrs(match attributes.value.as_str() {
            "any" => TargetSessionAttrs::Any,
            "read-write" | "primary" => TargetSessionAttrs::ReadWrite,
            "read-only" => TargetSessionAttrs::ReadOnly,
            _ => {
                let expected = "any, read-write, primary or read-only";
                return Err(attributes.invalid("target_session_attrs", expected));
            }
        });
    }
    Ok(config)
}

fn number<T: FromStr>(settings: &Settings, keyword: &str) -> Result<Option<T>> {
    let parse = |setting: &Setting| {
        setting.value.trim().parse().map_err(|_| setting.invalid(keyword, "a whole number"))
    };
    settings.get(keyword).map(parse).transpose()
}

fn os_account() -> Option<nix::unistd::User> {
    nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten()
}

fn home_of_os_user() -> Option<PathBuf> {
    os_account().map(|account| account.dir)
}

fn os_user() -> Result<String> {
    os_account().map(|account| account.name).ok_or_else(|| {
        Error::usage("no database user is given, and the system has no name for this user")
            .hint("set PGUSER, or add the user to the database URL")
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Resolves in a home folder of its own, with an environment of these variables.
    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Place(tempfile::tempdir().unwrap())
        }

        fn with_file(self, name: &str, text: &str) -> Self {
            let path = self.0.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            self
        }

        fn resolve(&self, url: Option<&str>, env: &[(&str, &str)]) -> Result<ConnInfo> {
            let home = self.0.path().display().to_string();
            ConnInfo::resolve(url, &|name| match name {
                "HOME" | "PGSYSCONFDIR" => Some(home.clone()),
                _ => env.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned()),
            })
        }

        fn password(&self, url: Option<&str>, env: &[(&str, &str)]) -> Option<String> {
            let info = self.resolve(url, env).unwrap();
            let password = info.password(&info.endpoints[0])?;
            Some(String::from_utf8(password).unwrap())
        }
    }

    #[test]
    fn string_before_service_before_environment_before_default() {
        let place = Place::new()
            .with_file(".pg_service.conf", "[s]\nhost=of-service\nport=2\ndbname=of_service\n");
        let env = [
            ("PGSERVICE", "s"),
            ("PGHOST", "of-env"),
            ("PGPORT", "3"),
            ("PGDATABASE", "of_env"),
            ("PGUSER", "of_env"),
        ];
        let shown = |url, env| place.resolve(url, env).unwrap().display();
        assert_eq!(shown(Some("postgres://of-url"), &env), "of_env@of-url:2/of_service");
        assert_eq!(shown(None, &env), "of_env@of-service:2/of_service");
        assert_eq!(shown(None, &env[1..]), "of_env@of-env:3/of_env");
        assert_eq!(shown(Some("host=h user=u"), &[]), "u@h:5432/u");
        assert_eq!(shown(Some("postgresql://u@h?service=s"), &[]), "u@h:2/of_service");
    }

    #[test]
    fn database_url_stands_in_for_the_option() {
        let env = [("DATABASE_URL", "postgres://u@of-env/d")];
        assert_eq!(Place::new().resolve(None, &env).unwrap().display(), "u@of-env:5432/d");
        let option = Some("postgres://u@of-option/d");
        assert_eq!(Place::new().resolve(option, &env).unwrap().display(), "u@of-option:5432/d");
    }

    #[test]
    fn the_user_defaults_to_the_systems_and_names_the_database() {
        let name = os_user().unwrap();
        let info = Place::new().resolve(Some("host=h"), &[]).unwrap();
        assert_eq!(info.display(), format!("{name}@h:5432/{name}"));
        assert_eq!(info.base.get_application_name(), Some("sterna"));
        assert_eq!(info.connect_timeout, Some(Duration::from_secs(10)));
    }

    #[test]
    fn the_password_comes_from_the_string_the_environment_or_the_file() {
        let place = Place::new().with_file(".pgpass", "h:5432:d:u:of:file\nlocalhost:*:*:*:socket");
        let env = [("PGPASSWORD", "of env")];
        let password = |url, env| place.password(Some(url), env);
        assert_eq!(password("postgres://u:of%20url@h/d", &env).as_deref(), Some("of url"));
        assert_eq!(password("postgres://u@h/d", &env).as_deref(), Some("of env"));
        assert_eq!(password("postgres://u@h/d", &[]).as_deref(), Some("of"));
        assert_eq!(password("postgres://u@other/d", &[]), None);
        assert_eq!(password("host=/tmp user=u", &[]).as_deref(), Some("socket"));
        assert_eq!(password("host=/elsewhere user=u", &[]), None);
        assert_eq!(password("postgres://u@h/d", &[("PGPASSFILE", "/nonexistent")]), None);
    }

    #[test]
    fn another_database_has_its_own_line_in_the_password_file() {
        let place = Place::new().with_file(".pgpass", "h:*:a:u:first\nh:*:b:u:second\n");
        let info = place.resolve(Some("postgres://u@h/a"), &[]).unwrap().with_database("b");
        assert_eq!(info.password(&info.endpoints[0]).unwrap(), b"second");
    }

    #[test]
    fn another_user_does_not_get_the_first_ones_password() {
        let place = Place::new().with_file(".pgpass", "h:*:*:app:of the app\n");
        let info = place.resolve(Some("postgres://u:secret@h/d"), &[]).unwrap();
        let password = |user| info.with_user(user).password(&info.endpoints[0]);
        assert_eq!(password("app").as_deref(), Some(b"of the app".as_slice()));
        assert_eq!(password("other"), None);
    }

    #[test]
    fn a_missing_root_certificate_is_asked_for_and_says_where_it_is() {
        for (host, part) in [
            ("db.abcdefgh.supabase.co", "download its certificate from the dashboard"),
            ("db.example.org", "sslrootcert=system uses the system's"),
        ] {
            let text = format!("host={host} user=u sslmode=verify-full");
            let error = Place::new().resolve(Some(&text), &[]).unwrap_err();
            assert!(error.to_string().contains("need a root certificate"), "{error}");
            assert!(error.next_step().unwrap().contains(part), "{error:?}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let url = "postgres://u:s3cret@h/d?sslmode=disable";
        let info = Place::new().resolve(Some(url), &[]).unwrap();
        assert_eq!(info.display(), "u@h:5432/d");
        assert_eq!(format!("{info:?}"), "ConnInfo(\"u@h:5432/d\", Disable)");
        let wrong = ["port=99999", "sslmode=s3cret", "connect_timeout=s3cret", "nonsense=s3cret"];
        for parameter in wrong {
            let url = format!("{url}&{parameter}");
            let error = Place::new().resolve(Some(&url), &[]).unwrap_err();
            assert_eq!(error.kind().exit_code(), 2, "{error}");
            assert!(!format!("{error:?} {:?}", error.next_step()).contains("s3cret"), "{error}");
        }
        for text in ["mysql://u:s3cret@h/d", "s3cret"] {
            let error = Place::new().resolve(Some(text), &[]).unwrap_err();
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn timeouts_and_options_reach_the_driver() {
        let url = "postgres://u@h/d?connect_timeout=0&options=-c%20a%3Db&tcp_user_timeout=5\
                   &keepalives=0&application_name=x";
        let info = Place::new().resolve(Some(url), &[]).unwrap();
        assert_eq!(info.connect_timeout, None);
        assert_eq!(info.base.get_options(), Some("-c a=b"));
        assert_eq!(info.base.get_tcp_user_timeout(), Some(&Duration::from_millis(5)));
        assert!(!info.base.get_keepalives());
        assert_eq!(info.base.get_application_name(), Some("x"));
    }

    #[test]
    fn what_leaves_this_machine_in_the_clear_is_known() {
        let overheard = |text| Place::new().resolve(Some(text), &[]).unwrap().may_be_overheard();
        for text in ["host=h user=u", "host=h user=u sslmode=allow", "host=/tmp,h user=u"] {
            assert!(overheard(text), "{text}");
        }
        for text in ["host=h user=u sslmode=require", "host=/tmp user=u", "host=::1 user=u"] {
            assert!(!overheard(text), "{text}");
        }
        assert!(!overheard("host=h hostaddr=127.0.0.1 user=u"));
    }
}
