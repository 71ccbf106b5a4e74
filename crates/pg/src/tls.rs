//! TLS to the server: the protection level and the connector for it.
//!
//! rustls checks certificates more strictly than libpq: a certificate must have
//! version 3, and its host names must be subject alternative names (a common name
//! does not count).

mod verifier;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_postgres_rustls::MakeRustlsConnect;

use sterna_error::{Error, Result};
use verifier::{Depth, ServerCheck};

/// libpq's `sslmode`, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SslMode {
    /// Never TLS.
    Disable,
    /// TLS only if the server insists on it.
    Allow,
    /// TLS if the server offers it.
    Prefer,
    /// TLS; the server's certificate is checked only if there is a root certificate.
    Require,
    /// TLS with a certificate that chains to a trusted root.
    VerifyCa,
    /// As [`SslMode::VerifyCa`], and the certificate names the host.
    VerifyFull,
}

impl SslMode {
    /// Every mode, weakest first.
    pub(crate) const NAMES: [&str; 6] =
        ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

    /// What to try first, and what to try next if the server does not agree.
    pub(crate) fn attempts(self) -> (Encryption, Option<Encryption>) {
        match self {
            SslMode::Disable => (Encryption::None, None),
            SslMode::Allow => (Encryption::None, Some(Encryption::Required)),
            SslMode::Prefer => (Encryption::Offered, Some(Encryption::None)),
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
                (Encryption::Required, None)
            }
        }
    }
}

impl FromStr for SslMode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "disable" => SslMode::Disable,
            "allow" => SslMode::Allow,
            "prefer" => SslMode::Prefer,
            "require" => SslMode::Require,
            "verify-ca" => SslMode::VerifyCa,
            "verify-full" => SslMode::VerifyFull,
            _ => return Err(()),
        })
    }
}

/// One way of opening a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Plain text.
    None,
    /// TLS, or plain text if the server has no TLS.
    Offered,
    /// TLS or no connection.
    Required,
}

/// The source of trusted root certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Roots {
    /// A PEM file given by the user.
    File(PathBuf),
    /// libpq's usual PEM file, which need not exist.
    UsualFile(PathBuf),
    /// The operating system's store: `sslrootcert=system`.
    System,
}

/// The client's certificate chain and its private key, both PEM files.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) certificates: PathBuf,
    pub(crate) key: PathBuf,
}

/// A connector that verifies the server as `mode` requires.
///
/// # Errors
/// If a certificate or key file cannot be used, or `verify-ca` or `verify-full` has no
/// root certificate.
pub(crate) fn connector(
    mode: SslMode,
    roots: Option<&Roots>,
    identity: Option<&Identity>,
) -> Result<MakeRustlsConnect> {
    // Explicit, because another crate could set the process-wide default.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(server_check(mode, roots, &provider)?);
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::database("TLS cannot be set up").caused_by(error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(files) => {
            let certificates = read_certificates(&files.certificates)?;
            let key = PrivateKeyDer::from_pem_file(&files.key)
                .map_err(|error| unusable(&files.key, error))?;
            builder.with_client_auth_cert(certificates, key).map_err(|error| {
                Error::bad_file(files.key.display(), "not the key of the client certificate")
                    .caused_by(error)
            })?
        }
    };
    Ok(MakeRustlsConnect::new(config))
}

/// Whether `mode` needs a root certificate and there is none.
pub(crate) fn lacks_root(mode: SslMode, roots: Option<&Roots>) -> bool {
    let has_root = match roots {
        Some(Roots::UsualFile(file)) => file.exists(),
        Some(Roots::File(_) | Roots::System) => true,
        None => false,
    };
    matches!(mode, SslMode::VerifyCa | SslMode::VerifyFull) && !has_root
}

/// As in libpq, `require` also checks the chain if there is a root certificate.
fn server_check(
    mode: SslMode,
    roots: Option<&Roots>,
    provider: &rustls::crypto::CryptoProvider,
) -> Result<ServerCheck> {
    let algorithms = provider.signature_verification_algorithms;
    let depth = match mode {
        SslMode::Disable | SslMode::Allow | SslMode::Prefer => {
            return Ok(ServerCheck::new(Depth::Nothing, Vec::new(), algorithms));
        }
        SslMode::Require | SslMode::VerifyCa => Depth::Chain,
        SslMode::VerifyFull => Depth::ChainAndName,
    };
    let certificates = match roots {
        Some(Roots::System) => system_certificates()?,
        Some(Roots::File(file)) if mode != SslMode::Require || file.exists() => {
            read_certificates(file)?
        }
        Some(Roots::UsualFile(file)) if file.exists() => read_certificates(file)?,
        _ if mode == SslMode::Require => {
            return Ok(ServerCheck::new(Depth::Nothing, Vec::new(), algorithms));
        }
        Some(Roots::UsualFile(file)) => {
            return Err(no_root().context(format!("{} does not exist", file.display())));
        }
        _ => return Err(no_root()),
    };
    Ok(ServerCheck::new(depth, certificates, algorithms))
}

fn no_root() -> Error {
    Error::usage("sslmode verify-ca and verify-full need a root certificate").hint(
        "name the file with sslrootcert or PGSSLROOTCERT; sslrootcert=system uses the system's",
    )
}

fn system_certificates() -> Result<Vec<CertificateDer<'static>>> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let error = Error::usage("the system has no root certificates");
        return Err(match found.errors.into_iter().next() {
            Some(cause) => error.caused_by(cause),
            None => error.hint("install ca-certificates, or name a file with sslrootcert"),
        });
    }
    Ok(found.certs)
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(file, error))?;
    if certificates.is_empty() {
        return Err(Error::bad_file(file.display(), "it contains no certificate in PEM format"));
    }
    Ok(certificates)
}

fn unusable(file: &Path, error: rustls::pki_types::pem::Error) -> Error {
    match error {
        rustls::pki_types::pem::Error::Io(error) => Error::file(file, error),
        error => Error::bad_file(file.display(), "not a usable PEM file").caused_by(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(mode: SslMode, roots: Option<&Roots>) -> Error {
        connector(mode, roots, None).err().expect("refused")
    }

    #[test]
    fn verification_needs_a_root_and_require_does_not() {
        let absent = Roots::UsualFile("/nonexistent/root.crt".into());
        let error = refusal(SslMode::VerifyCa, Some(&absent));
        assert_eq!(error.kind().exit_code(), 2);
        assert!(error.to_string().starts_with("/nonexistent/root.crt does not exist"), "{error}");
        assert!(error.next_step().is_some_and(|hint| hint.contains("sslrootcert")));
        assert_eq!(refusal(SslMode::VerifyFull, None).kind().exit_code(), 2);
        assert!(connector(SslMode::Require, Some(&absent), None).is_ok());
        assert!(connector(SslMode::Prefer, None, None).is_ok());
    }

    #[test]
    fn a_root_file_that_is_none_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("root.crt");
        let roots = Roots::File(file.clone());
        assert!(refusal(SslMode::VerifyFull, Some(&roots)).to_string().contains("root.crt"));
        for text in ["", "not PEM", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            std::fs::write(&file, text).unwrap();
            let error = refusal(SslMode::Require, Some(&roots));
            assert!(error.to_string().contains("root.crt"), "{error}");
        }
    }
}
