//! `postgres://user:password@host:port,host:port/database?parameter=value`.
//!
//! Splits like libpq, but additionally refuses an `@` that is not part of the user
//! information: it means an unencoded character in the password, and the rest of the
//! password would be shown as a host or database name. For the same reason no message
//! here shows any part of the URL.

use sterna_error::{Error, Result};

/// The text after one of the two schemes, or `None` if `text` has neither.
pub(super) fn after_scheme(text: &str) -> Option<&str> {
    text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://"))
}

/// The parameters set by a URL (without its scheme), by libpq's keywords.
pub(super) fn parse(rest: &str) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut put = |keyword: &str, raw: &str| -> Result<()> {
        if !raw.is_empty() {
            pairs.push((keyword.to_owned(), decode(raw)?));
        }
        Ok(())
    };

    let rest = match rest.find(['@', '/']) {
        Some(at) if rest[at..].starts_with('@') => {
            let (user, password) = rest[..at].split_once(':').unwrap_or((&rest[..at], ""));
            put("user", user)?;
            put("password", password)?;
            &rest[at + 1..]
        }
        _ => rest,
    };
    let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
    if before_query.contains('@') {
        return Err(malformed("there is an \"@\" after the host"));
    }
    let (hosts, database) = before_query.split_once('/').unwrap_or((before_query, ""));
    let (hosts, ports) = split_hosts(hosts)?;
    put("host", &hosts)?;
    put("port", &ports)?;
    put("dbname", database)?;
    for parameter in query.split('&').filter(|text| !text.is_empty()) {
        let Some((keyword, value)) = parameter.split_once('=') else {
            return Err(malformed("a parameter after the \"?\" has no \"=\""));
        };
        let pair = match (decode(keyword)?, decode(value)?) {
            // The spelling of other drivers; libpq accepts it as well.
            (keyword, value) if keyword == "ssl" && value == "true" => {
                ("sslmode".to_owned(), "require".to_owned())
            }
            pair => pair,
        };
        pairs.push(pair);
    }
    Ok(pairs)
}

/// Splits `a:1,[::1]:2` into the lists `a,::1` and `1,2`; the second is empty if there are no
/// ports.
fn split_hosts(text: &str) -> Result<(String, String)> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for part in text.split(',') {
        let (host, port) = match part.strip_prefix('[') {
            Some(rest) => {
                let Some((address, after)) = rest.split_once(']') else {
                    return Err(malformed("an IPv6 address has no closing bracket"));
                };
                match (address, after, after.strip_prefix(':')) {
                    ("", ..) => return Err(malformed("an IPv6 address is empty")),
                    (_, "", _) => (address, ""),
                    (_, _, Some(port)) => (address, port),
                    _ => return Err(malformed("something other than a port follows an address")),
                }
            }
            None => part.split_once(':').unwrap_or((part, "")),
        };
        hosts.push(host);
        ports.push(port);
    }
    let any_port = ports.iter().any(|port| !port.is_empty());
    Ok((hosts.join(","), if any_port { ports.join(",") } else { String::new() }))
}

/// Decodes percent-encoding. A plus sign is not a blank, as in libpq.
fn decode(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let digits = tail.get(..2).and_then(|pair| {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()
        });
        match digits {
            None => {
                return Err(malformed("a \"%\" is not followed by two hexadecimal digits"));
            }
            Some(0) => return Err(malformed("it encodes a NUL (\"%00\")")),
            Some(byte) => bytes.push(byte),
        }
        rest = &tail[2..];
    }
    String::from_utf8(bytes).map_err(|_| malformed("a decoded part is not UTF-8"))
}

fn malformed(what: &str) -> Error {
    Error::usage(format!("the database URL is malformed: {what}")).hint(
        "percent-encode special characters of user and password, for example @ as %40, / as %2F \
         and % as %25",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(url: &str) -> Vec<(String, String)> {
        parse(after_scheme(url).expect("a scheme")).unwrap()
    }

    fn pairs(text: &[(&str, &str)]) -> Vec<(String, String)> {
        text.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn every_part_may_be_missing() {
        assert_eq!(parsed("postgresql://"), pairs(&[]));
        assert_eq!(parsed("postgres://h"), pairs(&[("host", "h")]));
        assert_eq!(parsed("postgres:///d"), pairs(&[("dbname", "d")]));
        assert_eq!(parsed("postgres://u@"), pairs(&[("user", "u")]));
        assert_eq!(parsed("postgres://?user=u"), pairs(&[("user", "u")]));
        assert_eq!(
            parsed("postgres://u:p@h:1/d?sslmode=verify-full&options=-c%20a=b"),
            pairs(&[
                ("user", "u"),
                ("password", "p"),
                ("host", "h"),
                ("port", "1"),
                ("dbname", "d"),
                ("sslmode", "verify-full"),
                ("options", "-c a=b"),
            ])
        );
    }

    #[test]
    fn host_lists_addresses_and_socket_folders() {
        assert_eq!(parsed("postgres://a,b:2"), pairs(&[("host", "a,b"), ("port", ",2")]));
        assert_eq!(
            parsed("postgres://[::1]:5,c:6/d"),
            pairs(&[("host", "::1,c"), ("port", "5,6"), ("dbname", "d")])
        );
        assert_eq!(parsed("postgres://%2Ftmp:5"), pairs(&[("host", "/tmp"), ("port", "5")]));
        assert_eq!(parsed("postgres://h/?ssl=true")[1].1, "require");
    }

    #[test]
    fn a_malformed_url_is_refused_without_showing_it() {
        for url in [
            "postgres://u:s3@cret@h/d",
            "postgres://u:s3/cret@h/d",
            "postgres://u:7/cret@h/d",
            "postgres://u:cret%zz@h",
            "postgres://u:cret%0@h",
            "postgres://u:cret%00@h",
            "postgres://u:cret%ff@h",
            "postgres://u:p@[::1",
            "postgres://u:p@[]/d",
            "postgres://u:p@[::1]cret/d",
            "postgres://h/d?password=a&cret",
        ] {
            let error = parse(after_scheme(url).expect("a scheme")).unwrap_err();
            assert_eq!(error.kind().exit_code(), 2, "{url}");
            let shown = format!("{error} {error:?} {}", error.next_step().unwrap_or(""));
            assert!(!shown.contains("cret"), "{shown}");
        }
    }

    fn encode(text: &str) -> String {
        text.bytes().map(|byte| format!("%{byte:02X}")).collect()
    }

    proptest! {
        #[test]
        fn encoded_values_come_back(
            user in "[^\0]{1,12}", password in "[^\0]{1,12}", database in "[^\0]{1,12}",
            host in "[a-z.]{1,12}", port in 1u16.., name in "[^\0]{0,12}",
        ) {
            let url = format!(
                "postgres://{}:{}@{host}:{port}/{}?application_name={}",
                encode(&user), encode(&password), encode(&database), encode(&name)
            );
            let port = port.to_string();
            let expected = pairs(&[
                ("user", &user), ("password", &password), ("host", &host), ("port", &port),
                ("dbname", &database), ("application_name", &name),
            ]);
            prop_assert_eq!(parsed(&url), expected);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
