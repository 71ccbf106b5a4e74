//! A headless Chromium that opens pages: how it renders them, and its complaints.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The names that script/chromium looks for.
const NAMES: [&str; 6] = [
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Whether pages are not opened, which script/test requests if there is no browser.
pub(super) fn is_left_out() -> bool {
    std::env::var_os("STERNA_CHROMIUM").is_some_and(|named| named == "none")
}

/// The browser's program.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("STERNA_CHROMIUM") {
        return named.into();
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&folders).collect();
    let candidates = NAMES.iter().flat_map(|name| folders.iter().map(move |f| f.join(name)));
    let mut candidates = candidates.filter(|path| path.is_file());
    candidates.next().expect(
        "there is no Chromium; script/chromium installs it, STERNA_CHROMIUM=none does without",
    )
}

/// Opens a page without a network.
fn open(page: &Path, args: &[&str]) -> Output {
    let profile = tempfile::tempdir().unwrap();
    let mut profile_arg = std::ffi::OsString::from("--user-data-dir=");
    profile_arg.push(profile.path());
    Command::new(program())
        // Root, as in a container, cannot use the sandbox.
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
        .args(["--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND"])
        .arg(profile_arg)
        .args(args)
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap()
}

/// The page as the browser parsed it, and its console output.
pub(super) fn read(page: &Path) -> (String, Vec<String>) {
    let output = open(page, &["--dump-dom"]);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let console = log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned);
    let dom = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && dom.contains("</html>"), "{log}");
    (dom, console.collect())
}

/// Takes a picture of the page; returns its width and height.
pub(super) fn screenshot(page: &Path, to: &Path, (width, height): (u32, u32)) -> (u32, u32) {
    let picture = format!("--screenshot={}", to.display());
    let output = open(page, &[&picture, &format!("--window-size={width},{height}")]);
    assert!(output.status.success(), "{output:?}");
    let png = std::fs::read(to).unwrap();
    // A PNG begins with its signature and the size.
    assert_eq!(png[1..4], *b"PNG");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn what_a_page_writes_to_the_console_is_noticed() {
    if is_left_out() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, "<!doctype html><script>console.error('noticed')</script>").unwrap();
    let (_, console) = read(&page);
    assert!(console.len() == 1 && console[0].contains("noticed"), "{console:?}");
}
