//! The plan of the load that an inspection simulates: how each record would become a row.

use crate::cites::codes::{self, IsListed};
use crate::error::Result;
use crate::load::encode::{Origin, RowPlan};
use crate::load::{OnInexact, PerMember, Reading};
use crate::pg::Column;

/// The inputs under inspection, and how a load would turn them into rows.
pub(super) struct Subject<'a> {
    pub(super) reading: &'a Reading,
    /// The columns that a load would write.
    pub(super) columns: Vec<Column>,
    /// How each member's records become rows when inexact values are rejected.
    pub(super) strict: PerMember<RowPlan>,
    /// The same for wider columns.
    pub(super) widened: PerMember<RowPlan>,
    /// The fields of each member that hold codes.
    pub(super) coded: PerMember<Vec<Coded>>,
}

/// A field whose values should be on a list of codes.
pub(super) struct Coded {
    pub(super) column: usize,
    pub(super) field: usize,
    pub(super) is_listed: IsListed,
}

impl<'a> Subject<'a> {
    /// Plans the load.
    ///
    /// # Errors
    /// If no load is possible, naming the column and the format.
    pub(super) fn new(reading: &'a Reading) -> Result<Self> {
        let mut strict = reading.plan(OnInexact::Reject)?;
        let widened = reading.plan(OnInexact::Widen)?.rows;
        let coded = strict.rows.map(|row| coded(row, &strict.columns));
        // Ids that sterna fills in always fit, and take time to make.
        let columns = strict.rows.distinct_mut().iter_mut().flat_map(|row| &mut row.columns);
        for column in columns.filter(|c| matches!(c.origin, Origin::RowId | Origin::Lookup)) {
            column.origin = Origin::Absent;
            column.not_null = false;
        }
        Ok(Subject { reading, columns: strict.columns, strict: strict.rows, widened, coded })
    }
}

fn coded(plan: &RowPlan, columns: &[Column]) -> Vec<Coded> {
    let fields = plan.columns.iter().enumerate().filter_map(|(column, planned)| {
        let Origin::Field(field) = planned.origin else { return None };
        let is_listed = codes::list_of(columns[column].name.name())?;
        Some(Coded { column, field, is_listed })
    });
    fields.collect()
}
