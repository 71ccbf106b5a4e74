//! Statements in a session: each takes one round trip.

use std::ops::Deref;

use futures::FutureExt;
use futures::future::maybe_done;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{
    Client, CopyInSink, CopyOutStream, Error, Row, RowStream, SimpleQueryMessage, Statement,
    ToStatement,
};

use super::Typed;

/// A session, in a transaction or not.
///
/// A statement with parameters is parsed, bound and executed in one message, because the
/// types of the parameters are sent with it. Statements that run often are prepared.
pub struct Session {
    client: Client,
}

impl Session {
    pub(super) fn new(client: Client) -> Self {
        Session { client }
    }

    /// The driver's end of the session.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The rows of one statement. Its columns must have built-in types: for other types the
    /// driver queries the server in the middle of the answer.
    ///
    /// # Errors
    /// Errors of the server and of the connection, as for all methods of a session.
    pub fn query<'a>(
        &'a self,
        sql: &'a str,
        parameters: &[&'a dyn Typed],
    ) -> impl Future<Output = Result<Vec<Row>, Error>> + use<'a> {
        let parameters = with_types(parameters);
        async move { self.client.query_typed(sql, &parameters).await }
    }

    /// The only row of one statement.
    ///
    /// # Errors
    /// Also if there is not exactly one row.
    pub fn query_one<'a>(
        &'a self,
        sql: &'a str,
        parameters: &[&'a dyn Typed],
    ) -> impl Future<Output = Result<Row, Error>> + use<'a> {
        let parameters = with_types(parameters);
        async move { self.client.query_typed_one(sql, &parameters).await }
    }

    /// The row of one statement that returns at most one.
    ///
    /// # Errors
    /// Also if there is more than one row.
    pub fn query_opt<'a>(
        &'a self,
        sql: &'a str,
        parameters: &[&'a dyn Typed],
    ) -> impl Future<Output = Result<Option<Row>, Error>> + use<'a> {
        let parameters = with_types(parameters);
        async move { self.client.query_typed_opt(sql, &parameters).await }
    }

    /// The rows of one statement as a stream.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub fn query_raw<'a>(
        &'a self,
        sql: &'a str,
        parameters: &[&'a dyn Typed],
    ) -> impl Future<Output = Result<RowStream, Error>> + use<'a> {
        let parameters = with_types(parameters);
        async move { self.client.query_typed_raw(sql, parameters).await }
    }

    /// Runs one statement; returns the number of rows changed.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub fn execute<'a>(
        &'a self,
        sql: &'a str,
        parameters: &[&'a dyn Typed],
    ) -> impl Future<Output = Result<u64, Error>> + use<'a> {
        let parameters = with_types(parameters);
        async move { self.client.execute_typed(sql, &parameters).await }
    }

    /// Runs statements without parameters.
    ///
    /// # Errors
    /// The error of the first statement that failed.
    pub async fn batch_execute(&self, sql: &str) -> Result<(), Error> {
        self.client.batch_execute(sql).await
    }

    /// Runs statements without parameters, and returns values as text.
    ///
    /// # Errors
    /// As [`Self::batch_execute`].
    pub async fn simple_query(&self, sql: &str) -> Result<Vec<SimpleQueryMessage>, Error> {
        self.client.simple_query(sql).await
    }

    /// Prepares a statement, to run it often or only to have it parsed.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn prepare(&self, sql: &str) -> Result<Statement, Error> {
        self.client.prepare(sql).await
    }

    /// As [`Self::query_raw`], for a prepared statement.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn query_prepared<T: ToSql + Sync>(
        &self,
        statement: &Statement,
        values: &[T],
    ) -> Result<RowStream, Error> {
        let values = values.iter().map(|value| value as &(dyn ToSql + Sync));
        self.client.query_raw(statement, values).await
    }

    /// As [`Self::execute`], for a prepared statement.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn execute_prepared(
        &self,
        statement: &Statement,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        self.client.execute(statement, values).await
    }

    /// Begins a `COPY ... FROM STDIN`.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn copy_in<T: ?Sized + ToStatement>(
        &self,
        statement: &T,
    ) -> Result<CopyInSink<bytes::Bytes>, Error> {
        self.client.copy_in(statement).await
    }

    /// Begins a `COPY ... TO STDOUT`.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn copy_out(&self, sql: &str) -> Result<CopyOutStream, Error> {
        self.client.copy_out(sql).await
    }
}

fn with_types<'a>(parameters: &[&'a dyn Typed]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    parameters.iter().map(|&value| (value as &(dyn ToSql + Sync), value.sql_type())).collect()
}

/// The isolation level of a transaction, and whether it may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Each statement sees what is committed when it begins.
    ReadCommitted,
    /// All statements see the snapshot of the first one (`REPEATABLE READ`).
    Snapshot,
    /// `ReadCommitted`, read only.
    ReadOnly,
    /// `Snapshot`, read only.
    ReadOnlySnapshot,
}

impl Mode {
    pub(super) fn begin(self) -> &'static str {
        match self {
            Mode::ReadCommitted => "BEGIN",
            Mode::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            Mode::ReadOnly => "BEGIN READ ONLY",
            Mode::ReadOnlySnapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        }
    }
}

/// A transaction, which is rolled back when it is dropped.
pub struct Transaction<'a> {
    session: &'a Session,
    is_over: bool,
}

impl<'a> Transaction<'a> {
    pub(super) async fn begin(session: &'a mut Session, mode: Mode) -> Result<Self, Error> {
        // Created first, so that it rolls back even if this future is dropped during BEGIN.
        let transaction = Transaction { session, is_over: false };
        transaction.batch_execute(mode.begin()).await?;
        Ok(transaction)
    }

    pub(super) async fn begin_with<T>(
        session: &'a mut Session,
        first: &str,
        reads: impl AsyncFnOnce(&Session) -> T,
    ) -> Result<(Self, T), Error> {
        let transaction = Transaction { session, is_over: false };
        let session: &Session = transaction.session;
        // One message: if BEGIN fails, no other statement of it runs.
        let begin = format!("{}; {first}", Mode::ReadCommitted.begin());
        let (begun, read) = futures::join!(session.batch_execute(&begin), reads(session));
        begun?;
        Ok((transaction, read))
    }

    /// Runs statements without parameters, and commits.
    ///
    /// # Errors
    /// The server's; then nothing has changed, unless the connection was lost.
    pub async fn commit_with(mut self, last: &str) -> Result<(), Error> {
        self.session.batch_execute(&format!("{last}\n; COMMIT")).await?;
        self.is_over = true;
        Ok(())
    }

    /// Runs statements without parameters, then a last one, and commits, in one round trip;
    /// returns the number of rows that the last one changed.
    ///
    /// # Errors
    /// As [`Self::commit_with`].
    pub async fn execute_and_commit(
        mut self,
        first: &str,
        sql: &str,
        parameters: &[&dyn Typed],
    ) -> Result<u64, Error> {
        let mut first = Box::pin(maybe_done(self.session.batch_execute(first)));
        let _ = futures::poll!(first.as_mut());
        let mut last = Box::pin(maybe_done(self.session.execute(sql, parameters)));
        let _ = futures::poll!(last.as_mut());
        // What fails before it is sent must not be followed by COMMIT. If the server refuses it,
        // COMMIT rolls back.
        if let Some(Err(_)) = last.as_mut().output_mut() {
            // The server may have refused it already, because the first ones have failed.
            first.as_mut().await;
            first.as_mut().take_output().unwrap_or(Ok(()))?;
            return last.as_mut().take_output().unwrap_or(Ok(0));
        }
        self.is_over = true;
        let commit = self.session.batch_execute("COMMIT");
        let (_, _, committed) = futures::join!(first.as_mut(), last.as_mut(), commit);
        first.as_mut().take_output().unwrap_or(Ok(()))?;
        let changed = last.as_mut().take_output().unwrap_or(Ok(0))?;
        committed.map(|()| changed)
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// The server's; then nothing has changed, unless the connection was lost.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.is_over = true;
        self.session.batch_execute("COMMIT").await
    }

    /// Rolls the transaction back, and waits until that is done.
    ///
    /// # Errors
    /// Those of the connection; losing it rolls back as well.
    pub async fn rollback(mut self) -> Result<(), Error> {
        self.is_over = true;
        self.session.batch_execute("ROLLBACK").await
    }
}

impl Deref for Transaction<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            // The first poll sends it; the server runs it before any later request.
            let _ = self.session.batch_execute("ROLLBACK").now_or_never();
        }
    }
}
