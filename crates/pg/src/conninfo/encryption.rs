//! TLS parameters: mode, root certificates and client certificate.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::settings::Settings;
use crate::tls::{Identity, Roots, SslMode};
use sterna_error::{Error, Result};

/// The mode, and the source of trusted certificates.
pub(super) fn policy(settings: &Settings, home: Option<&Path>) -> Result<(SslMode, Option<Roots>)> {
    let roots = match settings.value("sslrootcert") {
        Some("system") => Some(Roots::System),
        Some(file) => Some(Roots::File(PathBuf::from(file))),
        None => home.map(|home| Roots::UsualFile(home.join(".postgresql/root.crt"))),
    };
    let system = roots == Some(Roots::System);
    let mode = match settings.get("sslmode") {
        // The system's certificate authorities sign certificates for anyone, so
        // checking the chain without the host name would prove nothing.
        None if system => SslMode::VerifyFull,
        None => SslMode::Prefer,
        Some(setting) => SslMode::from_str(&setting.value)
            .map_err(|()| setting.invalid("sslmode", &SslMode::NAMES.join(", ")))?,
    };
    if system && mode != SslMode::VerifyFull {
        return Err(Error::usage("sslrootcert=system is only safe with sslmode=verify-full")
            .hint("leave sslmode out, or set it to verify-full"));
    }
    let usual_list = home.map(|home| home.join(".postgresql/root.crl"));
    if let Some(list) = usual_list.filter(|list| mode >= SslMode::Require && list.exists()) {
        return Err(Error::usage(format!(
            "{} lists revoked certificates, which sterna does not check",
            list.display()
        ))
        .hint("move it away, or connect through a libpq program that checks it (pgbouncer)"));
    }
    Ok((mode, roots))
}

/// The client's certificate, if it is given or exists in its usual place.
pub(super) fn identity(settings: &Settings, home: Option<&Path>) -> Result<Option<Identity>> {
    let usual = |name: &str| home.map(|home| home.join(".postgresql").join(name));
    let path = |keyword| settings.value(keyword).map(PathBuf::from);
    let certificates = match path("sslcert") {
        Some(file) => file,
        None => match usual("postgresql.crt").filter(|file| file.exists()) {
            Some(file) => file,
            None => return Ok(None),
        },
    };
    let Some(key) = path("sslkey").or_else(|| usual("postgresql.key")) else {
        return Err(Error::usage("a client certificate is set, but no key for it")
            .hint("name the key's file with sslkey or PGSSLKEY"));
    };
    let metadata = std::fs::metadata(&key).map_err(|error| Error::file(&key, error))?;
    if metadata.permissions().mode() & 0o037 != 0 {
        return Err(Error::usage(format!("others have access to the key {}", key.display()))
            .hint(format!("chmod 0600 {}", key.display())));
    }
    Ok(Some(Identity { certificates, key }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Settings::from_connection_string(pairs).unwrap()
    }

    #[test]
    fn the_mode_defaults_to_prefer_and_the_roots_to_the_usual_file() {
        let roots = Roots::UsualFile("/home/u/.postgresql/root.crt".into());
        let home = Some(Path::new("/home/u"));
        assert_eq!(policy(&settings(&[]), home).unwrap(), (SslMode::Prefer, Some(roots)));
        assert_eq!(policy(&settings(&[]), None).unwrap(), (SslMode::Prefer, None));
        let given = settings(&[("sslmode", "verify-ca"), ("sslrootcert", "a.crt")]);
        let expected = (SslMode::VerifyCa, Some(Roots::File("a.crt".into())));
        assert_eq!(policy(&given, home).unwrap(), expected);
    }

    #[test]
    fn a_list_of_revoked_certificates_is_not_passed_over() {
        let home = tempfile::tempdir().unwrap();
        let asks = |mode| policy(&settings(&[("sslmode", mode)]), Some(home.path()));
        assert!(asks("verify-full").is_ok());
        std::fs::create_dir(home.path().join(".postgresql")).unwrap();
        std::fs::write(home.path().join(".postgresql/root.crl"), "").unwrap();
        for mode in ["require", "verify-ca", "verify-full"] {
            assert!(asks(mode).unwrap_err().to_string().contains("root.crl"), "{mode}");
        }
        assert!(asks("prefer").is_ok(), "nothing is checked there");
    }

    #[test]
    fn every_mode_has_a_name() {
        for name in SslMode::NAMES {
            assert!(policy(&settings(&[("sslmode", name)]), None).is_ok(), "{name}");
        }
        assert!(policy(&settings(&[("sslmode", "verify")]), None).is_err());
    }

    #[test]
    fn the_systems_roots_demand_the_name() {
        let system = ("sslrootcert", "system");
        let (mode, _) = policy(&settings(&[system]), None).unwrap();
        assert_eq!(mode, SslMode::VerifyFull);
        assert!(policy(&settings(&[system, ("sslmode", "verify-ca")]), None).is_err());
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("client.key");
        let text = key.display().to_string();
        let settings = settings(&[("sslcert", "client.crt"), ("sslkey", &text)]);
        assert!(identity(&settings, None).is_err(), "no such file");
        for (mode, usable) in [(0o600, true), (0o640, true), (0o644, false), (0o660, false)] {
            std::fs::write(&key, "").unwrap();
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(identity(&settings, None).is_ok(), usable, "{mode:o}");
        }
    }
}
