//! Examines batches of records, in place of a connection that would write them.

use super::findings::{Findings, Place, Sightings};
use super::subject::Subject;
use crate::error::Result;
use crate::load::account::Reason;
use crate::load::batch::{EncodedBatch, Fate, Record, Reject};
use crate::load::encode::{Encoder, Origin, parse_integer};
use crate::load::{Done, OnInexact, RowIds, Sink};

/// Examines the batches of one thread.
pub(super) struct Examiner<'a> {
    subject: &'a Subject<'a>,
    strict: Encoder<'a>,
    rounding: Encoder<'a>,
    findings: &'a mut Findings,
    /// By column, the last code found on its list: the next one is mostly the same.
    last_listed: Vec<Vec<u8>>,
}

impl<'a> Examiner<'a> {
    pub(super) fn new(
        subject: &'a Subject<'a>,
        row_ids: &'a RowIds,
        findings: &'a mut Findings,
    ) -> Self {
        let taxa = &subject.reading.taxa;
        Examiner {
            subject,
            strict: Encoder::new(taxa, row_ids, OnInexact::Reject),
            rounding: Encoder::new(taxa, row_ids, OnInexact::Round),
            findings,
            last_listed: vec![Vec::new(); subject.columns.len()],
        }
    }

    /// Records a mapped record's year, species and unlisted codes.
    fn describe(&mut self, member: usize, record: Record<'_>, species: Option<u32>) {
        let plan = &self.subject.strict[member];
        let year = plan.layout.year.and_then(|i| parse_integer::<i32>(record.field(i)).ok());
        if let Some(year) = year {
            self.findings.files[member].saw_year(year, 1);
        }
        if let Some(index) = species {
            let found = &mut self.findings.species[index as usize];
            found.rows += 1;
            if let Some(year) = year {
                found.saw_year(year);
            }
            let known = &self.subject.reading.taxa.species(index).name;
            let name = plan.layout.lookup.map(|i| record.field(i));
            if let Some(name) = name.filter(|name| *name != known.as_bytes()) {
                found.saw_spelling(&String::from_utf8_lossy(name));
            }
        }
        for coded in &self.subject.coded[member] {
            let code = record.field(coded.field);
            let last = &mut self.last_listed[coded.column];
            if code.is_empty() || code == last.as_slice() {
                continue;
            }
            if (coded.is_listed)(code) {
                last.clear();
                last.extend_from_slice(code);
                continue;
            }
            let first = Place { member, line: record.at().line };
            let code = String::from_utf8_lossy(code);
            self.findings.saw_code(coded.column, &code, Sightings { rows: 1, first });
        }
    }

    /// Records every value of a record that does not fit, and whether the record would be
    /// loaded under another policy.
    fn judge(&mut self, member: usize, record: Record<'_>) {
        let place = Place { member, line: record.at().line };
        let (plan, wider) = (&self.subject.strict[member], &self.subject.widened[member]);
        let (mut all_rounded, mut all_widened) = (true, true);
        for (index, column) in plan.columns.iter().enumerate() {
            let (text, reason) = match column.origin {
                Origin::Field(field) => {
                    let text = record.field(field);
                    let Err(reason) = self.strict.check(column, text) else { continue };
                    (text, reason)
                }
                Origin::Absent if column.not_null => (&b""[..], Reason::MissingRequired),
                _ => continue,
            };
            let absent = column.origin == Origin::Absent;
            let rounded = !absent && self.rounding.check(column, text).is_ok();
            let widened = !absent && self.strict.check(&wider.columns[index], text).is_ok();
            all_rounded &= rounded;
            all_widened &= widened;
            let misfits = self.findings.misfits.entry((Some(index), reason)).or_default();
            misfits.saw(place, text, rounded, widened);
        }
        let file = &mut self.findings.files[member];
        file.rounded += u64::from(all_rounded);
        file.widened += u64::from(all_widened);
    }

    /// Records a reject that is wrong as a whole, or whose year is not a number.
    fn note_broken(&mut self, member: usize, record: Record<'_>, reject: &Reject) {
        let place = Place { member, line: record.at().line };
        let columns = &self.subject.strict[member].columns;
        let of_field = |field| columns.iter().position(|c| c.origin == Origin::Field(field));
        let column = reject.field.and_then(of_field);
        let value = match (reject.field, &reject.message) {
            (Some(field), _) => record.field(field),
            (None, Some(message)) => message.as_bytes(),
            (None, None) => record.raw(),
        };
        let misfits = self.findings.misfits.entry((column, reject.reason)).or_default();
        misfits.saw(place, value, false, false);
    }
}

impl Sink for Examiner<'_> {
    fn write(&mut self, batch: EncodedBatch, done: Done<'_>) -> Result<()> {
        let member = batch.records.location.member;
        self.findings.files[member].account += batch.records.account;
        for record in batch.records.records() {
            if let Fate::Row(species) = record.at().fate {
                self.describe(member, record, species);
            }
        }
        for reject in &batch.records.rejects {
            let record = batch.records.record(reject.record as usize);
            match record.at().fate {
                Fate::Row(_) => self.judge(member, record),
                Fate::Rejected => self.note_broken(member, record, reject),
            }
        }
        done(batch);
        Ok(())
    }
}
