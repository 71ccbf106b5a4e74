//! Every command and every option that README and the pages name exists. Those that pages have in
//! blocks are run by the tests of these pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Options of pg_dump and pg_restore that stand alone in a text.
const OF_OTHERS: [&str; 1] = ["--no-privileges"];

/// README and `docs/`.
fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let markdown = docs.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let pages = markdown.chain([root.join("README.md")]);
    pages.map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

/// What stands between backticks in the text, except in fenced blocks.
fn inline_code(page: &str) -> Vec<String> {
    let text: Vec<&str> = page.split("\n```").step_by(2).collect();
    let text = text.join("\n");
    let code: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    code.iter().map(|code| code.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// The commands of a page: in blocks, fenced or indented, and in the text.
fn commands(page: &str) -> BTreeSet<String> {
    let joined = page.replace("\\\n", " ");
    let fenced = joined.split("\n```").skip(1).step_by(2).flat_map(str::lines);
    let indented = joined.lines().filter(|line| line.starts_with("    "));
    let lines = fenced.chain(indented).map(|line| line.trim_start().trim_start_matches("$ "));
    let lines = lines.map(|line| line.trim_start_matches("timeout 3h ").to_owned());
    let all = lines.chain(inline_code(page));
    let named = all.filter(|line| line.starts_with("sterna "));
    // The command alone, of a line of shell.
    let ends = [" #", " |", " &&", ";", " >", " 2>", " <", " ("];
    let alone = named.map(|line| {
        let end = ends.iter().filter_map(|end| line.find(end)).min().unwrap_or(line.len());
        line[..end].trim().to_owned()
    });
    // What a page prints, such as a usage line, is no command.
    alone.filter(|line| line.split(' ').nth(1).is_some_and(is_word)).collect()
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase()) && !text.is_empty()
}

fn sterna(arguments: &str) -> Output {
    let mut shell = Command::new("sh");
    let command = format!("exec \"$0\" {arguments}");
    shell.args(["-c", &command, env!("CARGO_BIN_EXE_sterna")]);
    shell.output().unwrap()
}

#[test]
fn every_command_of_the_documents_exists() {
    let (mut count, mut unknown) = (0, Vec::new());
    for (path, page) in pages() {
        for command in commands(&page) {
            count += 1;
            let arguments = command.strip_prefix("sterna ").unwrap();
            // Names in capitals stand for values, and any text is one where no other is named.
            let words = arguments.split(' ').map(|word| match word {
                "N" | "SECONDS" => "1",
                "COMMAND" => "load",
                "RUN" => "00000000-0000-4000-8000-000000000000",
                "\"$@\"" | "..." => "",
                word => word,
            });
            let words: Vec<&str> = words.collect();
            // Help is the answer once everything before it has been understood.
            let words = match words.iter().position(|word| *word == "--") {
                Some(end) => &words[..end],
                None => &words[..],
            };
            let help = if words[0] == "help" { "" } else { "--help" };
            let output = sterna(&format!("{} {help}", words.join(" ")));
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr);
                unknown.push(format!("{}: {command}: {said}", path.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    assert!(count > 80, "only {count} commands were found");
}

/// The tests that run a page name it, and run all its blocks; a page that is not run says why not.
#[test]
fn every_page_with_commands_is_run_by_a_test_or_says_why_not() {
    let mut unread = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration")];
    let mut tests = String::new();
    while let Some(path) = unread.pop() {
        if path.is_dir() {
            unread.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if !path.ends_with("recipes/commands.rs") {
            tests += &fs::read_to_string(&path).unwrap_or_default();
        }
    }
    let is_command = |line: &str| {
        let starts = |word: &&str| line.trim_start_matches("    ").starts_with(*word);
        line.starts_with("    ") && ["sterna ", "script/", "psql ", "cargo "].iter().any(starts)
    };
    for (path, page) in pages() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_run = tests.contains(&format!("{name}\""));
        let text = page.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let has_commands = page.contains("\n```sh") || page.lines().any(is_command);
        assert!(is_run || !has_commands || text.contains("no test runs"), "{name}");
    }
}

#[test]
fn every_option_of_the_documents_exists() {
    let mut known = String::from_utf8(sterna("completions bash").stdout).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scripts = ["script", "benches"].iter().flat_map(|folder| {
        fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path())
    });
    for path in scripts.filter(|path| path.is_file()) {
        known += &fs::read_to_string(path).unwrap_or_default();
    }
    let is_end = |byte: u8| !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let known: BTreeSet<&str> = known.split(|c: char| !c.is_ascii() || is_end(c as u8)).collect();
    let (mut count, mut unknown) = (0, Vec::new());
    for (path, page) in pages() {
        // Options of other programs stand behind their names.
        let own = inline_code(&page).into_iter().filter(|code| code.starts_with("--"));
        for option in own.map(|code| code.split([' ', '=', ',']).next().unwrap().to_owned()) {
            count += 1;
            if !known.contains(&*option) && !OF_OTHERS.contains(&&*option) {
                unknown.push(format!("{}: {option}", path.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    assert!(count > 60, "only {count} options were found");
}
