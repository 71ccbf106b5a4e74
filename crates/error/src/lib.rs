//! The error type of all crates: what happened, where, and what to do next.
//!
//! An [`Error`] has a [`Kind`], which alone decides the exit code, a message in
//! lower case that names the place, an optional hint that names the next
//! command, and an optional source. Secrets never enter a message: connection
//! errors use the redacted form of the connection parameters.

use std::fmt;
use std::path::Path;

#[cfg(feature = "postgres")]
use tokio_postgres::error::SqlState;

/// The result type of every fallible function of the library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kinds of failure. Those with different exit codes can be distinguished by scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The database answered with an error or could not be reached. Exit code 1.
    Database,
    /// A file could not be read or written, or is invalid. Exit code 1.
    File,
    /// Wrong arguments or configuration. Exit code 2.
    Usage,
    /// More records were rejected than `--max-rejects` allows. Exit code 3.
    TooManyRejects,
    /// A validation found an error. Exit code 4.
    Validation,
    /// A query became slower than allowed. Exit code 5.
    Regression,
    /// Refused as unsafe: drift, an unsupported table, another run. Exit code 6.
    Unsafe,
    /// A lock was not obtained in time. Exit code 7.
    LockTimeout,
    /// Stopped on request; the run can be resumed. Exit code 130.
    Interrupted,
}

impl Kind {
    /// The exit code of the process, as documented in the README.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Database | Kind::File => 1,
            Kind::Usage => 2,
            Kind::TooManyRejects => 3,
            Kind::Validation => 4,
            Kind::Regression => 5,
            Kind::Unsafe => 6,
            Kind::LockTimeout => 7,
            Kind::Interrupted => 130,
        }
    }
}

/// A failure: where it happened and how to resolve it.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; `message` is lower case, without a full stop.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner { kind, message: message.into(), hint: None, source: None }))
    }

    /// Wrong arguments or configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// An action that sterna refuses because it would be unsafe.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Unsafe, message)
    }

    /// A database failure that the server did not report itself.
    pub fn database(message: impl Into<String>) -> Self {
        Self::new(Kind::Database, message)
    }

    /// An input or output error at `path`.
    pub fn file(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::new(Kind::File, path.as_ref().display().to_string()).caused_by(source)
    }

    /// An invalid file; `path` may name an archive member.
    pub fn bad_file(path: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self::new(Kind::File, format!("{path}: {what}"))
    }

    /// Adds what to do next: a sentence or a command, shown on a separate line.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Puts `what` in front of the message, as in `what: message`.
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.0.message = format!("{what}: {}", self.0.message);
        self
    }

    /// Sets the source of the error.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The kind of the failure.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What to do next, if known.
    #[must_use]
    pub fn next_step(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The server's SQLSTATE, if the server reported the failure.
    #[cfg(feature = "postgres")]
    #[must_use]
    pub fn sqlstate(&self) -> Option<&str> {
        self.postgres()?.code().map(SqlState::code)
    }

    /// Whether a file could not be written because the disk is full.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        let cause = self.0.source.as_ref().and_then(|source| source.downcast_ref());
        cause.is_some_and(|e: &std::io::Error| e.kind() == std::io::ErrorKind::StorageFull)
    }

    /// The driver's error, if the failure came from the driver.
    #[cfg(feature = "postgres")]
    #[must_use]
    pub fn postgres(&self) -> Option<&tokio_postgres::Error> {
        self.0.source.as_ref()?.downcast_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        let mut last = self.0.message.clone();
        let mut source = self.0.source.as_deref().map(|s| s as &dyn std::error::Error);
        while let Some(cause) = source {
            let answer = server_message(cause);
            source = cause.source().filter(|_| answer.is_none());
            let text = answer.unwrap_or_else(|| cause.to_string());
            // A source may show its own source.
            if !last.ends_with(&text) {
                write!(f, ": {text}")?;
                last = text;
            }
        }
        Ok(())
    }
}

/// The server's error message: the driver's own display is only "db error".
#[cfg(feature = "postgres")]
fn server_message(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    let error = cause.downcast_ref::<tokio_postgres::Error>()?.as_db_error()?;
    // The server mentions this only in its hint, if at all.
    let what = match *error.code() {
        SqlState::DISK_FULL => "the server's disk is full: ",
        _ => "",
    };
    let mut text = format!("{what}{} (SQLSTATE {})", error.message(), error.code().code());
    if let Some(detail) = error.detail() {
        text.push_str("; ");
        text.push_str(detail);
    }
    Some(text)
}

#[cfg(not(feature = "postgres"))]
fn server_message(_: &(dyn std::error::Error + 'static)) -> Option<String> {
    None
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|s| s as _)
    }
}

#[cfg(feature = "postgres")]
impl From<tokio_postgres::Error> for Error {
    fn from(source: tokio_postgres::Error) -> Self {
        let kind = match source.code() {
            Some(&SqlState::LOCK_NOT_AVAILABLE) => Kind::LockTimeout,
            _ => Kind::Database,
        };
        let hint = of_pooler(&source);
        let error = Self::new(kind, "the database failed").caused_by(source);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// What to do about an error that only poolers cause.
#[cfg(feature = "postgres")]
#[must_use]
pub fn of_pooler(error: &tokio_postgres::Error) -> Option<&'static str> {
    let said = error.as_db_error()?;
    match said.code().code() {
        "08P01" if said.message().contains("query_wait_timeout") => Some(
            "the pooler had no free server session: end others, raise its pool size, or give a \
             smaller --connections",
        ),
        "42P05" => Some(
            "a pooler shares this session with others: use the direct connection, or the pooler \
             in session mode",
        ),
        _ => None,
    }
}

/// A number as messages show it, in groups of three digits: `461,042`.
#[must_use]
pub fn grouped(number: u64) -> String {
    match number / 1000 {
        0 => number.to_string(),
        thousands => format!("{},{:03}", grouped(thousands), number % 1000),
    }
}

/// A number of things: `1 row`, `2,000 rows`.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{} {}", grouped(number), plural(noun)),
    }
}

/// The plural of a noun: `rows`, `batches`, `queries`, `taxa`.
#[must_use]
pub fn plural(noun: &str) -> String {
    if noun == "species" {
        return noun.to_owned();
    }
    if let Some(stem) = noun.strip_suffix("taxon") {
        return format!("{stem}taxa");
    }
    let after_consonant = |stem: &&str| !stem.ends_with(['a', 'e', 'i', 'o', 'u']);
    match noun.strip_suffix('y').filter(after_consonant) {
        Some(stem) => format!("{stem}ies"),
        None if noun.ends_with("ch") || noun.ends_with('s') || noun.ends_with('x') => {
            format!("{noun}es")
        }
        None => format!("{noun}s"),
    }
}

/// Names less similar than this are not suggested; 1 is equal.
const ALIKE: f64 = 0.8;

/// `did you mean NAME?`, with the name that an unknown one was most likely meant to be.
pub fn did_you_mean<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let unknown = unknown.to_lowercase();
    let alike =
        known.into_iter().map(|name| (strsim::jaro_winkler(&unknown, &name.to_lowercase()), name));
    let nearest = alike.max_by(|(one, _), (other, _)| one.total_cmp(other));
    let (_, name) = nearest.filter(|(likeness, _)| *likeness >= ALIKE)?;
    Some(format!("did you mean {name}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_nouns_have_their_plural() {
        assert_eq!([counted(1, "query"), counted(0, "query")], ["1 query", "0 queries"]);
        assert_eq!(counted(1_200, "batch"), "1,200 batches");
        let nouns = ["key", "taxon", "more taxon", "species", "index", "catalog entry"];
        let plurals = ["keys", "taxa", "more taxa", "species", "indexes", "catalog entries"];
        assert_eq!(nouns.map(plural), plurals);
    }

    #[test]
    fn display_joins_message_and_causes() {
        let io = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
        let error = Error::file("a.csv", io).context("reading").hint("check the path");
        assert_eq!(error.to_string(), "reading: a.csv: no such file");
        assert_eq!(error.kind().exit_code(), 1);
        assert_eq!(error.next_step(), Some("check the path"));
        let twice = Error::database("the lock was lost").caused_by(error);
        assert_eq!(twice.to_string(), "the lock was lost: reading: a.csv: no such file");
    }

    #[test]
    fn digits_are_grouped_by_three() {
        let numbers = [0, 999, 1_000, 461_042, 1_000_007].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "461,042", "1,000,007"]);
    }

    #[test]
    fn only_what_is_alike_is_suggested() {
        let known = ["public.cites_trade_records", "public.species"];
        let meant = did_you_mean("pubic.CITES_trade_record", known);
        assert_eq!(meant.as_deref(), Some("did you mean public.cites_trade_records?"));
        assert_eq!(did_you_mean("weather", known), None);
    }
}
