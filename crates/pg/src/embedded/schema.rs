//! The model of the production database's schema in `sql/schema/`, for embedded
//! servers.

use sterna_error::Result;

use crate::Session;

const PLATFORM: &str = include_str!("../../sql/schema/platform.sql");
const SPECIES: &str = include_str!("../../sql/schema/species.sql");
const PRODUCTION: &str = include_str!("../../sql/schema/production.sql");
const REPORTED_QUANTITIES: &str = include_str!("../../sql/schema/reported-quantities.sql");
const AROUND: &str = include_str!("../../sql/schema/around.sql");

/// The known installations that a schema can model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelSchema {
    /// Shipment records: one `quantity numeric(10,2)`, text columns.
    Production,
    /// Importer's and exporter's reported quantities, `varchar(n)` columns,
    /// checks on year and appendix.
    ReportedQuantities,
}

impl ModelSchema {
    /// The SQL scripts, to be run in this order by a superuser in an empty database.
    #[must_use]
    pub fn parts(self) -> [&'static str; 4] {
        let trade = match self {
            ModelSchema::Production => PRODUCTION,
            ModelSchema::ReportedQuantities => REPORTED_QUANTITIES,
        };
        [PLATFORM, SPECIES, trade, AROUND]
    }

    /// Creates the schema, without rows, in the session's database.
    ///
    /// # Errors
    /// The server's.
    pub async fn install(self, session: &Session) -> Result<()> {
        for part in self.parts() {
            session.batch_execute(part).await?;
        }
        Ok(())
    }
}
