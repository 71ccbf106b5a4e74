//! Logging to stderr with `tracing`.

use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format;

use super::screen::is_coloured;
use super::visible::readable;

/// Starts logging: warnings, with `-v` also progress, with `-vv` every detail.
pub fn start(verbose: u8, quiet: bool) {
    let level = match verbose {
        _ if quiet => LevelFilter::ERROR,
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    // The driver logs statements, which may contain values.
    let filter = tracing_subscriber::filter::Targets::new()
        .with_target("sterna", level)
        .with_default(LevelFilter::WARN.min(level));
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;
    // A message may contain text from a file or the database.
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
        // If stderr cannot be written, reporting that on stderr would panic.
        .log_internal_errors(false)
        .with_ansi(is_coloured(&std::io::stderr()));
    // A second call, as in tests, has no effect.
    let _ = tracing_subscriber::registry().with(lines).with(filter).try_init();
}
