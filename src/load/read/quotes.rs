//! Checks the quotes of a record against the rules of CSV, also when it is read in pieces.

/// The state of the check. Every quote has to open a field, close one, or be doubled inside
/// one. (A quote inside an unquoted field is text.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::load) enum Quotes {
    /// At the start of a field.
    #[default]
    Begin,
    /// In an unquoted field.
    Plain,
    /// In a quoted field.
    Quoted,
    /// After a quote in a quoted field, which closes it unless another quote follows.
    Closed,
    /// After a misplaced quote.
    Wrong,
}

impl Quotes {
    /// Checks a whole record.
    pub(in crate::load) fn in_text(record: &[u8]) -> Self {
        let mut quotes = Quotes::default();
        quotes.read(record);
        quotes
    }

    /// Continues with more bytes of the record.
    pub(in crate::load) fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            *self = match (*self, byte) {
                (Quotes::Wrong, _) => return,
                (Quotes::Quoted, b'"') => Quotes::Closed,
                (Quotes::Quoted, _) => Quotes::Quoted,
                (Quotes::Begin | Quotes::Closed, b'"') => Quotes::Quoted,
                (_, b',') => Quotes::Begin,
                (Quotes::Closed, _) => Quotes::Wrong,
                (Quotes::Begin | Quotes::Plain, _) => Quotes::Plain,
            };
        }
    }

    /// Whether the record may end here.
    pub(in crate::load) fn are_closed(self) -> bool {
        !matches!(self, Quotes::Quoted | Quotes::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_open_close_or_are_doubled() {
        for good in ["", "a,b", "\"a\",b", "\"a\"\"b\"", "a\"b,c", "\"\"", "\"a,\nb\",", ","] {
            assert!(Quotes::in_text(good.as_bytes()).are_closed(), "{good}");
        }
        for bad in ["\"a", "\"a\"b", "\"a\" ,b", "a,\"", "\"a\"\"", "\"\"\""] {
            assert!(!Quotes::in_text(bad.as_bytes()).are_closed(), "{bad}");
        }
    }

    #[test]
    fn it_does_not_matter_where_a_record_is_cut() {
        let record = b"a,\"b\"\"c\",\"d\"e";
        for cut in 0..=record.len() {
            let mut quotes = Quotes::default();
            quotes.read(&record[..cut]);
            quotes.read(&record[cut..]);
            assert_eq!(quotes, Quotes::in_text(record));
        }
    }
}
