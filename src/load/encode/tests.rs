use super::*;
use crate::cites::Formats;
use crate::load::account::Account;
use crate::pg::NumericType;

/// A plan over the columns `text, quantity numeric(10,2), year integer not null`.
fn plan() -> RowPlan {
    let text = "[[format]]\nname='t'\nrecord_id='Id'\nrow_id='id'\n[format.columns]\n\
                Id='record_id'\nQuantity='quantity'\nYear='year'\n";
    let formats = Formats::parse(text, "m.toml").unwrap();
    let layout = formats.layout(&["Id", "Quantity", "Year"]).unwrap();
    let money = ColumnType::Numeric(Some(NumericType { precision: 10, scale: 2 }));
    let column = |origin, kind, not_null| ColumnPlan { origin, kind, not_null };
    RowPlan {
        unhashed: Vec::new(),
        record_id: Some((0, ColumnType::Text)),
        layout,
        columns: vec![
            column(Origin::RowId, ColumnType::Uuid, true),
            column(Origin::Field(0), ColumnType::Text, false),
            column(Origin::Field(1), money, false),
            column(Origin::Field(2), ColumnType::Integer, true),
        ],
    }
}

fn batch(rows: &[[&str; 3]]) -> RecordBatch {
    let mut batch = RecordBatch::default();
    for row in rows {
        let mut end = 0;
        let ends: Vec<usize> = row
            .iter()
            .map(|f| {
                end += f.len();
                end
            })
            .collect();
        let raw = row.join(",");
        batch.push(
            (1, 0),
            raw.as_bytes(),
            false,
            row.concat().as_bytes(),
            ends.into_iter(),
            Fate::Row(None),
        );
    }
    batch.account = Account { rows_read: rows.len() as u64, ..Account::default() };
    batch
}

fn encode(rows: &[[&str; 3]], on_inexact: OnInexact) -> EncodedBatch {
    let (taxa, ids) = (Taxa::default(), RowIds::default());
    let mut out = EncodedBatch::default();
    Encoder::new(&taxa, &ids, on_inexact).encode(&plan(), b"key", batch(rows), &mut out);
    out
}

#[test]
fn the_wire_form_is_pinned() {
    let out = encode(&[["7", "150.5", "1980"], ["", "", "-1"]], OnInexact::Reject);
    let golden = include_str!("../../../tests/golden/encoded_rows.txt");
    let hex: Vec<String> = (0..out.row_ends.len())
        .map(|i| {
            let start = if i == 0 { 0 } else { out.row_ends[i - 1].0 as usize };
            out.rows[start..out.row_ends[i].0 as usize].iter().map(|b| format!("{b:02x}")).collect()
        })
        .collect();
    let wanted: Vec<&str> = golden.lines().filter(|l| !l.starts_with('#')).collect();
    assert_eq!(hex, wanted);
}

#[test]
fn a_misfit_leaves_no_trace_in_the_rows() {
    let good = encode(&[["1", "1", "2000"], ["3", "3", "2002"]], OnInexact::Reject);
    let mixed = encode(
        &[["1", "1", "2000"], ["2", "0.001", "2001"], ["3", "3", "2002"]],
        OnInexact::Reject,
    );
    assert_eq!(good.rows, mixed.rows);
    assert_eq!(good.checksum, mixed.checksum);
    assert_eq!(mixed.row_ends.iter().map(|r| r.1).collect::<Vec<_>>(), [0, 2]);
    let reject = &mixed.records.rejects[0];
    assert_eq!((reject.record, reject.reason, reject.field), (1, Reason::NumericScale, Some(1)));
    assert!(mixed.records.account.balances());
}

#[test]
fn rounding_is_counted_once_per_row() {
    let out = encode(&[["1", "0.005", "2000"], ["2", "1.00", "2000"]], OnInexact::Round);
    assert_eq!(out.records.account.rows_rounded, 1);
    assert_eq!(out.records.account.rows_loaded, 2);
}

#[test]
fn required_columns_refuse_empty_fields() {
    let out = encode(&[["1", "1", ""]], OnInexact::Reject);
    assert_eq!(out.records.rejects[0].reason, Reason::MissingRequired);
    assert_eq!(out.records.rejects[0].field, Some(2));
}
