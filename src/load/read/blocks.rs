//! Finds bytes in blocks of 64, each of which gives one word: a bit for every byte, set where the
//! byte is the wanted one.
//!
//! A record has a comma every few bytes. Searching for one after the other costs several times
//! as much as comparing a whole block at once.

use wide::u8x16;

/// The first bytes of `rest`, padded with NULs.
#[inline]
fn block(rest: &[u8]) -> [u8; 64] {
    match rest.first_chunk() {
        Some(block) => *block,
        None => {
            let mut block = [0; 64];
            block[..rest.len()].copy_from_slice(rest);
            block
        }
    }
}

/// The bits of a block; `wanted` is not NUL.
#[inline]
fn bits(block: &[u8; 64], wanted: u8) -> u64 {
    let wanted = u8x16::splat(wanted);
    let parts = block.as_chunks().0.iter().rev();
    parts.fold(0, |bits, part| {
        bits << 16 | u64::from(u8x16::new(*part).simd_eq(wanted).to_bitmask())
    })
}

/// The length of the first line, without its LF, and how many commas it has.
#[inline]
pub(super) fn first_line(bytes: &[u8]) -> Option<(usize, usize)> {
    let (mut at, mut count) = (0, 0);
    while at < bytes.len() {
        let block = block(&bytes[at..]);
        let (commas, lfs) = (bits(&block, b','), bits(&block, b'\n'));
        if lfs > 0 {
            let before = (lfs - 1) & !lfs;
            count += (commas & before).count_ones() as usize;
            return Some((at + lfs.trailing_zeros() as usize, count));
        }
        count += commas.count_ones() as usize;
        at += block.len();
    }
    None
}

/// The positions of the commas in a text.
#[derive(Default)]
pub(super) struct Commas<'a> {
    text: &'a [u8],
    /// Where the next block begins.
    next: usize,
    /// The commas of the current block that are still to be returned.
    left: u64,
}

impl<'a> Commas<'a> {
    #[inline]
    pub(super) fn of(text: &'a [u8]) -> Self {
        Commas { text, ..Commas::default() }
    }
}

impl Iterator for Commas<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            let rest = self.text.get(self.next..).filter(|rest| !rest.is_empty())?;
            self.left = bits(&block(rest), b',');
            self.next += 64;
        }
        let at = self.next - 64 + self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use memchr::{memchr, memchr_iter};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blocks_find_what_a_search_finds(
            bytes in prop::collection::vec(prop::sample::select(b",,\n\0ax\xac\x8a\xff".to_vec()), 0..300),
            without_lf in prop::collection::vec(prop::sample::select(b",a\xac".to_vec()), 0..200),
        ) {
            for text in [&bytes[..], &without_lf, &[&without_lf[..], &bytes].concat()] {
                let commas = |bytes| memchr_iter(b',', bytes).count();
                let line = memchr(b'\n', text).map(|lf| (lf, commas(&text[..lf])));
                prop_assert_eq!(first_line(text), line);
                let found: Vec<usize> = Commas::of(text).collect();
                prop_assert_eq!(found, memchr_iter(b',', text).collect::<Vec<_>>());
            }
        }
    }
}
