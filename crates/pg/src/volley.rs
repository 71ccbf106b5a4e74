//! A transaction whose statements are all sent at once.
//!
//! A session that holds a lock while it waits for the client's next statement makes others
//! wait for the network round trip. So all statements are prepared in advance, every
//! decision is a statement that fails if its condition does not hold, and everything is sent
//! at once, including COMMIT; the answers are read afterwards. The server runs the
//! statements in order; if one fails, the rest fail too and COMMIT rolls back. A client that
//! dies in the middle leaves everything or nothing. A transaction that cannot begin leaves
//! nothing either: meanwhile the session is read only, except in a READ WRITE transaction.

use std::time::Instant;

use futures::future::maybe_done;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::{Mode, Session, Typed};

const ONLY_READ: &str = include_str!("../sql/volley/only-read.sql");
const WRITE: &str = include_str!("../sql/volley/write.sql");

/// A parameter of a statement.
pub type Parameter = Box<dyn Typed + Send>;

/// Statements that are sent together, each as a separate message.
#[derive(Default)]
pub struct Volley {
    /// Whether all statements see one snapshot (`REPEATABLE READ`).
    is_snapshot: bool,
    statements: Vec<Statement>,
}

struct Statement {
    sql: String,
    /// The prepared statement, if the server has parsed it already.
    prepared: Option<tokio_postgres::Statement>,
    /// `None` for text that may contain several statements and returns no rows.
    parameters: Option<Vec<Parameter>>,
}

/// A statement that the server parses before the volley is sent. If it was executed once
/// with a generic plan, it is not planned again either.
#[derive(Clone)]
pub struct Prepared {
    sql: String,
    statement: tokio_postgres::Statement,
}

impl Prepared {
    /// Prepares a statement: one round trip.
    ///
    /// # Errors
    /// The server's.
    pub async fn new(
        session: &Session,
        sql: String,
        types: &[Type],
    ) -> Result<Self, tokio_postgres::Error> {
        let statement = session.client().prepare_typed(&sql, types).await?;
        Ok(Prepared { sql, statement })
    }
}

/// An answer: the rows, and the time when all had arrived.
pub struct Answer {
    /// The rows; empty if the statement was plain text.
    pub rows: Vec<Row>,
    /// The time when the answer was complete.
    pub at: Instant,
}

/// The first row of the answer at a position.
///
/// # Errors
/// If there is none.
pub fn first_row(answers: &[Answer], position: usize) -> sterna_error::Result<&Row> {
    let row = answers.get(position).and_then(|answer| answer.rows.first());
    row.ok_or_else(|| sterna_error::Error::database("the server left a statement unanswered"))
}

/// The first statement that failed.
pub struct Failure {
    /// Its position, as [`Volley::add`] returned it.
    pub position: usize,
    /// Its error.
    pub error: tokio_postgres::Error,
}

impl Volley {
    /// An empty volley whose statements will all see one snapshot.
    #[must_use]
    pub fn of_snapshot() -> Self {
        Volley { is_snapshot: true, ..Volley::default() }
    }

    /// Adds text without parameters; returns its position.
    pub fn add(&mut self, sql: impl Into<String>) -> usize {
        self.push(Statement { sql: sql.into(), prepared: None, parameters: None })
    }

    /// Adds one statement whose rows are wanted, with parameters; returns its position.
    pub fn query(&mut self, sql: impl Into<String>, parameters: Vec<Parameter>) -> usize {
        self.push(Statement { sql: sql.into(), prepared: None, parameters: Some(parameters) })
    }

    /// Adds a prepared statement whose rows are wanted; returns its position.
    pub fn execute(&mut self, prepared: &Prepared, parameters: Vec<Parameter>) -> usize {
        self.push(Statement {
            sql: prepared.sql.clone(),
            prepared: Some(prepared.statement.clone()),
            parameters: Some(parameters),
        })
    }

    fn push(&mut self, statement: Statement) -> usize {
        self.statements.push(statement);
        self.statements.len() - 1
    }

    /// The text at a position, for messages: on one line, cut after 200 characters.
    #[must_use]
    pub fn text(&self, position: usize) -> String {
        let sql = self.statements.get(position).map_or("COMMIT", |s| s.sql.as_str());
        let lines = sql.lines().filter(|line| !line.starts_with("--"));
        let words: Vec<_> = lines.flat_map(str::split_whitespace).collect();
        words.join(" ").chars().take(200).collect()
    }

    /// Sends everything between BEGIN and COMMIT, and waits for the answers. The last
    /// answer is that of COMMIT.
    ///
    /// # Errors
    /// The first statement that failed; then nothing has changed, unless the session was
    /// lost before COMMIT was answered.
    pub async fn send(&self, session: &Session) -> Result<Vec<Answer>, Failure> {
        let plain = |sql: &str| Statement { sql: sql.into(), prepared: None, parameters: None };
        let mode = if self.is_snapshot { Mode::Snapshot } else { Mode::ReadCommitted };
        let begin = plain(&format!("{} READ WRITE", mode.begin()));
        let (commit, rollback) = (plain("COMMIT"), plain("ROLLBACK"));
        let all = std::iter::once(&begin).chain(&self.statements);
        // If BEGIN fails, no statement after it can write on its own.
        let mut guarded = Box::pin(maybe_done(session.batch_execute(ONLY_READ)));
        let mut sent: Vec<_> =
            all.map(|statement| Box::pin(maybe_done(statement.run(session)))).collect();
        let mut freed = Box::pin(maybe_done(session.batch_execute(WRITE)));
        // A request is sent when its future is polled for the first time.
        let _ = futures::poll!(guarded.as_mut());
        let mut is_unsent = false;
        for one in &mut sent {
            let _ = futures::poll!(one.as_mut());
            is_unsent |= one.as_mut().output_mut().is_some_and(|answer| answer.is_err());
        }
        // What fails before it is sent must not be followed by COMMIT.
        let end = if is_unsent { &rollback } else { &commit };
        sent.push(Box::pin(maybe_done(end.run(session))));
        if let Some(end) = sent.last_mut() {
            let _ = futures::poll!(end.as_mut());
        }
        let _ = futures::poll!(freed.as_mut());
        let mut answers = Vec::with_capacity(sent.len());
        let mut failure = None;
        for (index, one) in sent.iter_mut().enumerate() {
            one.as_mut().await;
            match one.as_mut().take_output() {
                Some(Ok(rows)) => answers.push(Answer { rows, at: Instant::now() }),
                Some(Err(error)) if failure.is_none() => {
                    failure = Some(Failure { position: index.saturating_sub(1), error });
                }
                _ => {}
            }
        }
        freed.as_mut().await;
        if let Some(Err(error)) = freed.as_mut().take_output() {
            // The transaction has ended. The session may be lost, or a cancel request came late.
            tracing::debug!("retrying to make the session writable: {error}");
            let _ = session.batch_execute(WRITE).await;
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok(answers.split_off(1)),
        }
    }
}

impl Statement {
    async fn run(&self, session: &Session) -> Result<Vec<Row>, tokio_postgres::Error> {
        let Some(parameters) = &self.parameters else {
            return session.batch_execute(&self.sql).await.map(|()| Vec::new());
        };
        if let Some(prepared) = &self.prepared {
            let values: Vec<&(dyn ToSql + Sync)> =
                parameters.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
            return session.client().query(prepared, &values).await;
        }
        let values: Vec<&dyn Typed> =
            parameters.iter().map(|value| &**value as &dyn Typed).collect();
        session.query(&self.sql, &values).await
    }
}
