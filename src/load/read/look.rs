//! A first look at a record, which leaves it out by taxon and year before it is parsed.
//!
//! In a worldwide download, 98% of the records map to no species. Most records are a line
//! without quotes, whose fields are what stands between the commas.

use crate::cites::Layout;
use crate::load::read::blocks::Commas;
use crate::load::read::map::{Decision, Mapper, OnUnmapped};
use crate::load::read::window::BOM;

/// Looks at the records of one file.
pub(in crate::load) struct FirstLook<'a> {
    layout: &'a Layout,
    year: Option<usize>,
}

impl<'a> FirstLook<'a> {
    /// Returns `None` if no record can be left out without a further decision.
    pub(in crate::load) fn new(
        layout: &'a Layout,
        mapper: &Mapper<'_>,
        on_unmapped: OnUnmapped,
    ) -> Option<Self> {
        let year = layout.year.filter(|_| mapper.selects_years());
        let is_useful = match layout.lookup {
            Some(_) => on_unmapped == OnUnmapped::Skip,
            None => year.is_some(),
        };
        is_useful.then_some(FirstLook { layout, year })
    }

    /// Decides about a record by its text, which is UTF-8 without quotes and line breaks, and has
    /// that many commas.
    /// Returns `None` if the record has to be read.
    pub(in crate::load) fn leave_out(
        &self,
        text: &[u8],
        commas: usize,
        mapper: &mut Mapper<'_>,
    ) -> Option<Decision> {
        let Layout { header, lookup, .. } = self.layout;
        let first = header[0].as_bytes();
        // Comparing one byte rules out nearly all records.
        let may_be_header = matches!(text.get(first.len()), None | Some(b','));
        if commas + 1 != header.len()
            || text.starts_with(BOM)
            || may_be_header && text.starts_with(first)
        {
            return None;
        }
        let taxon = lookup.map(|index| field(text, index));
        match mapper.decide(taxon, self.year.map(|index| field(text, index))) {
            left_out @ (Decision::Unmapped | Decision::Filtered) => Some(left_out),
            Decision::Row(_) | Decision::Reject(_) => None,
        }
    }
}

/// A field of a record without quotes.
fn field(text: &[u8], index: usize) -> &[u8] {
    let mut commas = Commas::of(text);
    let from = if index == 0 { 0 } else { commas.nth(index - 1).map_or(text.len(), |at| at + 1) };
    let to = commas.next().unwrap_or(text.len());
    &text[from..to]
}
