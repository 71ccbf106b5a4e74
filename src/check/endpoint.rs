//! Whether the application's API answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::{Finding, Severity};

const NAME: &str = "endpoint";

/// Asks a URL and expects status 200 within `limit`. Blocks.
pub(super) fn check(url: &str, limit: Duration) -> Finding {
    let shown = without_secrets(url);
    let hint = "look at the API's log; PostgREST reloads its schema cache on NOTIFY pgrst, \
                'reload schema'";
    let begun = Instant::now();
    let answer = agent(limit).get(url).call();
    let took = begun.elapsed().as_millis();
    match answer {
        Ok(answer) if answer.status() == 200 => {
            Finding::good(NAME, Severity::Error, format!("{shown}: 200 in {took} ms"))
        }
        Ok(answer) => {
            let status = answer.status().as_u16();
            let detail = format!("{shown}: status {status} instead of 200, in {took} ms");
            Finding::bad(NAME, Severity::Error, detail, hint)
        }
        Err(error) => {
            // Some of its messages repeat the URL.
            let why = error.to_string().replace(url, &shown);
            Finding::bad(NAME, Severity::Error, format!("{shown}: {why}"), hint)
        }
    }
}

fn agent(limit: Duration) -> ureq::Agent {
    let certificates = rustls_native_certs::load_native_certs().certs;
    let roots: Vec<_> =
        certificates.iter().map(|c| Certificate::from_der(c.as_ref()).to_owned()).collect();
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::new_with_certs(&roots))
        .build();
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(limit))
        .http_status_as_error(false)
        .max_redirects(0)
        .tls_config(tls);
    config.build().new_agent()
}

/// The URL without what may be a key: user, password, query.
fn without_secrets(url: &str) -> String {
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = plain.split_once("://").unwrap_or(("http", plain));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_shown() {
        let url = "https://u:p@api.example.com:8443/rest/v1/species?apikey=secret#x";
        assert_eq!(without_secrets(url), "https://api.example.com:8443/rest/v1/species");
        assert_eq!(without_secrets("http://localhost"), "http://localhost/");
    }
}
