//! The link to the report of the previous run.

use std::path::{Component, Path};

use super::PAGE;
use crate::history::PreviousRun;

/// The page of the previous run, relative to the folder of this one; `None` if it is not there,
/// or if another report has taken its place.
pub(super) fn link(folder: &Path, run: &PreviousRun) -> Option<String> {
    let to = Path::new(run.folder.as_ref()?);
    let page = std::fs::read_to_string(to.join(PAGE)).ok()?;
    let from = std::path::absolute(folder).ok()?;
    (from != to && page.contains(&run.run_id.to_string())).then(|| relative(&from, &to.join(PAGE)))
}

/// A path relative to a folder, as in a link.
fn relative(from: &Path, to: &Path) -> String {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let encoded = |part: Component<'_>| -> String {
        let bytes = part.as_os_str().as_encoded_bytes().iter();
        let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let byte = |byte: &u8| match kept(*byte) {
            true => char::from(*byte).to_string(),
            false => format!("%{byte:02X}"),
        };
        bytes.map(byte).collect()
    };
    up.chain(to.components().skip(shared).map(encoded)).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative_and_encoded() {
        let of = |from, to| relative(Path::new(from), Path::new(to));
        assert_eq!(of("/a/new", "/a/old run/report.html"), "../old%20run/report.html");
        assert_eq!(of("/a/b/c", "/d/report.html"), "../../../d/report.html");
        assert_eq!(of("/a", "/a/b/report.html"), "b/report.html");
    }
}
