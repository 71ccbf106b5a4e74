//! The switchover against a real server.

pub(crate) mod exchange;
mod faults;
mod fingerprint;
mod locks;
mod models;
mod odd;

/// The releases of these tests are about what is exchanged, and lack years that
/// production has.
const UNJUDGED: &str = "--accept-failed-validation";

/// A command, which does not mind what a validation finds.
fn unjudged(command: &str) -> Vec<&str> {
    let minds = command == "switchover";
    std::iter::once(command).chain(minds.then_some(UNJUDGED)).collect()
}
