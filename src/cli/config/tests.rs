//! Precedence of sources, and refusals.

use super::*;
use crate::cli::commands::load::LoadArgs;
use crate::cli::{Command as Sub, OutputFormat};
use crate::load::OnInexact;

/// Reads a command line in a folder whose `sterna.toml` holds `text`.
fn read_with(text: &str, line: &[&str]) -> std::result::Result<Cli, Refusal> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
    let args = std::iter::once("sterna").chain(line.iter().copied()).map(OsString::from);
    read(args, folder.path())
}

fn load_args(text: &str, line: &[&str]) -> LoadArgs {
    match read_with(text, line).unwrap().command {
        Sub::Load(args) => args,
        other => panic!("{other:?}"),
    }
}

/// The error's message after the path, and its hint.
fn refusal(text: &str, line: &[&str]) -> String {
    match read_with(text, line).unwrap_err() {
        Refusal::File(error) => {
            assert_eq!(error.kind().exit_code(), 2);
            let (_, message) = error
                .to_string()
                .split_once(": ")
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .unwrap();
            format!("{message} | {}", error.next_step().unwrap_or_default())
        }
        Refusal::CommandLine(error) => panic!("{error}"),
    }
}

fn open_to(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn a_file_of_others_or_with_a_password_for_all_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let read = |text: &str, mode| {
        std::fs::write(&path, text).unwrap();
        open_to(&path, mode);
        let args = ["sterna", "load", "a.csv", "--all"].map(OsString::from);
        match read(args, folder.path()) {
            Ok(_) => String::new(),
            Err(Refusal::File(error)) => {
                assert_eq!(error.kind().exit_code(), 2);
                error.to_string()
            }
            Err(Refusal::CommandLine(error)) => panic!("{error}"),
        }
    };
    let plain = "schema = 'trade'\ndatabase_url = 'postgres://u@h/d'\n";
    assert_eq!(read(plain, 0o644), "");
    for mode in [0o664, 0o646, 0o666] {
        assert!(read(plain, mode).ends_with("can be written to by others"), "{mode:o}");
    }
    for value in
        ["postgres://u:s3cret@h/d", "host=h password = s3cret", "postgres://h?password=s3cret"]
    {
        let text = format!("database_url = '{value}'\n");
        assert_eq!(read(&text, 0o600), "");
        for mode in [0o640, 0o604] {
            let said = read(&text, mode);
            assert!(said.contains("line 1: database_url holds a password"), "{said}");
            assert!(!said.contains("s3cret"), "{said}");
        }
    }
    if nix::unistd::Uid::effective().is_root() {
        std::os::unix::fs::chown(&path, Some(65534), None).unwrap();
        assert!(read(plain, 0o644).ends_with("belongs to another user"));
    }
}

const LOAD: [&str; 3] = ["load", "a.csv", "--all"];

#[test]
fn the_file_wins_over_what_is_built_in_and_the_command_line_over_the_file() {
    let text = "format = 'json'\nschema = 'trade'\n[load]\nbatch_size = 5000\nworkers = 3\non_inexact = 'widen'\nmax_rejects = '5%'\nverify = true\n[inspect]\nworkers = 7\n";
    let args = load_args(text, &LOAD);
    assert_eq!((args.choices.batch_size, args.choices.workers, args.verify), (5000, Some(3), true));
    assert_eq!(args.choices.on_inexact, OnInexact::Widen);
    let line = ["load", "a.csv", "--all", "--batch-size", "7", "--schema", "public"];
    let cli = read_with(text, &line).unwrap();
    assert_eq!((cli.global.format, cli.global.schema.as_str()), (OutputFormat::Json, "public"));
    assert_eq!(load_args(text, &line).choices.batch_size, 7);
    assert_eq!(load_args("", &LOAD).choices.batch_size, 10_000);
}

#[test]
fn the_file_may_give_what_is_required() {
    let args = load_args("[load]\nyear = ['2015-2020', 2023]\n", &["load", "a.csv"]);
    assert_eq!(args.year.len(), 2);
    assert!(load_args("[load]\nall = true\n", &["load", "a.csv"]).all);
    let generated = read_with("[generate]\nout = 'x.zip'\n", &["generate"]).unwrap();
    assert!(matches!(generated.command, Sub::Generate(args) if args.out == Path::new("x.zip")));
}

#[test]
fn what_the_command_line_excludes_does_not_come_from_the_file() {
    let args = load_args("[load]\nyear = 2020\n", &LOAD);
    assert!(args.all && args.year.is_empty());
    let args = load_args("[load]\nall = true\n", &["load", "a.csv", "--year", "2020"]);
    assert!(!args.all && args.year.len() == 1);
    let both = refusal("[load]\nall = true\nyear = 2020\n", &["load", "a.csv"]);
    assert!(both.starts_with("line 3: [load] year excludes all"), "{both}");
    let cli = read_with("quiet = true\n", &["load", "a.csv", "--all", "-v"]).unwrap();
    assert_eq!((cli.global.quiet, cli.global.verbose), (false, 1));
}

#[test]
fn unknown_keys_are_named_with_the_nearest() {
    let near = refusal("\n[load]\nbatchsize = 5\n", &LOAD);
    assert_eq!(near, "line 3: unknown key batchsize in [load] | did you mean batch_size?");
    let table = refusal("[lod]\nall = true\n", &LOAD);
    assert_eq!(table, "line 1: unknown table [lod] | did you mean load?");
    let global = refusal("databse_url = 'x'\n", &LOAD);
    assert_eq!(global, "line 1: unknown key databse_url | did you mean database_url?");
    // Even if the current command would not use the key. The file and inputs cannot be set.
    for text in ["[inspect]\nzzz = 1\n", "config = 'b.toml'\n", "[load]\ninputs = ['a.csv']\n"] {
        assert!(refusal(text, &LOAD).contains("unknown key"), "{text}");
    }
}

#[test]
fn wrong_values_are_named_by_file_and_line() {
    let range = refusal("[load]\nbatch_size = 0\n", &LOAD);
    assert!(
        range.starts_with("line 2: [load] batch_size is refused: invalid value '0'"),
        "{range}"
    );
    let choice = refusal("[load]\non_inexact = 'guess'\n", &LOAD);
    assert!(choice.ends_with("| possible values: reject, round, widen"), "{choice}");
    let format = refusal("format = 'xml'\n", &LOAD);
    assert!(format.starts_with("line 1: format is refused"), "{format}");
    let flag = refusal("[load]\nverify = 'yes'\n", &LOAD);
    assert_eq!(flag, "line 2: [load] verify has to be true or false | ");
    let list = refusal("[load]\nbatch_size = [1]\n", &LOAD);
    assert_eq!(list, "line 2: [load] batch_size has to be a string or a number | ");
    assert!(refusal("a = 1\nb =\n", &LOAD).starts_with("line 2: "));
}

#[test]
fn a_file_that_is_named_has_to_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let read_named = |name: &str| {
        let path = folder.path().join(name).into_os_string();
        let line = ["sterna", "load", "a.csv", "--all", "--config"].map(OsString::from);
        read(line.into_iter().chain([path]), Path::new("/"))
    };
    assert!(matches!(read_named("missing.toml"), Err(Refusal::File(_))));
    std::fs::write(folder.path().join("there.toml"), "[load]\nappend = true\n").unwrap();
    assert!(matches!(read_named("there.toml").unwrap().command, Sub::Load(args) if args.append));
}

#[test]
fn what_is_wrong_on_the_command_line_is_claps_to_say() {
    let wrong =
        [("", ["load", "a.csv", "--al"]), ("[load]\nverify = true\n", ["load", "a.csv", "-q"])];
    for (text, line) in wrong {
        assert!(matches!(read_with(text, &line), Err(Refusal::CommandLine(_))), "{line:?}");
    }
    let explicit = ["load", "a.csv", "--all", "--batch-size", "0"];
    let refused = read_with("[load]\nbatch_size = 5\n", &explicit);
    assert!(matches!(refused, Err(Refusal::CommandLine(_))));
}

#[test]
fn help_shows_the_files_defaults_but_no_secret() {
    let text = "database_url = 'postgres://u:secret@h/d'\n[load]\nbatch_size = 4321\n";
    let command = Cli::command();
    let settings = {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        open_to(&folder.path().join(FILE_NAME), 0o600);
        Settings::find(None, folder.path(), &command).unwrap().unwrap()
    };
    let mut command = settings
        .iter()
        .fold(command, |command, setting| with_default(command, setting, setting.table.as_deref()));
    command.build();
    let help = command.find_subcommand_mut("load").unwrap().render_long_help().to_string();
    assert!(help.contains("[default: 4321]") && !help.contains("secret"), "{help}");
}

#[test]
fn the_example_of_the_readme_holds() {
    let readme = include_str!("../../../README.md");
    let (_, behind) = readme.split_once("```toml\n").unwrap();
    let (example, _) = behind.split_once("```").unwrap();
    let args = load_args(example, &LOAD);
    assert_eq!((args.choices.batch_size, args.verify), (5000, true));
}

#[test]
fn a_rehearsal_goes_as_the_migration_will() {
    let text = "production = true\n[migrate]\non_inexact = 'widen'\nbatch_size = 500\n\
        to = '3.3'\nout = 'report'\n[rehearse]\nbatch_size = 70\n";
    let cli = read_with(text, &["rehearse", "a.csv"]).unwrap();
    assert!(cli.global.production);
    let Sub::Rehearse(args) = cli.command else { panic!("not a rehearsal") };
    assert_eq!(args.choices.load.on_inexact, OnInexact::Widen);
    assert_eq!((args.choices.load.batch_size, args.out), (70, None));
}
