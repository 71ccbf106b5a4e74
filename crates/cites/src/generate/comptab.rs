//! Comparative tabulations: quantities reported by importers and exporters, summed
//! by year, side by side. Small files, for tests of the other export formats.

use std::io::{self, Write};

use rand_chacha::rand_core::Rng;

use super::Generator;
use super::choice::Choice;
use super::record::Content;
use sterna_error::{Error, Kind, Result};

/// The columns of a comparative tabulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComptabColumns {
    /// The 16 columns of current exports.
    Sixteen,
    /// The 13 columns of older exports, without class, order and genus.
    Thirteen,
}

impl ComptabColumns {
    fn header(self) -> &'static str {
        match self {
            ComptabColumns::Sixteen => {
                "Year,App.,Taxon,Class,Order,Family,Genus,Importer,Exporter,Origin,\
                 Importer reported quantity,Exporter reported quantity,Term,Unit,Purpose,Source\n"
            }
            ComptabColumns::Thirteen => {
                "Year,App.,Family,Taxon,Importer,Exporter,Origin,\
                 Importer reported quantity,Exporter reported quantity,Term,Unit,Purpose,Source\n"
            }
        }
    }
}

/// Permille of lines with reports of both sides.
const BOTH_REPORTED: u64 = 190;

impl Generator {
    /// Writes a comparative tabulation with `rows` rows of trade in `year`: of
    /// the Arctic taxa, or with `world` mostly of others. Returns the number of rows.
    ///
    /// # Errors
    ///
    /// If `out` cannot be written.
    pub fn write_comptab(
        &self,
        year: u32,
        columns: ComptabColumns,
        rows: u64,
        out: &mut impl Write,
    ) -> Result<u64> {
        let failed = |source: io::Error| {
            Error::new(Kind::File, format!("comptab-{year}.csv")).caused_by(source)
        };
        // Streams of shipment files count up from zero, so they never overlap with these.
        let mut rng = self.rng(u64::MAX - u64::from(year));
        let weighted: Vec<(usize, u64)> =
            (0..self.taxa.len()).map(|taxon| (taxon, self.layout.rows_of(taxon))).collect();
        let taxa = Choice::new(&weighted);
        let mut line = columns.header().as_bytes().to_vec();
        for _ in 0..rows {
            out.write_all(&line).map_err(failed)?;
            line.clear();
            let taxon = &self.taxa[taxa.as_ref().map_or(0, |taxa| taxa.pick(rng.next_u64()))];
            let profile = self.profiles.get(taxon.profile);
            let content = Content::draw(&mut rng, taxon, profile, year);
            let both = rng.next_u64() % 1000 < BOTH_REPORTED;
            let other = content.goods.law.draw(rng.next_u64());
            line.extend_from_slice(format!("{year},{},", content.appendix()).as_bytes());
            line.extend_from_slice(match columns {
                ComptabColumns::Sixteen => taxon.classification.as_bytes(),
                ComptabColumns::Thirteen => &[],
            });
            if columns == ComptabColumns::Thirteen {
                let fields: Vec<&str> = taxon.classification.split(',').collect();
                if let [name, _, _, family, _] = fields[..] {
                    line.extend_from_slice(format!("{family},{name}").as_bytes());
                }
            }
            content.write_comptab(both.then_some(other), &mut line);
        }
        out.write_all(&line).map_err(failed)?;
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::super::GenerateOptions;
    use super::*;

    fn tabulation(columns: ComptabColumns) -> String {
        let options = GenerateOptions { rows: 20_000, seed: 5, world: true };
        let generator = Generator::new(options).unwrap();
        let mut out = Vec::new();
        assert_eq!(generator.write_comptab(2012, columns, 500, &mut out).unwrap(), 500);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_have_the_columns_of_their_header() {
        for (columns, count) in [(ComptabColumns::Sixteen, 16), (ComptabColumns::Thirteen, 13)] {
            let text = tabulation(columns);
            assert_eq!(text.lines().count(), 501);
            assert!(text.lines().all(|line| line.split(',').count() == count));
            assert!(text.lines().skip(1).all(|line| line.starts_with("2012,")));
        }
    }

    #[test]
    fn each_row_has_a_quantity_and_some_have_two() {
        let text = tabulation(ComptabColumns::Sixteen);
        let reported = text.lines().skip(1).map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            (fields[10].is_empty(), fields[11].is_empty())
        });
        let reported: Vec<_> = reported.collect();
        assert!(!reported.contains(&(true, true)));
        assert!(reported.contains(&(false, false)));
        assert!(reported.contains(&(false, true)) && reported.contains(&(true, false)));
    }
}
