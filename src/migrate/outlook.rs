//! What a run will take, before it begins and as far as its first steps have shown: space on the
//! server, and time step by step.

use serde::Serialize;

use super::outcome::StepOutcome;
use super::plan::{Rows, Step};
use crate::error::Result;
use crate::estimate::{Basis, Distance, Estimate, Sizes, SpacePeak, StepSpace, duration};
use crate::pg::{Connection, Table};

/// What a run will take.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Outlook {
    /// How far away the server is.
    pub distance: Distance,
    /// What the space on the server follows from, in bytes.
    pub space: Sizes,
    #[serde(skip)]
    basis: Basis,
    /// The number of records of the files that map to a species; none if they were not read yet.
    #[serde(skip)]
    files: Option<u64>,
}

/// How long steps take together.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Total {
    /// The seconds of those steps for which they are known.
    pub estimated_seconds: f64,
    /// Whether some of them will take longer than these seconds say.
    pub is_least: bool,
    /// The other steps.
    pub steps_not_known: Vec<Step>,
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
        Ok(Outlook { distance, space: space?, basis: basis?, files: None })
    }

    /// Takes over the number of records of the files that map to a species.
    pub fn count(&mut self, files: u64) {
        self.files = Some(files);
    }

    /// How long a step takes with this number of rows.
    #[must_use]
    pub fn step(&self, step: Step, rows: Option<u64>) -> Estimate {
        let mut time = self.basis.step(step.number(), rows);
        if self.space.matches_rows() == Some(true)
            && self.basis.has_matched(step.number()) == Some(false)
        {
            time.is_least = true;
            time.estimated_from.push_str("; the server matched no rows then, and will now");
        }
        time
    }

    /// What a step takes on the server with this number of rows.
    #[must_use]
    pub fn space_of(&self, step: Step, rows: Option<u64>) -> StepSpace {
        self.space.step(step.number(), rows)
    }

    /// The most that the steps take on the server at a time.
    #[must_use]
    pub fn peak(&self) -> SpacePeak {
        let mut peak = self.space.peak(self.files.or(self.basis.live_rows));
        if peak.peak_bytes.is_some() && self.files.is_none() {
            peak.assume(AS_MANY);
        }
        peak
    }

    /// How long a step takes; unless the files have been read, if they hold as many rows as the
    /// live table.
    #[must_use]
    pub fn unread(&self, step: Step) -> Estimate {
        let rows = self.rows(step);
        let mut time = self.step(step, rows);
        let is_assumed = step.plan().rows == Rows::Files && self.files.is_none();
        if is_assumed && time.estimated_seconds.is_some() && rows.is_some() {
            time.estimated_from.push_str(&format!("; {AS_MANY}"));
        }
        time
    }

    /// What a step takes on the server, with the same assumption.
    #[must_use]
    pub fn unread_space(&self, step: Step) -> StepSpace {
        self.space_of(step, self.rows(step))
    }

    /// How long these steps take together.
    #[must_use]
    pub fn total(&self, steps: &[Step]) -> Total {
        Total::of(steps.iter().map(|step| (*step, self.unread(*step))))
    }

    /// How long what follows the last row of the load takes, with the steps after it.
    #[must_use]
    pub fn after_rows(&self, ahead: &[Step]) -> Total {
        let later: Vec<_> = ahead.iter().copied().filter(|step| *step > Step::Load).collect();
        let mut total = self.total(&later);
        match self.basis.settling(Step::Load.number(), self.rows(Step::Load)) {
            Some(seconds) => {
                total.estimated_seconds += seconds;
                // The proof comes on top, and matching takes longer with more rows.
                total.is_least = true;
            }
            None => total.steps_not_known.insert(0, Step::Load),
        }
        total
    }

    /// Takes over what a step that is done has shown about those ahead. Returns whether it has.
    pub(super) fn learn(&mut self, step: Step, outcome: &StepOutcome, seconds: f64) -> bool {
        let report = &outcome.detail;
        match step {
            Step::Species => {
                let number = |name: &str| report["missing"][name].as_u64();
                let Some((read, unmapped)) = number("rows_read").zip(number("rows_unmapped"))
                else {
                    return false;
                };
                self.count(read.saturating_sub(unmapped));
                true
            }
            Step::TestLoad => {
                let rows = outcome.rows.and_then(|rows| u64::try_from(rows).ok());
                self.basis.learn(step.number(), rows, seconds, report);
                true
            }
            _ => false,
        }
    }

    fn rows(&self, step: Step) -> Option<u64> {
        match step.plan().rows {
            Rows::Files => self.files.or(self.basis.live_rows),
            Rows::Live => self.basis.live_rows,
            Rows::Few | Rows::TestYear | Rows::Species => None,
        }
    }
}

/// What is assumed about files that have not been read.
const AS_MANY: &str = "if the files hold as many rows as the table";

impl Total {
    /// Adds up what steps take.
    #[must_use]
    pub fn of(steps: impl Iterator<Item = (Step, Estimate)>) -> Self {
        let mut total = Total::default();
        for (step, time) in steps {
            match time.estimated_seconds {
                Some(seconds) => total.estimated_seconds += seconds,
                None => total.steps_not_known.push(step),
            }
            total.is_least |= time.is_least;
        }
        total
    }

    /// The time in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let about = match self.is_least || !self.steps_not_known.is_empty() {
            true => "at least",
            false => "about",
        };
        let known = format!("{about} {}", duration(self.estimated_seconds));
        let unknown: Vec<_> = self.steps_not_known.iter().map(|step| step.number()).collect();
        match (unknown.is_empty(), self.estimated_seconds > 0.0) {
            (true, _) => known,
            (false, true) => format!("{known}; nothing is known yet about {}", unknown.join(", ")),
            (false, false) => format!("nothing is known yet about {}", unknown.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_total_names_what_it_lacks() {
        let time = |estimated_seconds, is_least| Estimate {
            estimated_seconds,
            estimated_from: String::new(),
            is_least,
        };
        let steps = [
            (Step::Backup, time(Some(2.0), true)),
            (Step::Load, time(None, false)),
            (Step::Switchover, time(Some(1.5), false)),
        ];
        let says = json!({"estimated_seconds": 3.5, "is_least": true, "steps_not_known": ["3.2"]});
        let total = Total::of(steps.into_iter());
        assert_eq!(json!(total), says);
        assert_eq!(total.describe(), "at least 3.5 s; nothing is known yet about 3.2");
    }
}
