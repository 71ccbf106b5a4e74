//! The commands of a page in `docs/`.

use std::path::Path;

/// The indented lines of a page, in order.
pub(super) fn commands(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let commands = text.lines().filter_map(|line| line.strip_prefix("    "));
    let commands: Vec<_> = commands.map(str::to_owned).collect();
    assert!(!commands.is_empty(), "{page}");
    commands
}
