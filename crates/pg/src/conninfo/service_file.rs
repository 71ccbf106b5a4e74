//! The connection service file: named groups of parameters, `[name]` followed by
//! `keyword=value` lines.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::settings::{Origin, Settings};
use sterna_error::{Error, Result};

/// The folders of the system-wide file if `PGSYSCONFDIR` is not set: Debian's folder,
/// then that of Fedora and of PostgreSQL's own packages.
const SYSTEM_FOLDERS: [&str; 2] = ["/etc/postgresql-common", "/etc"];

/// Adds the parameters of `service` from the first file that defines it.
pub(super) fn offer(
    settings: &mut Settings,
    service: &str,
    home: Option<&Path>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<()> {
    let files = candidates(home, env);
    for file in &files {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::file(file, error)),
        };
        let Some(lines) = group(&text, service).map_err(|error| error.context(file.display()))?
        else {
            continue;
        };
        for (number, keyword, value) in lines {
            let origin = Origin::Service(file.clone(), number);
            if keyword == "service" {
                return Err(Error::usage(format!("{origin}: a service cannot refer to another")));
            }
            settings.offer(keyword, value.to_owned(), origin)?;
        }
        return Ok(());
    }
    let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    Err(Error::usage(format!("the service {service:?} is not defined"))
        .hint(format!("write a [{service}] group into one of {}", files.join(", "))))
}

fn candidates(home: Option<&Path>, env: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let set = |name| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = set("PGSERVICEFILE").or_else(|| Some(home?.join(".pg_service.conf")));
    let folders = match set("PGSYSCONFDIR") {
        Some(folder) => vec![folder],
        None => SYSTEM_FOLDERS.map(PathBuf::from).to_vec(),
    };
    own.into_iter()
        .chain(folders.into_iter().map(|folder| folder.join("pg_service.conf")))
        .collect()
}

/// A line's number, keyword and value.
type Line<'a> = (usize, &'a str, &'a str);

/// The lines of the first group of this name. Messages do not show a line's text,
/// which may be a password.
fn group<'a>(text: &'a str, name: &str) -> Result<Option<Vec<Line<'a>>>> {
    let mut found: Option<Vec<Line<'a>>> = None;
    for (index, line) in text.lines().enumerate() {
        let (number, line) = (index + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if header.strip_suffix(']') == Some(name) {
                found = Some(Vec::new());
            }
        } else if let Some(lines) = &mut found {
            let Some((keyword, value)) = line.split_once('=') else {
                return Err(Error::usage(format!("line {number} is not keyword=value")));
            };
            lines.push((number, keyword, value));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# ours\n[a]\nhost=h\n\n  port=1  \n[b]\nuser=u=v\n[a]\nuser=late\n";

    #[test]
    fn a_group_ends_at_the_next_header() {
        assert_eq!(group(FILE, "a").unwrap(), Some(vec![(3, "host", "h"), (5, "port", "1")]));
        assert_eq!(group(FILE, "b").unwrap(), Some(vec![(7, "user", "u=v")]));
        assert_eq!(group(FILE, "c").unwrap(), None);
    }

    #[test]
    fn the_users_file_comes_before_the_systems() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join(".pg_service.conf");
        let system = folder.path().join("pg_service.conf");
        std::fs::write(&own, "[a]\nport=1\n").unwrap();
        std::fs::write(&system, "[a]\nport=2\n[b]\nport=3\n[bad]\nsecret\n[loop]\nservice=a\n")
            .unwrap();
        let sysconf = folder.path().display().to_string();
        let env = |name: &str| (name == "PGSYSCONFDIR").then(|| sysconf.clone());
        let port = |service: &str| {
            let mut settings = Settings::default();
            offer(&mut settings, service, Some(folder.path()), &env)?;
            Ok::<_, Error>(settings.value("port").map(str::to_owned))
        };
        assert_eq!(port("a").unwrap().as_deref(), Some("1"));
        assert_eq!(port("b").unwrap().as_deref(), Some("3"));
        for service in ["none", "bad", "loop"] {
            let error = port(service).unwrap_err();
            assert_eq!(error.kind().exit_code(), 2);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
