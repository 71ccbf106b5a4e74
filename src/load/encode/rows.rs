//! The buffer that rows are written into.

use bytes::BytesMut;

/// The size of values up to which all are copied alike, in bytes: a copy of a fixed size is a
/// few instructions, and most values are short.
const SHORT: usize = 32;
/// How far the buffer is filled beyond what is needed, in bytes.
const STEP: usize = 64 << 10;

/// Writes rows over what a buffer held before, so that it is filled once, not for each batch.
pub(super) struct Rows<'a> {
    buffer: &'a mut BytesMut,
    /// The end of what is written.
    at: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(buffer: &'a mut BytesMut) -> Self {
        Rows { buffer, at: 0 }
    }

    /// The number of bytes written.
    pub(super) fn len(&self) -> usize {
        self.at
    }

    /// What has been written from `start` on.
    pub(super) fn written_since(&self, start: usize) -> &[u8] {
        &self.buffer[start..self.at]
    }

    /// Drops what has been written from `start` on.
    pub(super) fn go_back(&mut self, start: usize) {
        self.at = start;
    }

    /// Drops what the buffer held before.
    pub(super) fn end(self) {
        self.buffer.truncate(self.at);
    }

    /// Begins a row.
    pub(super) fn begin(&mut self, columns: usize) {
        let count = (columns as u16).to_be_bytes();
        self.room(count.len()).copy_from_slice(&count);
        self.at += count.len();
    }

    /// Appends NULL.
    #[inline]
    pub(super) fn put_null(&mut self) {
        let length = (-1i32).to_be_bytes();
        self.room(length.len()).copy_from_slice(&length);
        self.at += length.len();
    }

    /// Appends a value of a size that is known.
    #[inline]
    pub(super) fn put_array<const N: usize>(&mut self, bytes: &[u8; N]) {
        let (prefix, value) = self.room(4 + N).split_at_mut(4);
        prefix.copy_from_slice(&(N as u32).to_be_bytes());
        value.copy_from_slice(bytes);
        self.at += 4 + N;
    }

    /// Appends a value: the first `length` of `bytes`.
    #[inline]
    pub(super) fn put(&mut self, bytes: &[u8], length: usize) {
        let (prefix, value) = self.room(4 + length.max(SHORT)).split_at_mut(4);
        prefix.copy_from_slice(&(length as u32).to_be_bytes());
        match (value.first_chunk_mut::<SHORT>(), bytes.first_chunk::<SHORT>()) {
            (Some(value), Some(bytes)) if length <= SHORT => *value = *bytes,
            _ => value[..length].copy_from_slice(&bytes[..length]),
        }
        self.at += 4 + length;
    }

    /// The next `length` bytes of the buffer.
    #[inline]
    fn room(&mut self, length: usize) -> &mut [u8] {
        let end = self.at + length;
        if end > self.buffer.len() {
            self.grow(end);
        }
        &mut self.buffer[self.at..end]
    }

    #[cold]
    fn grow(&mut self, end: usize) {
        self.buffer.resize(end + STEP, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BufMut;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_are_written_one_after_the_other(
            before in prop::collection::vec(any::<u8>(), 0..100),
            values in prop::collection::vec(prop::option::of(("[a-z]{0,50}", "[a-z]{0,50}")), 0..20),
        ) {
            let mut buffer = BytesMut::from(&before[..]);
            let mut rows = Rows::new(&mut buffer);
            let mut wanted = BytesMut::new();
            rows.begin(values.len());
            wanted.put_u16(values.len() as u16);
            for value in &values {
                let Some((value, after)) = value else {
                    rows.put_null();
                    wanted.put_i32(-1);
                    continue;
                };
                let start = rows.len();
                rows.put_array(b"0123456789abcdef");
                prop_assert_eq!(rows.written_since(start), b"\0\0\0\x100123456789abcdef");
                rows.go_back(start);
                rows.put(format!("{value}{after}").as_bytes(), value.len());
                wanted.put_u32(value.len() as u32);
                wanted.put_slice(value.as_bytes());
                prop_assert_eq!(rows.written_since(start), &wanted[start..]);
            }
            rows.end();
            prop_assert_eq!(buffer, wanted);
        }
    }
}
