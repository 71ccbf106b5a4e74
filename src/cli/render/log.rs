//! The log on stderr, by the library `tracing`.

use std::io::IsTerminal;

use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format;

use super::visible::readable;

/// Starts to log: warnings, with `-v` what is done, with `-vv` every detail.
pub fn start(verbose: u8, quiet: bool) {
    let level = match verbose {
        _ if quiet => LevelFilter::ERROR,
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    // The driver logs statements; those may hold values.
    let filter = tracing_subscriber::filter::Targets::new()
        .with_target("sterna", level)
        .with_default(LevelFilter::WARN.min(level));
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;
    // A message can repeat what a file or the database holds.
    let fields = format::debug_fn(|writer, field, value| {
        let value = format!("{value:?}");
        let value = readable(&value);
        match field.name() {
            "message" => write!(writer, "{value}"),
            name => write!(writer, "{name}={value}"),
        }
    });
    let lines = tracing_subscriber::fmt::layer()
        .fmt_fields(fields.delimited(" "))
        .with_writer(std::io::stderr)
        // Where stderr cannot be written, saying so on stderr would panic.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    // A second call, as tests may make, changes nothing.
    let _ = tracing_subscriber::registry().with(lines).with(filter).try_init();
}
