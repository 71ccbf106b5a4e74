use super::*;
use proptest::prelude::*;

#[test]
fn fields_are_found_with_and_without_quotes() {
    let mut batch = RecordBatch::default();
    let ends = [1, 1, 4].into_iter();
    batch.push((2, 10), b"a,,ccc", false, b"accc", ends, Fate::Row(None));
    let ends = [3, 4].into_iter();
    batch.push((3, 17), b"\"a,\"\"\",b", true, b"a,\"b", ends, Fate::Row(Some(7)));
    let first = batch.record(0);
    assert_eq!(
        (first.field(0), first.field(1), first.field(2)),
        (&b"a"[..], &b""[..], &b"ccc"[..])
    );
    let second = batch.record(1);
    assert_eq!((second.field(0), second.field(1)), (&b"a,\""[..], &b"b"[..]));
    assert_eq!(second.raw(), b"\"a,\"\"\",b");
    assert_eq!(second.at().fate, Fate::Row(Some(7)));
}

#[test]
fn columns_are_left_out_of_the_hash_as_if_they_were_not_there() {
    let row = |values: &[Option<&[u8]>]| {
        let mut row = (values.len() as u16).to_be_bytes().to_vec();
        for value in values {
            row.extend(value.map_or(-1, |v| v.len() as i32).to_be_bytes());
            row.extend(value.unwrap_or_default());
        }
        row
    };
    let values: [Option<&[u8]>; 3] = [Some(b"ab"), None, Some(b"c")];
    for left_out in [&[0][..], &[1], &[2], &[0, 1], &[0, 2], &[1, 2], &[0, 1, 2]] {
        let kept = (0..values.len()).filter(|at| !left_out.contains(at));
        let fewer: Vec<_> = kept.map(|at| values[at]).collect();
        assert_eq!(row_hash(&row(&values), left_out), row_hash(&row(&fewer), &[]));
    }
}

proptest! {
    #[test]
    fn every_field_comes_back(rows in prop::collection::vec(
        prop::collection::vec("[a-z,\"\n]{0,6}", 1..6), 1..20)) {
        let mut batch = RecordBatch::default();
        for row in &rows {
            let quote = |f: &String| if f.contains([',', '"', '\n']) {
                format!("\"{}\"", f.replace('"', "\"\""))
            } else { f.clone() };
            let raw = row.iter().map(quote).collect::<Vec<_>>().join(",");
            let quoted = raw.contains('"');
            let ends: Vec<usize> = row.iter().scan(0, |sum, f| { *sum += f.len(); Some(*sum) }).collect();
            batch.push((1, 0), raw.as_bytes(), quoted, row.concat().as_bytes(), ends.into_iter(), Fate::Row(None));
        }
        for (record, row) in batch.records().zip(&rows) {
            prop_assert_eq!(record.len(), row.len());
            for (i, field) in row.iter().enumerate() {
                prop_assert_eq!(record.field(i), field.as_bytes());
            }
        }
    }
}
