//! What commands show on a terminal: lines that fit it, and colour where it is wanted.

use std::process::Command;

use crate::cites::{Installation, file_of, good, shipment};
use crate::server::TestDb;

/// Runs a command on a terminal of a width, and returns what it shows.
fn on_terminal(db: &TestDb, columns: u16, args: &[&str], more: &[(&str, &str)]) -> String {
    let command = db.command(args);
    let quoted = |word: &str| format!("'{}'", word.replace('\'', "'\\''"));
    let mut line = format!("stty cols {columns} rows 50; exec ");
    line.push_str(&quoted(command.get_program().to_str().unwrap()));
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&quoted(arg.to_str().unwrap()));
    }
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    terminal.env("TERM", "xterm").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => terminal.env(name, value),
            None => terminal.env_remove(name),
        };
    }
    terminal.envs(more.iter().copied());
    let shown = terminal.stdin(std::process::Stdio::null()).output().unwrap();
    String::from_utf8(shown.stdout).unwrap().replace("\r\n", "\n")
}

/// The text without its colours.
fn plain(shown: &str) -> String {
    let mut parts = shown.split('\x1b');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once('m').unwrap().1);
    }
    text
}

#[tokio::test]
async fn what_every_command_shows_fits_the_terminal() {
    let here = Installation::new().await;
    let records = good(40);
    let long = "a-folder-with-a-name-that-is-long-enough-to-fill-the-terminal-by-itself";
    std::fs::create_dir(here.folder.path().join(long)).unwrap();
    let input = here.folder.path().join(long).join("trade_db_1.csv");
    std::fs::write(&input, file_of(&records)).unwrap();
    let backup = here.folder.path().join("backup");
    let [input, out] = [&input, &backup].map(|path| path.to_str().unwrap());
    for args in [
        ["inspect", input].as_slice(),
        &["check", "pre"],
        &["plan", input, "--brief"],
        &["load", input, "--all", "--verify"],
        &["status"],
        &["validate"],
        &["bench", "--seconds", "1"],
        &["species", "missing", input],
        &["switchover", "--accept-failed-validation"],
        &["check", "post"],
        &["reindex"],
        &["rollback", "switchover", "--dry-run"],
        &["rollback", "switchover"],
        &["backup", "--out", out],
        &["config", "show"],
        &["prune", "--keep", "3"],
        &["migrate", input, "--to", "1.2", "--skip", "1.1"],
        &["load", input, "--all", "--table", "cites_trade_record"],
        &["stage", "drop"],
    ] {
        for columns in [80, 120] {
            let args = [args, &["--progress", "never"]].concat();
            let shown = plain(&on_terminal(&here.db, columns, &args, &[]));
            assert!(!shown.is_empty(), "{args:?}");
            for line in shown.lines().filter(|line| !line.contains(" WARN ")) {
                // Only a word that cannot be broken may be longer.
                let is_word = !line.trim().trim_end_matches(" \\").contains(' ');
                assert!(line.chars().count() <= columns.into() || is_word, "{args:?}\n{line}");
            }
        }
    }
}

#[tokio::test]
async fn a_password_in_a_table_stays_hidden_however_narrow_it_is() {
    let here = Installation::new().await;
    let taxon =
        "postgres://someuserlong:hunter2hunter2hunter2hunter2hunter2@db.example.org/production";
    let file = here.folder.path().join("taxa.csv");
    std::fs::write(&file, file_of(&[shipment(&[("Taxon", taxon)])])).unwrap();
    for columns in [40, 60, 80, 120] {
        let args = ["species", "missing", file.to_str().unwrap(), "--progress", "never"];
        let shown = plain(&on_terminal(&here.db, columns, &args, &[]));
        assert!(shown.contains("someuserlong") && !shown.contains("hunter2"), "{shown}");
    }
}

#[tokio::test]
async fn colour_is_used_where_it_is_wanted() {
    let db = TestDb::new().await;
    let args = ["check", "pre", "--disk-limit", "1TiB"];
    let coloured = "\x1b[1m\x1b[31mERROR\x1b[0m";
    let shown = on_terminal(&db, 80, &args, &[]);
    assert!(shown.contains(coloured) && shown.contains("\x1b[32mok"), "{shown}");
    assert!(!on_terminal(&db, 80, &args, &[("NO_COLOR", "1")]).contains('\x1b'));
    assert!(
        !on_terminal(&db, 80, &[&args[..], &["--color", "never"]].concat(), &[]).contains('\x1b')
    );
    // Into a pipe.
    let piped = db.sterna(&args).expect_code(6);
    assert!(!piped.stdout.contains('\x1b') && !piped.stderr.contains('\x1b'), "{piped:?}");
    let wrong = ["load", "--color=never", "--no-such-option"];
    assert!(!on_terminal(&db, 80, &wrong, &[]).contains('\x1b'));
    // Nor one in a configuration that cannot be read.
    let wrong = ["status", "--color", "never", "--config", "missing.toml"];
    assert!(!on_terminal(&db, 80, &wrong, &[]).contains('\x1b'));
    let always = db.sterna(&[&args[..], &["--color", "always"]].concat());
    assert!(always.stdout.contains(coloured), "{always:?}");
    // A value from the database that is spelt like a result is none.
    db.psql("CREATE INDEX failed ON public.cites_trade_records (year)").await;
    let named = on_terminal(&db, 80, &["reindex"], &[]);
    assert!(named.contains("\x1b[32mvalid") && named.contains("failed"), "{named}");
    assert!(!named.contains("\x1b[31m"), "{named}");
    // No escape sequence in a name gets through.
    db.psql("CREATE TABLE public.\"\x1b[31mred\" ()").await;
    let missing = on_terminal(&db, 80, &["plan", "--table", "\x1b[31mred2"], &[]);
    assert!(!plain(&missing).contains('\x1b') && missing.contains("\\u{1b}[31mred"), "{missing}");
}
