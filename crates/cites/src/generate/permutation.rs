//! Bijections on `0..n` that need no memory: they make ids unique without
//! storing them, and spread the taxa of a year over its files.

/// Record ids have nine or ten digits, as in the public download.
const FIRST_ID: u64 = 100_000_000;
/// Number of ids: up to 9,999,999,999.
pub(super) const IDS: u64 = 9_900_000_000;

/// Half of the 34 bits needed for an id.
const HALF_BITS: u32 = 17;
const HALF_MASK: u64 = (1 << HALF_BITS) - 1;

/// Assigns record ids in an order that looks random; ids are unique.
#[derive(Clone, Debug)]
pub(super) struct RecordIds {
    keys: [u64; 4],
}

impl RecordIds {
    pub(super) fn new(keys: [u64; 4]) -> Self {
        RecordIds { keys }
    }

    /// The id of the record at `index`, which must be below [`IDS`].
    pub(super) fn id(&self, index: u64) -> u64 {
        debug_assert!(index < IDS);
        let mut value = self.feistel(index);
        // Cycle walking restricts a bijection on 2^34 to the ids.
        while value >= IDS {
            value = self.feistel(value);
        }
        FIRST_ID + value
    }

    fn feistel(&self, value: u64) -> u64 {
        let (mut left, mut right) = (value >> HALF_BITS, value & HALF_MASK);
        for key in self.keys {
            let mixed = (right ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - HALF_BITS);
            (left, right) = (right, left ^ mixed);
        }
        left << HALF_BITS | right
    }
}

/// Orders the rows of one year so that every section contains the year's taxa in
/// about their proportions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    len: u64,
    step: u64,
}

impl Spread {
    pub(super) fn new(len: u64) -> Self {
        // A step near the golden ratio leaves no large gaps.
        let mut step = (u128::from(len) * 618_033_989 / 1_000_000_000) as u64;
        while step > 1 && gcd(step, len) != 1 {
            step -= 1;
        }
        Spread { len, step: step.max(1) }
    }

    /// The row at `position`; both are below `len`.
    pub(super) fn row(&self, position: u64) -> u64 {
        (u128::from(position) * u128::from(self.step) % u128::from(self.len)) as u64
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_have_nine_or_ten_digits() {
        let ids = RecordIds::new([3, 1 << 40, 77, 12345]);
        let indices = (0..50_000).chain(IDS - 50_000..IDS);
        let seen: HashSet<u64> = indices.map(|index| ids.id(index)).collect();
        assert_eq!(seen.len(), 100_000);
        assert!(seen.iter().all(|id| (100_000_000..=9_999_999_999).contains(id)));
    }

    #[test]
    fn spreading_moves_every_row_once() {
        for len in [1, 2, 3, 4, 7, 12, 1_000, 4_096] {
            let spread = Spread::new(len);
            let rows: HashSet<u64> = (0..len).map(|position| spread.row(position)).collect();
            assert_eq!(rows.len() as u64, len);
            assert!(rows.iter().all(|&row| row < len));
        }
    }
}
