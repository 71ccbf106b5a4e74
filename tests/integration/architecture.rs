//! The invariants of ARCHITECTURE.md, checked against the sources.
//!
//! Reads text, not syntax: crude, but it needs no parser and errs on the side of complaining.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A longer file needs a reason, and gets an entry here.
const MOST_LINES: usize = 400;

/// The words that make a string that starts with them SQL. Bare transaction control (BEGIN,
/// COMMIT, ROLLBACK) is left out: it names nothing, and belongs where it is read.
const STATEMENTS: [&str; 18] = [
    "ALTER", "ANALYZE", "COPY", "CREATE", "DELETE", "DROP", "GRANT", "INSERT", "LOCK", "NOTIFY",
    "REINDEX", "REVOKE", "SELECT", "SET", "TRUNCATE", "UPDATE", "VACUUM", "WITH",
];

/// A source file, without the parts that are compiled only for tests.
struct Source {
    /// The path within the repository.
    path: String,
    /// The numbered lines of code, without comments.
    code: Vec<(usize, String)>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file that is not a test, of the main package and of the crates below it.
fn code() -> Vec<PathBuf> {
    ["src", "crates"].into_iter().flat_map(|folder| files(folder, "rs")).collect()
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let pattern = root().join(folder).join("**").join(format!("*.{ending}"));
    let found = glob::glob(pattern.to_str().unwrap()).unwrap();
    let files: Vec<_> = found.map(Result::unwrap).collect();
    assert!(files.len() > 5, "{folder}: {files:?}");
    files
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()
}

fn sources() -> Vec<Source> {
    let is_tests = |path: &PathBuf| path.file_name().unwrap() == "tests.rs";
    let files = code().into_iter().filter(|path| !is_tests(path));
    let sources = files.map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        // Tests are at the end of a file.
        let lines = text.lines().take_while(|line| *line != "#[cfg(test)]");
        let code = (1..).zip(lines.map(str::to_owned));
        let code = code.filter(|(_, line)| !line.trim_start().starts_with("//"));
        Source { path: name(&path), code: code.collect() }
    });
    sources.collect()
}

/// Fails with every place outside `allowed` where a line of code `is_wrong`.
#[track_caller]
fn nowhere_but(allowed: &[&str], sources: &[Source], is_wrong: impl Fn(&str) -> bool) {
    let concerned = sources.iter().filter(|s| !allowed.iter().any(|a| s.path.starts_with(a)));
    let wrong = concerned.flat_map(|source| {
        let lines = source.code.iter().filter(|(_, line)| is_wrong(line));
        lines.map(|(number, line)| format!("{}:{number}: {}", source.path, line.trim()))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Fails unless each of `allowed` has a line that `is_used`: a rule about something that was
/// removed or moved would pass without meaning anything.
#[track_caller]
fn used_in(allowed: &[&str], sources: &[Source], is_used: impl Fn(&str) -> bool) {
    for place in allowed {
        let mut lines = sources.iter().filter(|s| s.path.starts_with(place)).flat_map(|s| &s.code);
        assert!(lines.any(|(_, line)| is_used(line)), "{place}");
    }
}

#[test]
fn csv_is_parsed_in_one_file_and_threads_meet_in_another() {
    let sources = sources();
    for (krate, place) in
        [("csv_async", "src/load/read/records.rs"), ("crossbeam", "src/load/pipeline.rs")]
    {
        used_in(&[place], &sources, |line| line.contains(krate));
        nowhere_but(&[place], &sources, |line| line.contains(krate));
    }
}

#[test]
fn what_is_pure_knows_no_clock_no_file_and_no_database() {
    let pure = [
        "crates/cites/src/",
        "src/load/account.rs",
        "src/load/read/batch.rs",
        "src/load/encode/",
        "src/load/read/map.rs",
        "src/load/plan/matching.rs",
        "src/load/plan/columns.rs",
        "src/load/plan/row_id.rs",
        "src/migrate/additions.rs",
        "src/migrate/plan.rs",
        "src/migrate/records.rs",
        "src/migrate/state.rs",
        "src/migrate/status.rs",
    ];
    let mut sources = sources();
    used_in(&pure, &sources, |line| !line.is_empty());
    sources.retain(|source| pure.iter().any(|place| source.path.starts_with(place)));
    let impure = [
        "tokio",
        "futures::",
        "async fn",
        "std::time",
        "Instant",
        "SystemTime",
        "std::fs",
        "fs::",
        "File::",
        "std::env::",
        "std::net",
        "std::thread",
        "Connection",
    ];
    nowhere_but(&[], &sources, |line| impure.iter().any(|word| line.contains(word)));
}

#[test]
fn the_inputs_know_nothing_of_loading() {
    let mut sources = sources();
    sources.retain(|source| source.path.starts_with("src/input/"));
    nowhere_but(&[], &sources, |line| line.contains("crate::load"));
}

#[test]
fn what_steps_call_knows_nothing_of_the_plan() {
    let above = ["crate::migrate", "crate::rehearse", "crate::history"];
    let mut sources = sources();
    sources.retain(|source| {
        let is_above = ["migrate", "rehearse", "history", "cli"];
        source.path.starts_with("src/")
            && !is_above.iter().any(|name| source.path.starts_with(&format!("src/{name}/")))
    });
    used_in(&["src/load/", "src/switchover/", "src/validate/"], &sources, |line| !line.is_empty());
    nowhere_but(&[], &sources, |line| above.iter().any(|name| line.contains(name)));
}

/// The imports of each file of `src/`: what follows `crate::` and `super::`, braces expanded. A
/// folder's own file is left out: it names its files, and they name it.
fn imports(sources: &[Source]) -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let module = |path: &str| -> Vec<String> {
        let path = path.trim_start_matches("src/").trim_end_matches(".rs");
        path.trim_end_matches("/mod").split('/').map(str::to_owned).collect()
    };
    let all: BTreeSet<_> = sources.iter().map(|source| module(&source.path)).collect();
    let is_leaf = |path: &[String]| {
        all.contains(path)
            && !all.iter().any(|other| other.len() > path.len() && other.starts_with(path))
    };
    let mut found = BTreeMap::new();
    for source in sources {
        let own = module(&source.path);
        let text: String = source.code.iter().flat_map(|(_, line)| [line.as_str(), " "]).collect();
        let mut paths = Vec::new();
        for (at, root) in text.match_indices("crate::").chain(text.match_indices("super::")) {
            if text[..at].ends_with("super::") {
                continue;
            }
            let mut rest = &text[at..];
            let mut from = own.clone();
            if root == "crate::" {
                (from, rest) = (Vec::new(), &rest[root.len()..]);
            }
            while let Some(above) = rest.strip_prefix("super::") {
                from.pop();
                rest = above;
            }
            expand(from, rest, &mut paths);
        }
        let targets = paths.iter().filter_map(|path| {
            let target =
                (1..=path.len()).rev().map(|n| &path[..n]).find(|path| all.contains(*path))?;
            (is_leaf(target) && *target != own[..]).then(|| target.to_vec())
        });
        found.insert(own.clone(), targets.collect());
    }
    found
}

/// The full paths that start with this prefix.
fn expand(mut from: Vec<String>, text: &str, paths: &mut Vec<Vec<String>>) {
    if text.starts_with('{') {
        let (mut depth, mut begun) = (0, 1);
        for (at, c) in text.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if (c == ',' && depth == 1) || depth == 0 {
                expand(from.clone(), text[begun..at].trim_start(), paths);
                begun = at + 1;
            }
            if depth == 0 {
                break;
            }
        }
        return;
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    from.push(text[..end].to_owned());
    match text[end..].strip_prefix("::") {
        Some(rest) => expand(from, rest, paths),
        None => paths.push(from),
    }
}

#[test]
fn no_files_import_each_other() {
    let mut sources = sources();
    sources.retain(|source| source.path.starts_with("src/"));
    let imports = imports(&sources);
    let edges: usize = imports.values().map(BTreeSet::len).sum();
    assert!(edges > 300, "{edges} imports were read");
    for start in imports.keys() {
        let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
        while let Some(module) = next.pop() {
            for target in imports.get(module).into_iter().flatten() {
                assert_ne!(target, start, "{module:?} names {start:?}, which leads to it");
                if seen.insert(target) {
                    next.push(target);
                }
            }
        }
    }
}

#[test]
fn sql_stands_in_sql_files() {
    let begins_with_a_statement = |text: &str| {
        let text = text.trim_start_matches([' ', '\\', '\n']);
        STATEMENTS.iter().any(|statement| {
            let rest = text.strip_prefix(statement);
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
    };
    assert!(begins_with_a_statement("SELECT 1") && !begins_with_a_statement("SETTING"));
    nowhere_but(&[], &sources(), |line| line.split('"').skip(1).any(begins_with_a_statement));
}

#[test]
fn only_the_shell_prints_and_survives_that_nobody_reads() {
    // Macros that panic if they cannot write.
    let prints = |line: &str| ["println!", "print!"].iter().any(|word| line.contains(word));
    nowhere_but(&[], &sources(), prints);
    let may = ["src/main.rs", "src/cli/render/", "src/cli/commands/demo.rs"];
    let tells = |line: &str| line.contains("to_stderr(");
    used_in(&may, &sources(), tells);
    nowhere_but(&may, &sources(), tells);
}

#[test]
fn nothing_unwraps_and_nothing_is_unsafe() {
    let sources = sources();
    nowhere_but(&[], &sources, |line| line.contains(".unwrap()"));
    nowhere_but(&[], &sources, |line| line.contains("unsafe {") || line.contains("unsafe fn"));
}

#[test]
fn no_file_is_long() {
    let folders = [("src", "rs"), ("crates", "rs"), ("tests", "rs"), ("sql", "sql")];
    let all = folders.iter().flat_map(|(folder, ending)| files(folder, ending));
    let long = all.filter_map(|path| {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        (lines > MOST_LINES).then(|| format!("{}: {lines} lines", name(&path)))
    });
    let long: Vec<_> = long.collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn no_module_is_named_after_nothing() {
    let vague = ["helper", "helpers", "util", "utils", "misc", "common"];
    for path in code().into_iter().chain(files("tests", "rs")) {
        let parts = name(&path).replace(".rs", "");
        assert!(!parts.split('/').any(|part| vague.contains(&part)), "{}", path.display());
    }
}

#[test]
fn every_sql_file_says_what_it_locks_and_what_undoes_it() {
    let embedded: String = code().iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for path in files("sql", "sql") {
        let text = fs::read_to_string(&path).unwrap();
        let header = text.lines().take_while(|line| line.starts_with("--")).collect::<Vec<_>>();
        let header = header.join(" ");
        for part in ["-- Purpose: ", "Lock: ", "Transaction: ", "Undone by: "] {
            assert!(header.contains(part), "{} has no {part}", path.display());
        }
        let name = name(&path);
        assert!(embedded.contains(&name), "nothing includes {name}");
    }
}

#[test]
fn the_map_of_the_code_names_every_module_of_the_engine() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for path in code() {
        let name = name(&path);
        let parts: Vec<&str> = name.trim_end_matches(".rs").split('/').collect();
        let (layer, module) = match parts[..] {
            ["crates", krate @ ("cites" | "pg"), "src", module, ..] => {
                (format!("crates/{krate}/"), module)
            }
            ["src", "load", "plan" | "read" | "settle" | "write", module, ..]
                if module != "mod" =>
            {
                ("src/load/".to_owned(), module)
            }
            [
                "src",
                layer @ ("input" | "load" | "migrate" | "rehearse" | "history" | "validate"),
                module,
                ..,
            ] => (format!("src/{layer}/"), module),
            _ => continue,
        };
        let named = [format!("`{module}`"), format!("`{module}/`")];
        let is_root = ["mod", "lib"].contains(&module) && map.contains(&format!("### `{layer}`"));
        assert!(is_root || named.iter().any(|name| map.contains(name)), "{name}");
    }
}

#[test]
fn the_supported_servers_are_the_same_everywhere() {
    let supported = sterna::pg::SUPPORTED_SERVERS;
    let said = format!("PostgreSQL {} to {}", supported.start(), supported.end());
    for file in ["README.md", "script/postgres"] {
        assert!(fs::read_to_string(root().join(file)).unwrap().contains(&said), "{file}");
    }
    let list = std::process::Command::new(root().join("script/server")).arg("--list").output();
    let list = String::from_utf8(list.unwrap().stdout).unwrap();
    let tested: Vec<u32> = list.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(tested, supported.collect::<Vec<_>>());
}
