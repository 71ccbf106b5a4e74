//! Records that are too long to be kept, which are dropped piece by piece; and line breaks.

use crate::load::read::quotes::Quotes;

/// What is known of such a record.
#[derive(Debug, Default)]
pub(super) struct Long {
    pub(super) quotes: Quotes,
    /// Bytes and LFs, without the line breaks that it ends with.
    pub(super) bytes: u64,
    pub(super) lines: u64,
    /// The same of these line breaks.
    bytes_after: u64,
    pub(super) lines_after: u64,
}

impl Long {
    pub(super) fn read(&mut self, piece: &[u8]) {
        let (text, breaks) = split_breaks(piece);
        if !text.is_empty() {
            // Line breaks between two pieces are in quotes, where they change nothing.
            self.quotes.read(text);
            self.bytes += self.bytes_after + text.len() as u64;
            self.lines += self.lines_after + line_feeds(text);
            (self.bytes_after, self.lines_after) = (0, 0);
        }
        self.bytes_after += breaks.len() as u64;
        self.lines_after += line_feeds(breaks);
    }
}

/// Splits off the line breaks at the end.
pub(super) fn split_breaks(bytes: &[u8]) -> (&[u8], &[u8]) {
    let breaks = bytes.iter().rev().take_while(|b| is_break(**b)).count();
    bytes.split_at(bytes.len() - breaks)
}

pub(super) fn line_feeds(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

pub(super) fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_matter_where_a_record_is_cut() {
        let record = b"a,\"b\r\n\n\"\"c\n\",\"d\"\r\n\r";
        let whole = |pieces: &[&[u8]]| {
            let mut long = Long::default();
            pieces.iter().for_each(|piece| long.read(piece));
            (long.quotes, long.bytes, long.lines, long.bytes_after, long.lines_after)
        };
        let expected = (Quotes::Closed, record.len() as u64 - 3, 3, 3, 1);
        for cut in 0..=record.len() {
            for second in cut..=record.len() {
                let pieces = [&record[..cut], &record[cut..second], &record[second..]];
                assert_eq!(whole(&pieces), expected);
            }
        }
    }
}
