//! A transaction whose statements are all under way together.
//!
//! Whatever waits for a client's next statement while it holds a lock makes others wait
//! for the distance to that client. So everything is written beforehand, every decision
//! is a statement that fails where its condition does not hold, and all of it is sent at
//! once, COMMIT included; the answers are read afterwards. The server runs one statement
//! after the other, and where one fails the rest fail too and COMMIT rolls back. A client
//! that dies on the way leaves all of it or nothing. A transaction that could not begin
//! leaves nothing either: meanwhile the session writes only where a transaction says so.

use std::time::Instant;

use futures::future::maybe_done;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::{Session, Typed};

const ONLY_READ: &str = include_str!("../../../sql/volley/only-read.sql");
const WRITE: &str = include_str!("../../../sql/volley/write.sql");

/// A parameter of a statement.
pub type Parameter = Box<dyn Typed + Send>;

/// Statements that are sent together, each as a message of its own.
#[derive(Default)]
pub struct Volley {
    statements: Vec<Statement>,
}

struct Statement {
    sql: String,
    /// Where the server has it already.
    prepared: Option<tokio_postgres::Statement>,
    /// None for text that may hold several statements and returns no rows.
    parameters: Option<Vec<Parameter>>,
}

/// A statement that the server has parsed before the volley is sent. Executed once
/// beforehand with a generic plan, it is not planned again either.
#[derive(Clone)]
pub struct Prepared {
    sql: String,
    statement: tokio_postgres::Statement,
}

impl Prepared {
    /// Sends a statement to be parsed: one round trip.
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

/// An answer: the rows, and when they had all arrived.
pub struct Answer {
    /// None where the statement was plain text.
    pub rows: Vec<Row>,
    /// When the server's answer was there.
    pub at: Instant,
}

/// The first statement that failed.
pub struct Failure {
    /// Its position, as [`Volley::add`] returned it.
    pub position: usize,
    /// What the server said.
    pub error: tokio_postgres::Error,
}

impl Volley {
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

    /// Sends everything between BEGIN and COMMIT, and waits for the answers. The answer
    /// after the last is COMMIT's.
    ///
    /// # Errors
    /// The first statement that failed; then nothing has changed, unless the session was
    /// lost before COMMIT was answered.
    pub async fn send(&self, session: &Session) -> Result<Vec<Answer>, Failure> {
        let plain = |sql: &str| Statement { sql: sql.into(), prepared: None, parameters: None };
        let (begin, commit) = (plain("BEGIN READ WRITE"), plain("COMMIT"));
        let all = std::iter::once(&begin).chain(&self.statements).chain([&commit]);
        // Where BEGIN fails, nothing that follows it writes by itself.
        let mut guarded = Box::pin(maybe_done(session.batch_execute(ONLY_READ)));
        let mut sent: Vec<_> =
            all.map(|statement| Box::pin(maybe_done(statement.run(session)))).collect();
        let mut freed = Box::pin(maybe_done(session.batch_execute(WRITE)));
        // A request is on its way when its future is polled for the first time.
        let _ = futures::poll!(guarded.as_mut());
        for one in &mut sent {
            let _ = futures::poll!(one.as_mut());
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
            // What is done stays done. The session may be lost; or a cancel request came late.
            tracing::debug!("asked again to let transactions write: {error}");
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
