//! Turns failed connections into errors with a cause and a hint.

use std::io;

use rustls::CertificateError;

use super::conninfo::{Address, ConnInfo, Endpoint};
use super::socket::Cause;
use super::sqlstate::io_cause;
use sterna_error::Error;

/// The driver's message when the server wants a password and there is none: the only way to
/// detect this case.
const NO_PASSWORD: &str = "password missing";

/// The error of one endpoint, with its hint.
pub(super) fn could_not_connect(info: &ConnInfo, endpoint: &Endpoint, cause: Cause) -> Error {
    let hint = hint(info, endpoint, &*cause);
    let error = failed(info, endpoint);
    let error = match cause.downcast::<tokio_postgres::Error>() {
        Ok(cause) if cause.as_db_error().is_none() && !cause.is_closed() => {
            // The driver's own message only repeats that it could not connect.
            let text = cause.to_string();
            match cause.into_source() {
                Some(inner) => error.caused_by(inner),
                None => error.caused_by(text),
            }
        }
        Ok(cause) => error.caused_by(*cause),
        Err(cause) => error.caused_by(cause),
    };
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// The error of an endpoint that failed outside the driver.
pub(super) fn not_reached(info: &ConnInfo, endpoint: &Endpoint, cause: io::Error) -> Error {
    let hint = session_pooler(endpoint).unwrap_or_else(|| {
        "check host and port; connect_timeout=SECONDS (PGCONNECT_TIMEOUT) waits longer".to_owned()
    });
    failed(info, endpoint).caused_by(cause).hint(hint)
}

/// A hint if the direct host of a Supabase project cannot be reached: it usually has only an
/// IPv6 address.
fn session_pooler(endpoint: &Endpoint) -> Option<String> {
    let Address::Tcp { host, .. } = &endpoint.address else { return None };
    let project = host.strip_prefix("db.")?.strip_suffix(".supabase.co")?;
    Some(format!(
        "this host has only an IPv6 address unless the project has the IPv4 add-on; \
         from a network without IPv6 use the session pooler shown in the dashboard under \
         Connect: port 5432, user postgres.{project}"
    ))
}

fn failed(info: &ConnInfo, endpoint: &Endpoint) -> Error {
    Error::database(format!("could not connect to {}", info.display_endpoint(endpoint)))
}

fn hint(
    info: &ConnInfo,
    endpoint: &Endpoint,
    cause: &(dyn std::error::Error + 'static),
) -> Option<String> {
    if let Some(hint) = cause.downcast_ref().and_then(sterna_error::of_pooler) {
        return Some(hint.to_owned());
    }
    if let Some(code) = cause.downcast_ref().and_then(tokio_postgres::Error::code) {
        return match code.code() {
            "28P01" if info.has_password(endpoint) => Some(
                "check the password: the database URL, PGPASSWORD, or the password file's first \
                 matching line"
                    .to_owned(),
            ),
            "28P01" => Some(give_password()),
            "28000" => Some(
                "check user and sslmode against the server's pg_hba.conf, and that the role \
                 exists"
                    .to_owned(),
            ),
            "3D000" => Some(format!(
                "create it (createdb {:?}), or name another with PGDATABASE or --database-url",
                info.database()
            )),
            "53300" => Some("wait for other sessions to end, or raise max_connections".to_owned()),
            "57P03" => Some("the server is starting or stopping; try again".to_owned()),
            _ => None,
        };
    }
    if let Some(error) = tls_cause(cause) {
        return Some(tls_hint(endpoint, error));
    }
    if cause.source().is_some_and(|said| said.to_string() == NO_PASSWORD) {
        return Some(give_password());
    }
    let kind = io_cause(cause)?.kind();
    let Endpoint { address, port } = endpoint;
    match (address, kind) {
        (
            Address::Tcp { .. },
            io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::TimedOut,
        ) => session_pooler(endpoint),
        (Address::Socket(_), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            Some(format!(
                "no server listens on port {port} in this folder; start it, or set PGHOST and \
                 PGPORT"
            ))
        }
        (Address::Tcp { host, .. }, io::ErrorKind::ConnectionRefused) => {
            Some(format!("check that the server runs: pg_isready -h {host} -p {port}"))
        }
        (Address::Tcp { .. }, io::ErrorKind::Unsupported) => {
            Some("turn ssl on at the server, or allow plain text with sslmode=prefer".to_owned())
        }
        _ => None,
    }
}

fn give_password() -> String {
    "give a password: PGPASSWORD, or a line host:port:database:user:password in ~/.pgpass (mode \
     0600)"
        .to_owned()
}

/// Where to find the certificate of a host's authority, if that is known.
pub(super) fn authority(endpoint: &Endpoint) -> Option<&'static str> {
    let Address::Tcp { host, .. } = &endpoint.address else { return None };
    let is_supabase = host.ends_with(".supabase.co") || host.ends_with(".supabase.com");
    is_supabase.then_some(
        "Supabase uses its own certificate authority: download its certificate from the \
         dashboard (Database settings, SSL configuration), and name the file with sslrootcert or \
         PGSSLROOTCERT",
    )
}

fn tls_hint(endpoint: &Endpoint, error: &rustls::Error) -> String {
    let hint = match error {
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            "connect by one of the certificate's subject alternative names, or check only the \
             chain with sslmode=verify-ca"
        }
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => authority(endpoint).unwrap_or(
            "name the certificate of the authority that signed the server's with sslrootcert or \
             PGSSLROOTCERT",
        ),
        rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "renew the server's certificate, and check this machine's clock",
        rustls::Error::InvalidCertificate(_) => {
            "the server needs a version 3 certificate issued for a server, not for a certificate \
             authority"
        }
        _ => "check that the server speaks TLS 1.2 or newer",
    };
    hint.to_owned()
}

/// The TLS error that caused this one, which is wrapped in I/O errors.
pub(super) fn tls_cause<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a rustls::Error> {
    io_cause(error)?.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(host: &str) -> (ConnInfo, Endpoint) {
        let text = format!("host={host} user=postgres dbname=postgres");
        let info = ConnInfo::resolve(Some(&text), &|_| None).unwrap();
        let endpoint = info.endpoints()[0].clone();
        (info, endpoint)
    }

    #[test]
    fn a_direct_host_that_cannot_be_reached_names_the_session_pooler() {
        let (info, direct) = endpoint("db.abcdefgh.supabase.co");
        let unreachable = || io::Error::from(io::ErrorKind::NetworkUnreachable);
        for error in [
            could_not_connect(&info, &direct, Box::new(unreachable())),
            not_reached(&info, &direct, unreachable()),
        ] {
            let hint = error.next_step().unwrap();
            assert!(hint.contains("port 5432, user postgres.abcdefgh"), "{hint}");
        }
        let (info, other) = endpoint("db.example.org");
        let error = not_reached(&info, &other, unreachable());
        assert!(error.next_step().unwrap().starts_with("check host and port"), "{error:?}");
    }

    #[test]
    fn a_host_with_an_authority_of_its_own_says_where_its_certificate_is() {
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let (_, pooler) = endpoint("aws-0-eu-central-1.pooler.supabase.com");
        assert!(tls_hint(&pooler, &unknown).contains("dashboard"));
        let (_, other) = endpoint("db.example.org");
        assert!(tls_hint(&other, &unknown).starts_with("name the certificate"));
    }
}
