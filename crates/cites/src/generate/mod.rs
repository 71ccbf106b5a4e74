//! Generates CITES shipment files that resemble the public download.
//!
//! The project ships no real data; this module generates any amount of similar
//! data: the same columns, taxa, years, codes, empty cells and quantities, in
//! about the same proportions. The seed determines every byte. Each file is
//! generated independently, so files can be written in parallel, and memory use
//! does not grow with the number of rows.
//!
//! It does not imitate which partners trade which goods at what time: the fields
//! of a record are drawn independently of each other.

mod apportion;
mod choice;
mod comptab;
mod layout;
mod overflow;
mod permutation;
mod profile;
mod quantity;
mod record;
mod taxa;

use std::io::{self, Write};
use std::ops::Range;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

pub use self::comptab::ComptabColumns;
use self::layout::{ARCTIC_ROWS, Layout, Place};
use self::overflow::Overflows;
use self::permutation::RecordIds;
use self::profile::Profiles;
use self::record::Content;
use self::taxa::Taxon;
use sterna_error::{Error, Kind, Result};

/// The header of a shipment file.
pub const SHIPMENT_HEADER: &str = "Id,Year,Appendix,Taxon,Class,Order,Family,Genus,Term,Quantity,\
    Unit,Importer,Exporter,Origin,Purpose,Source,Reporter.type,Import.permit.RandomID,\
    Export.permit.RandomID,Origin.permit.RandomID\n";

/// The number of rows of the Arctic taxa in release v2025.1.
pub const DEFAULT_ROWS: u64 = ARCTIC_ROWS;

/// Lines are written when this many bytes are ready.
const CHUNK_BYTES: usize = 64 * 1024;
/// The stream of random numbers for the keys of record ids.
const ID_STREAM: u64 = u64::MAX;
/// One in this many records was corrected between the two releases.
const CORRECTED_ONE_IN: u64 = 400;

/// Options of the generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GenerateOptions {
    /// Number of records, over all files.
    pub rows: u64,
    /// Random seed: the same seed gives the same files.
    pub seed: u64,
    /// Whether to generate a worldwide download, in which 1.75 % of the rows are of
    /// Arctic taxa; otherwise all are.
    pub world: bool,
}

impl GenerateOptions {
    /// Options for `rows` records of Arctic taxa.
    #[must_use]
    pub fn new(rows: u64) -> Self {
        GenerateOptions { rows, seed: 0, world: false }
    }
}

impl Default for GenerateOptions {
    fn default() -> Self {
        GenerateOptions::new(DEFAULT_ROWS)
    }
}

/// Generates one download, file by file.
#[derive(Debug)]
pub struct Generator {
    options: GenerateOptions,
    /// Whether only the rows of the earlier release are written.
    earlier: bool,
    taxa: Vec<Taxon>,
    profiles: Profiles,
    layout: Layout,
    ids: RecordIds,
    overflows: Overflows,
}

impl Generator {
    /// Prepares a download; nothing is generated yet.
    ///
    /// # Errors
    ///
    /// If `rows` is zero or exceeds the number of record ids.
    pub fn new(options: GenerateOptions) -> Result<Self> {
        if !(1..=permutation::IDS).contains(&options.rows) {
            let most = permutation::IDS;
            return Err(Error::usage(format!("cannot generate {} rows", options.rows))
                .hint(format!("use 1 to {most} rows")));
        }
        let profiles = Profiles::read()?;
        let mut taxa = taxa::arctic(&profiles)?;
        if options.world {
            taxa.extend(taxa::world(&profiles)?);
            // Files are sorted by name, whether a taxon is Arctic or not.
            taxa.sort_by(|a, b| a.name().cmp(b.name()));
        }
        let layout = Layout::new(&taxa, options.rows)?;
        let mut rng = rng(options.seed, ID_STREAM);
        let ids = RecordIds::new(std::array::from_fn(|_| rng.next_u64()));
        let overflows = Overflows::new(&taxa, &layout);
        Ok(Generator { options, earlier: false, taxa, profiles, layout, ids, overflows })
    }

    /// The previous release, as in production: the same records without those added
    /// since (it had 461,042 of 489,107), and with an empty source in a few that were
    /// corrected since.
    #[must_use]
    pub fn earlier_release(self) -> Self {
        Generator { earlier: true, ..self }
    }

    /// Number of files.
    #[must_use]
    pub fn files(&self) -> usize {
        self.ranges().len()
    }

    /// Number of records, over all files.
    #[must_use]
    pub fn rows(&self) -> u64 {
        if self.earlier { self.layout.earlier_total() } else { self.options.rows }
    }

    /// The name of the file at `index`, counted from zero, in the public download.
    #[must_use]
    pub fn file_name(&self, index: usize) -> String {
        format!("trade_db_{}.csv", index + 1)
    }

    /// Writes the file at `index`, including its header, and returns its number of records.
    ///
    /// # Errors
    ///
    /// If there is no such file, or `out` cannot be written.
    pub fn write_file(&self, index: usize, out: &mut impl Write) -> Result<u64> {
        let Some(range) = self.ranges().get(index) else {
            return Err(Error::usage(format!("there is no generated file {}", index + 1)));
        };
        let failed =
            |source: io::Error| Error::new(Kind::File, self.file_name(index)).caused_by(source);
        let mut rng = self.rng(index as u64);
        let mut lines = Vec::with_capacity(CHUNK_BYTES + 1024);
        lines.extend_from_slice(SHIPMENT_HEADER.as_bytes());
        let mut rows = 0;
        let mut previous: Option<(Place, Content)> = None;
        for place in self.layout.places(range) {
            let content = self.content(&mut rng, place, previous);
            previous = Some((place, content));
            let corrected = rng.next_u64().is_multiple_of(CORRECTED_ONE_IN);
            if self.earlier && !self.layout.is_earlier(place) {
                continue;
            }
            let source = if self.earlier && corrected { "" } else { content.source };
            let quantity = self.overflows.quantity(place, &self.layout).unwrap_or(content.quantity);
            let taxon = &self.taxa[place.taxon as usize];
            let year = self.layout.calendar_year(place);
            Content { source, quantity, ..content }.write(
                self.ids.id(place.number),
                year,
                taxon,
                &mut lines,
            );
            rows += 1;
            if lines.len() >= CHUNK_BYTES {
                out.write_all(&lines).map_err(failed)?;
                lines.clear();
            }
        }
        out.write_all(&lines).map_err(failed)?;
        Ok(rows)
    }

    /// Draws a record, or repeats the previous one: shipments under one permit are
    /// often identical lines in the files.
    fn content(
        &self,
        rng: &mut ChaCha8Rng,
        place: Place,
        previous: Option<(Place, Content)>,
    ) -> Content {
        let taxon = &self.taxa[place.taxon as usize];
        let profile = self.profiles.get(taxon.profile);
        let alike = previous
            .filter(|(before, _)| (before.taxon, before.year) == (place.taxon, place.year))
            .filter(|_| rng.next_u64() % 1000 < profile.repeat);
        alike.map_or_else(
            || Content::draw(rng, taxon, profile, self.layout.calendar_year(place)),
            |(_, content)| content,
        )
    }

    fn ranges(&self) -> &[Range<u64>] {
        if self.earlier { self.layout.earlier_files() } else { self.layout.files() }
    }

    fn rng(&self, stream: u64) -> ChaCha8Rng {
        rng(self.options.seed, stream)
    }
}

/// Random numbers of one stream. Does not use `seed_from_u64`, whose expansion the
/// library may change.
fn rng(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(bytes);
    rng.set_stream(stream);
    rng
}

#[cfg(test)]
mod tests;
