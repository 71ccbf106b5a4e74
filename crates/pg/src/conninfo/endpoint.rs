//! Endpoints of a server: sockets and hosts, in the given order.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use super::settings::Settings;
use sterna_error::{Error, Result};

/// Folders in which a server's socket is usually found, Debian's first.
pub(super) const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// One endpoint of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) address: Address,
    pub(crate) port: u16,
}

/// The address of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// The folder of a unix socket.
    Socket(PathBuf),
    /// A host; if `ip` is given, the name is only used to verify certificates.
    Tcp {
        /// A name or a literal address.
        host: String,
        /// libpq's `hostaddr`.
        ip: Option<IpAddr>,
    },
}

/// Pairs up the lists of hosts, addresses and ports.
pub(super) fn list(settings: &Settings) -> Result<Vec<Endpoint>> {
    let list = |keyword| settings.value(keyword).map(|text| text.split(',').collect::<Vec<_>>());
    let (hosts, addresses) = (list("host"), list("hostaddr"));
    let count = hosts.as_ref().or(addresses.as_ref()).map_or(1, Vec::len);
    if addresses.as_ref().is_some_and(|addresses| addresses.len() != count) {
        return Err(Error::usage("host and hostaddr do not list the same number of servers"));
    }
    let ports = ports(settings, count)?;
    (0..count)
        .map(|index| {
            let at = |list: &Option<Vec<&str>>| match list {
                Some(list) => list[index].trim().to_owned(),
                None => String::new(),
            };
            let (host, address, port) = (at(&hosts), at(&addresses), ports[index]);
            Ok(Endpoint { address: place(settings, host, &address, port)?, port })
        })
        .collect()
}

fn ports(settings: &Settings, count: usize) -> Result<Vec<u16>> {
    const DEFAULT: u16 = 5432;
    let Some(setting) = settings.get("port") else {
        return Ok(vec![DEFAULT; count]);
    };
    let ports: Vec<u16> = setting
        .value
        .split(',')
        .map(|text| match text.trim() {
            "" => Ok(DEFAULT),
            text => match text.parse() {
                Ok(0) | Err(_) => Err(setting.invalid("port", "a number from 1 to 65535")),
                Ok(port) => Ok(port),
            },
        })
        .collect::<Result<_>>()?;
    match ports.as_slice() {
        [one] => Ok(vec![*one; count]),
        several if several.len() == count => Ok(ports),
        several => Err(Error::usage(format!(
            "{} lists {} ports for {count} hosts",
            setting.origin,
            several.len()
        ))),
    }
}

fn place(settings: &Settings, host: String, address: &str, port: u16) -> Result<Address> {
    let ip = match (address, settings.get("hostaddr")) {
        ("", _) | (_, None) => None,
        (text, Some(setting)) => {
            Some(IpAddr::from_str(text).map_err(|_| setting.invalid("hostaddr", "an IP address"))?)
        }
    };
    if host.starts_with('/') && ip.is_none() {
        return Ok(Address::Socket(PathBuf::from(host)));
    }
    match settings.get("host") {
        // A leading @ would be a socket in Linux's abstract namespace; any other @ is
        // the rest of a password that was not percent-encoded.
        Some(setting) if host.contains(['@', '/']) => {
            Err(setting.invalid("host", "a host name or the absolute path of a socket folder"))
        }
        _ => Ok(match (host.as_str(), ip) {
            ("", Some(ip)) => Address::Tcp { host: ip.to_string(), ip: Some(ip) },
            ("", None) => default_place(port),
            _ => Address::Tcp { host, ip },
        }),
    }
}

/// The first usual folder that contains a socket, else localhost by TCP: a server in
/// a container has no socket here.
fn default_place(port: u16) -> Address {
    SOCKET_FOLDERS
        .iter()
        .map(PathBuf::from)
        .find(|folder| folder.join(format!(".s.PGSQL.{port}")).exists())
        .map_or_else(|| Address::Tcp { host: "localhost".to_owned(), ip: None }, Address::Socket)
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Socket(folder) => write!(f, "{}:{}", folder.display(), self.port),
            // An IPv6 address contains colons.
            Address::Tcp { host, .. } if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Address::Tcp { host, .. } => write!(f, "{host}:{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(pairs: &[(&str, &str)]) -> Result<Vec<String>> {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let endpoints = list(&Settings::from_connection_string(pairs)?)?;
        Ok(endpoints.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn ports_pair_up_with_hosts() {
        let hosts = ("host", "a,/run/x,::1");
        assert_eq!(listed(&[hosts]).unwrap(), ["a:5432", "/run/x:5432", "[::1]:5432"]);
        assert_eq!(listed(&[hosts, ("port", "1")]).unwrap(), ["a:1", "/run/x:1", "[::1]:1"]);
        assert_eq!(listed(&[hosts, ("port", "1,,3")]).unwrap(), ["a:1", "/run/x:5432", "[::1]:3"]);
        assert!(listed(&[hosts, ("port", "1,2")]).is_err());
    }

    #[test]
    fn an_address_stands_for_a_missing_host() {
        assert_eq!(listed(&[("hostaddr", "127.0.0.1")]).unwrap(), ["127.0.0.1:5432"]);
        let named = listed(&[("host", "a"), ("hostaddr", "127.0.0.1")]).unwrap();
        assert_eq!(named, ["a:5432"]);
        assert!(listed(&[("host", "a,b"), ("hostaddr", "127.0.0.1")]).is_err());
        assert!(listed(&[("hostaddr", "not-an-address")]).is_err());
    }

    #[test]
    fn a_port_or_host_that_is_none_is_not_shown() {
        for pair in [("port", "secret"), ("port", "0"), ("port", "65536"), ("host", "x@secret")] {
            let error = listed(&[pair]).unwrap_err();
            assert_eq!(error.kind().exit_code(), 2);
            assert!(error.to_string().starts_with(pair.0), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
