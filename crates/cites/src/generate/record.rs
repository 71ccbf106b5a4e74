//! A record: drawn from a taxon's trade profile, and written as a CSV line.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use super::profile::{Goods, Profile};
use super::quantity::{Quantity, itoa};
use super::taxa::Taxon;

/// Countries that reported as the former state they belonged to: code, former code,
/// last year of the former code.
const FORMER: [(&str, &str, u32); 3] = [("RU", "SU", 1991), ("CZ", "CS", 1992), ("SK", "CS", 1992)];
/// How often an origin is drawn again if it equals the exporter.
const ORIGIN_DRAWS: u32 = 8;
/// Percent of the world's records with an import, export and origin permit.
const PERMIT_PERCENT: [u64; 3] = [40, 60, 10];

/// The content of a record besides its id, year and taxon. Empty texts are empty cells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content {
    pub(super) appendix: &'static str,
    pub(super) goods: Goods,
    pub(super) quantity: Quantity,
    pub(super) importer: &'static str,
    pub(super) exporter: &'static str,
    pub(super) origin: &'static str,
    pub(super) purpose: &'static str,
    pub(super) source: &'static str,
    pub(super) reporter: &'static str,
    pub(super) permits: [Option<u64>; 3],
}

impl Content {
    /// Draws a record of `taxon` in calendar year `year`.
    pub(super) fn draw(rng: &mut ChaCha8Rng, taxon: &Taxon, profile: &Profile, year: u32) -> Self {
        let goods = profile.goods.pick(rng.next_u64());
        let exporter = profile.exporter.pick(rng.next_u64());
        let mut importer = profile.importer.pick(rng.next_u64());
        if importer == exporter {
            importer = profile.importer.pick(rng.next_u64());
        }
        let mut origin = profile.origin.pick(rng.next_u64());
        // The origin of a re-export is another country. An empty redraw is ignored,
        // or there would be too many empty origins.
        for _ in 0..ORIGIN_DRAWS {
            if origin != exporter {
                break;
            }
            let other = profile.origin.pick(rng.next_u64());
            origin = if other.is_empty() { origin } else { other };
        }
        Content {
            appendix: taxon.appendix.pick(rng.next_u64()),
            goods,
            quantity: goods.law.draw(rng.next_u64()),
            importer: at_the_time(importer, year),
            exporter: at_the_time(exporter, year),
            origin: at_the_time(origin, year),
            purpose: profile.purpose.pick(rng.next_u64()),
            source: profile.source.pick(rng.next_u64()),
            reporter: profile.reporter.pick(rng.next_u64()),
            permits: if taxon.arctic { [None; 3] } else { permits(rng) },
        }
    }

    /// Appends the record as a line of a shipment file.
    pub(super) fn write(&self, id: u64, year: u32, taxon: &Taxon, line: &mut Vec<u8>) {
        line.extend_from_slice(itoa(id).as_bytes());
        line.push(b',');
        line.extend_from_slice(itoa(u64::from(year)).as_bytes());
        for text in [self.appendix, &taxon.classification, self.goods.term] {
            line.push(b',');
            line.extend_from_slice(text.as_bytes());
        }
        line.push(b',');
        self.quantity.write(line);
        let codes = [
            self.goods.unit,
            self.importer,
            self.exporter,
            self.origin,
            self.purpose,
            self.source,
            self.reporter,
        ];
        for text in codes {
            line.push(b',');
            line.extend_from_slice(text.as_bytes());
        }
        for permit in self.permits {
            line.push(b',');
            if let Some(permit) = permit {
                write_hex(permit, line);
            }
        }
        line.push(b'\n');
    }

    /// Appends the fields of a comparative tabulation after the taxon, with the
    /// quantity in the column of its reporter.
    pub(super) fn write_comptab(&self, other: Option<Quantity>, line: &mut Vec<u8>) {
        for text in [self.importer, self.exporter, self.origin] {
            line.push(b',');
            line.extend_from_slice(text.as_bytes());
        }
        let (imported, exported) = match self.reporter {
            "I" => (Some(self.quantity), other),
            _ => (other, Some(self.quantity)),
        };
        for quantity in [imported, exported] {
            line.push(b',');
            if let Some(quantity) = quantity {
                quantity.write(line);
            }
        }
        for text in [self.goods.term, self.goods.unit, self.purpose, self.source] {
            line.push(b',');
            line.extend_from_slice(text.as_bytes());
        }
        line.push(b'\n');
    }

    /// The appendix under which the trade was reported.
    pub(super) fn appendix(&self) -> &'static str {
        self.appendix
    }
}

fn at_the_time(code: &'static str, year: u32) -> &'static str {
    FORMER
        .iter()
        .find(|&&(now, _, last)| year <= last && code == now)
        .map_or(code, |&(_, former, _)| former)
}

fn permits(rng: &mut ChaCha8Rng) -> [Option<u64>; 3] {
    let bits = rng.next_u64();
    let mut shift = 0;
    PERMIT_PERCENT.map(|percent| {
        let held = (((bits >> shift) & 0xffff) * 100) >> 16 < percent;
        shift += 16;
        held.then(|| rng.next_u64())
    })
}

/// Writes ten hexadecimal digits, which replace permit numbers in the download.
fn write_hex(permit: u64, line: &mut Vec<u8>) {
    let digits = (0..10).map(|digit| b"0123456789abcdef"[(permit >> (4 * digit) & 15) as usize]);
    line.extend(digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn former_states_report_under_their_names() {
        assert_eq!(at_the_time("RU", 1991), "SU");
        assert_eq!(at_the_time("RU", 1992), "RU");
        assert_eq!(at_the_time("SK", 1980), "CS");
        assert_eq!(at_the_time("GL", 1980), "GL");
    }

    #[test]
    fn permits_have_ten_digits() {
        let mut line = Vec::new();
        write_hex(0x12_3456_789a, &mut line);
        assert_eq!(line, b"a987654321");
    }
}
