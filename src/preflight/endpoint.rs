//! Checks that the application's API answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::{Finding, PreflightSeverity};

const NAME: &str = "endpoint";

/// Requests a URL and expects status 200 within `limit`. Blocks.
pub(super) fn check(url: &str, limit: Duration) -> Finding {
    let shown = without_secrets(url);
    let hint = "look at the API's log; PostgREST reloads its schema cache on NOTIFY pgrst, \
                'reload schema'";
    let begun = Instant::now();
    let answer = agent(limit).get(url).call();
    let took = begun.elapsed().as_millis();
    match answer {
        Ok(answer) if answer.status() == 200 => {
            Finding::good(NAME, PreflightSeverity::Error, format!("{shown}: 200 in {took} ms"))
        }
        Ok(answer) => {
            let status = answer.status().as_u16();
            let detail = format!("{shown}: status {status} instead of 200, in {took} ms");
            Finding::bad(NAME, PreflightSeverity::Error, detail, hint)
        }
        Err(error) => {
            // Some messages repeat the URL, or what was taken for a part of it.
            let why = error.to_string().replace(url, &shown);
            let why = if repeats_secret(&why, url) { "not a valid URL".to_owned() } else { why };
            Finding::bad(NAME, PreflightSeverity::Error, format!("{shown}: {why}"), hint)
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

/// The URL without anything that may be secret: user, password, query. A password may hold
/// any character unencoded, so it ends at the last `@`.
fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let plain = rest.split(['?', '#']).next().unwrap_or_default();
    let plain = match rest[plain.len()..].contains('@') {
        // The @ may be in the query, or follow a password with a question mark.
        true => "***",
        false => plain.rsplit('@').next().unwrap_or_default(),
    };
    let (host, path) = plain.split_once('/').unwrap_or((plain, ""));
    format!("{scheme}://{host}/{path}")
}

/// Whether a message holds a part of what comes before the last `@` of a URL.
fn repeats_secret(message: &str, url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let secret = rest.rsplit_once('@').map_or("", |(secret, _)| secret);
    let parts = secret.split([':', '/', '@', '?', '#']).skip(1);
    parts.filter(|part| !part.is_empty()).any(|part| message.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_shown() {
        let url = "https://u:p@api.example.com:8443/rest/v1/species?apikey=secret#x";
        assert_eq!(without_secrets(url), "https://api.example.com:8443/rest/v1/species");
        assert_eq!(without_secrets("http://localhost"), "http://localhost/");
        for url in ["https://u:s3/cret@h/x", "https://u:s3?cret@h/x", "https://u:a@s3#cret@h/x"] {
            let shown = without_secrets(url);
            assert!(!shown.contains("s3") && !shown.contains("cret"), "{shown}");
            let found = check(url, Duration::from_millis(1));
            assert!(!found.detail.contains("s3") && !found.detail.contains("cret"), "{found:?}");
        }
    }
}
