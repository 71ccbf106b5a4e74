//! What a run will take, before it begins: space on the server, and time step by step.

use serde::Serialize;

use super::plan::{Rows, Step};
use crate::error::Result;
use crate::estimate::{Basis, Distance, Estimate};
use crate::pg::{Connection, Table};
use crate::preflight::Sizes;

/// What a run will take.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Outlook {
    /// How far away the server is.
    pub distance: Distance,
    /// The space on the server, in bytes.
    pub space: Sizes,
    #[serde(skip)]
    basis: Basis,
}

impl Outlook {
    /// Measures the distance, and reads what is known about a table with this OID.
    ///
    /// # Errors
    /// If the server cannot be queried.
    pub async fn read(
        session: &Connection,
        table: (&Table, u32),
        has_ledger: bool,
    ) -> Result<Self> {
        let distance = Distance::measure(session).await?;
        let (basis, space) = futures::join!(
            Basis::read(session, distance, table, has_ledger),
            Sizes::read(session, table.1),
        );
        Ok(Outlook { distance, space: space?, basis: basis? })
    }

    /// How long a step takes with this number of rows.
    #[must_use]
    pub fn step(&self, step: Step, rows: Option<u64>) -> Estimate {
        self.basis.step(step.number(), rows)
    }

    /// How long a step takes if the files hold as many rows as the live table.
    #[must_use]
    pub fn unread(&self, step: Step) -> Estimate {
        let rows = match step.plan().rows {
            Rows::Live | Rows::Files => self.basis.live_rows,
            Rows::Few | Rows::TestYear | Rows::Species => None,
        };
        let mut time = self.step(step, rows);
        if step.plan().rows == Rows::Files && time.estimated_seconds.is_some() && rows.is_some() {
            time.estimated_from.push_str("; if the files hold as many rows as the table");
        }
        time
    }
}
