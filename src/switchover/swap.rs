//! The transaction that exchanges the two tables, sent as one volley.
//!
//! It takes all locks first, each in its strongest mode. Then it carries the last writes over,
//! checks that nothing has changed since the script was generated, and runs the script. In the
//! end the catalog must describe the incoming table as it described the leaving one. Each of
//! these conditions is a statement that fails if it does not hold; then the transaction is
//! rolled back and nothing has changed.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use super::gate::{self, Counted};
use super::journal::{self, CARRY_OVER, Toward, of_oid, of_text};
use super::script::Script;
use super::{Exchange, cleanup, dependents, references};
use crate::error::{Error, Kind, Result};
use crate::pg::{
    Answer, CatalogText, Connection, Failure, Parameter, Prepared, Volley, fill, first_row,
};
use crate::table::fingerprint::{self, Difference, Fingerprint};
use crate::table::locks::LockLimits;
use crate::table::partition;

/// An exchange and the conditions for it.
pub(super) struct Swap<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) script: &'a Script,
    /// The fingerprint that the live table must have before.
    pub(super) expected: &'a Fingerprint,
    /// The one that the incoming table must have after: the same, except what is left behind.
    pub(super) wanted: &'a Fingerprint,
    /// Whether writes to the live table are recorded; if not, there must have been none since
    /// the load began.
    pub(super) journaled: bool,
    pub(super) toward: Toward,
    pub(super) recording: Recording,
}

/// How the ledger records the exchange.
#[derive(Clone, Copy, Debug)]
pub(super) enum Recording {
    /// A switchover with this id, for `run`. `cleans` is the earlier switchover whose old table
    /// it drops, and that table.
    Switched { id: Uuid, run: Uuid, cleans: Option<(Uuid, u32)> },
    /// The rollback of the switchover with this id.
    Returned { id: Uuid },
}

/// The result of an exchange.
#[derive(Clone, Debug)]
pub(super) struct Swapped {
    /// From the first lock to the commit, by the arrival of the answers: both include the
    /// latency to the server, which cancels out.
    pub(super) locked: Duration,
    pub(super) rows: i64,
    /// All writes that were carried over, before and under the locks.
    pub(super) carried: i64,
    /// Differences that were asked for.
    pub(super) exceptions: Vec<Difference>,
}

/// The conditions with large catalog queries. They are parsed and planned before the locks,
/// because that takes longer than to run them.
pub(super) struct Conditions {
    parity: Prepared,
    pub(super) nothing_left: Prepared,
}

/// Positions in the volley of the answers that are read.
struct Places {
    before_locks: usize,
    carry_over: usize,
    record: usize,
    parity: usize,
}

impl Swap<'_> {
    /// Exchanges the tables and commits.
    ///
    /// # Errors
    /// Refused on drift, on a write that cannot be carried over, on rows that would be orphaned,
    /// and if the catalog would describe the new table differently.
    pub(super) async fn run(
        &self,
        session: &Connection,
        limits: LockLimits,
        counted: Counted,
    ) -> Result<Swapped> {
        let conditions = self.try_conditions(session).await?;
        let (volley, places) = self.volley(limits, counted, &conditions)?;
        let answers = volley
            .send(session)
            .await
            .map_err(|failure| self.explain(failure, &volley, Some(places.carry_over)))?;
        let recorded = first_row(&answers, places.record)?;
        let Json(exceptions): Json<Vec<Difference>> = first_row(&answers, places.parity)?.get(0);
        Ok(Swapped {
            locked: locked(&answers, &places),
            rows: recorded.get(0),
            carried: recorded.get(1),
            exceptions,
        })
    }

    /// Runs the conditions before the locks: this plans them, and refuses drift early.
    pub(super) async fn try_conditions(&self, session: &Connection) -> Result<Conditions> {
        let fingerprint = CatalogText::from_catalog(fingerprint::query());
        let sql = include_str!("../../sql/switchover/condition/parity.sql");
        let sql = fill(sql, &[("fingerprint", &fingerprint)]);
        let oids = Type::OID_ARRAY;
        let (json, text) = (Type::JSONB, Type::TEXT);
        let types = [Type::OID, oids, json.clone(), json, Type::BOOL, Type::UUID, text];
        let (parity, nothing_left) = futures::join!(
            Prepared::new(session, sql, &types),
            dependents::prepare_condition(session),
        );
        let conditions = Conditions { parity: parity?, nothing_left: nothing_left? };
        let mut volley = Volley::default();
        self.add_no_drift(&mut volley, &conditions);
        dependents::add_condition(&mut volley, &conditions.nothing_left, Vec::new());
        volley.send(session).await.map_err(|failure| self.explain(failure, &volley, None))?;
        Ok(conditions)
    }

    /// Adds the condition that the live table has not changed.
    pub(super) fn add_no_drift(&self, volley: &mut Volley, conditions: &Conditions) {
        let parameters = vec![
            of_oid(self.exchange.live),
            siblings(self.exchange.incoming),
            json(self.expected.clone()),
            json(Vec::<ChangedType>::new()),
            Box::new(false),
            Box::new(None::<Uuid>),
            of_text("SN011"),
        ];
        volley.execute(&conditions.parity, parameters);
    }

    /// Adds the condition that the catalog says of the incoming table what it said of the live
    /// one. Returns the position of the differences that were asked for.
    pub(super) fn add_parity(&self, volley: &mut Volley, conditions: &Conditions) -> usize {
        let Exchange { live, incoming, .. } = self.exchange;
        let parameters = vec![
            of_oid(*incoming),
            siblings(*live),
            json(self.wanted.clone()),
            json(self.changed()),
            Box::new(!self.script.finish.is_empty()),
            Box::new(self.switched()),
            of_text("SN015"),
        ];
        volley.execute(&conditions.parity, parameters)
    }

    fn volley(
        &self,
        limits: LockLimits,
        counted: Counted,
        conditions: &Conditions,
    ) -> Result<(Volley, Places)> {
        let Exchange { table, live, .. } = self.exchange;
        let mut volley = Volley::default();
        if let Recording::Switched { cleans: Some((_, old)), .. } = self.recording {
            // Only the old table of the latest switchover is kept. Nobody else uses it, and
            // its lock has the same limit as the others.
            LockLimits::set(&mut volley, limits.lock_ms, limits.script_ms);
            cleanup::drop_locked(&mut volley, &self.exchange.leaving_table()?, old);
        }
        let lock = limits.lock(&mut volley, &self.script.locks);
        let before_locks = lock - 1;
        volley.query(
            include_str!("../../sql/switchover/condition/same-table.sql"),
            vec![of_text(table.schema.name()), of_text(table.name.name()), of_oid(*live)],
        );
        let carry_over = self.settle_writes(&mut volley, counted);
        volley.add(include_str!("../../sql/switchover/immediate.sql"));
        self.script.references.add_conditions(&mut volley);
        self.add_no_drift(&mut volley, conditions);
        let record = self.record(&mut volley, counted);
        self.exchange(&mut volley)?;
        self.register(&mut volley);
        let parity = self.add_parity(&mut volley, conditions);
        dependents::add_condition(&mut volley, &conditions.nothing_left, vec![*live]);
        volley.add(include_str!("../../sql/switchover/notify.sql"));
        Ok((volley, Places { before_locks, carry_over, record, parity }))
    }

    /// Carries over the last writes, or checks that there were none. Returns the position.
    fn settle_writes(&self, volley: &mut Volley, counted: Counted) -> usize {
        let Exchange { table, live, incoming, .. } = self.exchange;
        if !self.journaled {
            let unwritten = include_str!("../../sql/switchover/condition/unwritten.sql");
            return volley.query(fill(unwritten, &[("table", table)]), vec![of_oid(*incoming)]);
        }
        let recorded = include_str!("../../sql/switchover/condition/recorded.sql");
        volley.query(recorded, vec![of_oid(*live)]);
        let toward = self.toward.name();
        let carry_over =
            volley.query(CARRY_OVER, vec![of_oid(*live), of_oid(*incoming), of_text(toward)]);
        volley.query(
            include_str!("../../sql/switchover/condition/no-older-snapshot.sql"),
            vec![of_oid(*live), Box::new(counted.entries), of_text(toward)],
        );
        carry_over
    }

    /// Adds the statements that exchange the names and everything attached to them.
    fn exchange(&self, volley: &mut Volley) -> Result<()> {
        let Exchange { live, incoming, .. } = self.exchange;
        // Ends the journal for both directions: the table is no longer live.
        journal::end_locked(volley, *live)?;
        for sql in &self.script.exchange {
            volley.add(sql);
        }
        let toward = match self.toward {
            Toward::Staging => Toward::Old,
            Toward::Old => Toward::Staging,
        };
        journal::begin_locked(volley, *incoming, toward);
        Ok(())
    }

    /// Adds to a volley that has renamed the tables that the one that leaves is sterna's own from here
    /// on.
    pub(super) fn register(&self, volley: &mut Volley) {
        let Exchange { live, incoming, .. } = self.exchange;
        for table in [live, incoming] {
            let unregister = include_str!("../../sql/table/stage/unregister.sql");
            volley.query(unregister, vec![of_oid(*table)]);
        }
        let register = include_str!("../../sql/table/stage/register.sql");
        volley.query(register, vec![of_oid(*live), Box::new(None::<Json<Fingerprint>>)]);
    }

    /// Adds the ledger's record, before the journal with its counts is dropped.
    pub(super) fn record(&self, volley: &mut Volley, counted: Counted) -> usize {
        let Exchange { table, live, incoming, .. } = self.exchange;
        let rows: Parameter = Box::new(counted.rows_without_carried);
        let finish: Parameter = Box::new(self.script.finish.clone());
        match self.recording {
            Recording::Switched { id, run, cleans } => {
                if let Some((cleaned, _)) = cleans {
                    let sql = include_str!("../../sql/switchover/record-cleaned.sql");
                    volley.query(sql, vec![Box::new(cleaned)]);
                }
                let parameters: Vec<Parameter> = vec![
                    Box::new(id),
                    of_text(table.schema.name()),
                    of_text(table.name.name()),
                    of_oid(*live),
                    of_oid(*incoming),
                    json(self.expected.clone()),
                    rows,
                    finish,
                    of_text(env!("CARGO_PKG_VERSION")),
                    Box::new(run),
                ];
                volley.query(include_str!("../../sql/switchover/record.sql"), parameters)
            }
            Recording::Returned { id } => {
                let parameters = vec![Box::new(id) as _, finish, of_oid(*live), rows];
                volley.query(include_str!("../../sql/switchover/record-return.sql"), parameters)
            }
        }
    }

    /// The id of the new switchover; `None` for a rollback.
    fn switched(&self) -> Option<Uuid> {
        match self.recording {
            Recording::Switched { id, .. } => Some(id),
            Recording::Returned { .. } => None,
        }
    }

    fn changed(&self) -> Vec<ChangedType> {
        let changed = self.script.changed.iter();
        changed.map(|c| ChangedType { before: c.before.clone(), after: c.after.clone() }).collect()
    }

    /// The error that a failed statement stands for.
    pub(super) fn explain(
        &self,
        failure: Failure,
        volley: &Volley,
        carry_over: Option<usize>,
    ) -> Error {
        let Failure { position, error } = failure;
        let table = &self.exchange.table;
        let Some(db_error) = error.as_db_error() else { return error.into() };
        let said = db_error.message().to_owned();
        let differences = || -> Vec<Difference> {
            db_error.detail().and_then(|d| serde_json::from_str(d).ok()).unwrap_or_default()
        };
        match db_error.code().code() {
            "SN010" => Error::refused(format!("{table} is another table than a moment ago"))
                .hint("another session has replaced it; see `sterna status`"),
            "SN011" => gate::drift(table, &differences()),
            "SN012" => Error::refused(format!("writes to {table} are no longer recorded")).hint(
                "its triggers were disabled meanwhile; run `sterna stage drop`, and `sterna cleanup` \
                 if the old table of an earlier switchover is there, then start again",
            ),
            "SN013" => Error::refused(format!(
                "{table} was written to since the load began, and the writes were not recorded"
            ))
            .hint(
                "run `sterna stage drop`, `sterna stage create`, which begins to record writes, \
                 and load again; or use `sterna migrate`",
            ),
            "SN015" => parity_lost(&differences(), self.toward),
            "SN016" => Error::refused(said).hint(
                "nothing was changed; please report this, with the definition of the object named",
            ),
            "SN017" | "SN018" => Error::new(Kind::LockTimeout, said).caused_by(error),
            "SN022" => partition::refusal(error.into()),
            "SN014" | "SN019" => references::refusal(error.into()),
            _ if Some(position) == carry_over => journal::refusal(error.into(), self.toward),
            _ => Error::from(error).context(format!("at `{}`", volley.text(position))),
        }
    }
}

#[derive(Debug, Serialize)]
struct ChangedType {
    before: String,
    after: String,
}

fn siblings(oid: u32) -> Parameter {
    Box::new(vec![oid])
}

fn json<T: Serialize + std::fmt::Debug + Send + Sync + 'static>(value: T) -> Parameter {
    Box::new(Json(value))
}

fn locked(answers: &[Answer], places: &Places) -> Duration {
    let at = |place: usize| answers.get(place).map(|answer: &Answer| answer.at);
    let committed: Option<Instant> = answers.last().map(|answer| answer.at);
    match (at(places.before_locks), committed) {
        (Some(before), Some(committed)) => committed.duration_since(before),
        _ => Duration::ZERO,
    }
}

fn parity_lost(differences: &[Difference], toward: Toward) -> Error {
    let told: Vec<String> = differences.iter().take(5).map(Difference::to_string).collect();
    let more = match differences.len().saturating_sub(told.len()) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Error::refused(format!(
        "the incoming table would differ from the live one: {}{more}",
        told.join("; ")
    ))
    .hint(match toward {
        Toward::Staging => {
            "nothing was changed; please report this, with the definition of the object named"
        }
        Toward::Old => {
            "nothing was changed; what was changed on the live table since the switchover has to \
             be changed on the old one as well, or undone, before the rollback"
        }
    })
}
