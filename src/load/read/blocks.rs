//! Finds bytes in blocks of 64, each of which gives one word: a bit for every byte, set where the
//! byte is a wanted one.
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
    let mut bits = 0;
    for (at, part) in block.as_chunks().0.iter().enumerate() {
        let equal = u8x16::new(*part).simd_eq(wanted).to_bitmask();
        bits |= u64::from(equal) << (16 * at);
    }
    bits
}

/// A line, and what is in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its length, without the LF.
    pub(super) length: usize,
    pub(super) commas: usize,
    /// Where its first quote or CR is.
    pub(super) unusual: Option<usize>,
}

/// Finds the first line, if it ends in an LF.
#[inline]
pub(super) fn first_line(bytes: &[u8]) -> Option<Line> {
    let (mut at, mut count, mut first) = (0, 0, None);
    while at < bytes.len() {
        let block = block(&bytes[at..]);
        let lfs = bits(&block, b'\n');
        // All of them if there is none.
        let before = lfs.wrapping_sub(1) & !lfs;
        count += (bits(&block, b',') & before).count_ones() as usize;
        let unusual = (bits(&block, b'"') | bits(&block, b'\r')) & before;
        if unusual > 0 && first.is_none() {
            first = Some(at + unusual.trailing_zeros() as usize);
        }
        if lfs > 0 {
            let length = at + lfs.trailing_zeros() as usize;
            return Some(Line { length, commas: count, unusual: first });
        }
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
    use memchr::{memchr, memchr_iter, memchr2};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blocks_find_what_a_search_finds(
            bytes in prop::collection::vec(prop::sample::select(b",,\n\0ax\"\r\xac\x8a\xff".to_vec()), 0..300),
            without_lf in prop::collection::vec(prop::sample::select(b",,aaaaa\"\r\xac".to_vec()), 0..200),
        ) {
            for text in [&bytes[..], &without_lf, &[&without_lf[..], &bytes].concat()] {
                let line = memchr(b'\n', text).map(|length| {
                    let line = &text[..length];
                    let (commas, unusual) =
                        (memchr_iter(b',', line).count(), memchr2(b'"', b'\r', line));
                    Line { length, commas, unusual }
                });
                prop_assert_eq!(first_line(text), line);
                let found: Vec<usize> = Commas::of(text).collect();
                prop_assert_eq!(found, memchr_iter(b',', text).collect::<Vec<_>>());
            }
        }
    }
}
