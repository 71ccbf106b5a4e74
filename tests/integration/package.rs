//! What is shipped: the packages of the crates, and the Debian package.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use crate::server::{Finished, STERNA};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Resolves `..`, as the compiler does for a file that a source includes.
fn resolved(path: &Path) -> PathBuf {
    let mut found = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(found.pop(), "{} is outside", path.display()),
            part => found.push(part),
        }
    }
    found
}

#[test]
fn packages_hold_what_they_compile_in_and_nothing_else() {
    let crates = [("sterna", ""), ("sterna-cites", "crates/cites"), ("sterna-pg", "crates/pg")];
    for (package, folder) in crates.into_iter().chain([("sterna-error", "crates/error")]) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["package", "--list", "--allow-dirty", "--offline", "--package", package]);
        let listed = Finished::from(cargo.current_dir(root()).output().unwrap()).expect_code(0);
        assert!(!listed.stderr.contains("warning"), "{listed:?}");
        let listed: BTreeSet<PathBuf> = listed.stdout.lines().map(PathBuf::from).collect();

        let mut included = 0;
        for path in &listed {
            let first = path.components().next().unwrap().as_os_str().to_str().unwrap();
            let is_meant = match path.components().count() {
                1 => true,
                2 if first == "benches" => path.extension().is_some_and(|e| e == "rs"),
                _ => ["src", "sql", "data", "examples", "tests"].contains(&first),
            };
            assert!(is_meant, "{package}: {}", path.display());
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let source = fs::read_to_string(root().join(folder).join(path)).unwrap();
            for text in source.split("include_str!(\"").skip(1) {
                let file = text.split('"').next().unwrap();
                let file = resolved(&path.parent().unwrap().join(file));
                assert!(listed.contains(&file), "{package}: {} lacks {file:?}", path.display());
                included += 1;
            }
        }
        assert!(included > 10 || package == "sterna-error", "{package}: {included}");
    }
}

/// Every file and folder below this one, but for what dpkg itself keeps.
fn contents(folder: &Path) -> BTreeSet<PathBuf> {
    let all = glob::glob(folder.join("**/*").to_str().unwrap()).unwrap().map(Result::unwrap);
    let own = folder.join("var/lib/dpkg");
    all.filter(|path| !path.starts_with(&own) && !own.starts_with(path)).collect()
}

#[test]
fn the_debian_package_is_installed_and_removed() {
    let is_there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let is_root = nix::unistd::geteuid().is_root();
    if !is_there("dpkg-shlibdeps") || !(is_root || is_there("fakeroot")) {
        eprintln!(
            "SKIPPED: the Debian package is not tested without dpkg-dev, and root or fakeroot"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut make = Command::new(root().join("script/package"));
    make.arg(STERNA).arg(folder.path().join("packages"));
    // Compressing takes most of the time.
    make.env("DPKG_DEB_COMPRESSOR_TYPE", "none");
    let made = Finished::from(make.output().unwrap()).expect_code(0);
    let package = made.stdout.trim();
    assert!(package.contains(concat!("sterna_", env!("CARGO_PKG_VERSION"), "_")), "{made:?}");

    let system = folder.path().join("system");
    for part in ["info", "updates", "triggers"] {
        fs::create_dir_all(system.join("var/lib/dpkg").join(part)).unwrap();
    }
    fs::write(system.join("var/lib/dpkg/status"), "").unwrap();
    let dpkg = |args: &[&str]| {
        let mut dpkg = Command::new(if is_root { "dpkg" } else { "fakeroot" });
        if !is_root {
            dpkg.args(["dpkg", "--force-not-root"]);
        }
        // The libraries that it depends on are this machine's.
        dpkg.arg("--force-depends").arg(format!("--root={}", system.display())).args(args);
        let path = std::env::var("PATH").unwrap();
        dpkg.env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin:/sbin"));
        Finished::from(dpkg.output().unwrap()).expect_code(0)
    };

    dpkg(&["--install", package]);
    let run = |args: &[&str]| {
        let mut installed = Command::new(system.join("usr/bin/sterna"));
        Finished::from(installed.args(args).output().unwrap()).expect_code(0).stdout
    };
    assert_eq!(run(&["--version"]).trim(), concat!("sterna ", env!("CARGO_PKG_VERSION")));
    let share = system.join("usr/share");
    for (shell, file) in [
        ("bash", "bash-completion/completions/sterna"),
        ("fish", "fish/vendor_completions.d/sterna.fish"),
        ("zsh", "zsh/vendor-completions/_sterna"),
    ] {
        assert_eq!(fs::read_to_string(share.join(file)).unwrap(), run(&["completions", shell]));
    }
    let pages = contents(&share.join("man/man1"));
    for page in ["sterna.1.gz", "sterna-migrate.1.gz", "sterna-check-pre.1.gz"] {
        assert!(pages.contains(&share.join("man/man1").join(page)), "{page}: {pages:?}");
    }
    assert!(share.join("doc/sterna/copyright").is_file());

    dpkg(&["--purge", "sterna"]);
    assert_eq!(contents(&system), BTreeSet::new());
}
