use super::*;
use crate::cites::{Formats, Species, Taxa};
use crate::load::account::Account;
use crate::load::read::map::Years;
use crate::load::read::records::{MAX_SMALL_RECORD_BYTES, read_header};
use proptest::prelude::*;

fn formats() -> Formats {
    let text = "[[format]]\nname='t'\nyear='Y'\nlookup={field='T',column='s',table='s',key='k',value='v'}\n\
                [format.columns]\nT='t'\nY='y'\nV='v'\n\
                [[format]]\nname='u'\nyear='Y'\n[format.columns]\nY='y'\n";
    Formats::parse(text, "m.toml").unwrap()
}

/// How a file is read.
#[derive(Clone, Debug)]
struct How {
    batch_rows: usize,
    max_record_bytes: usize,
    years: &'static str,
    on_unmapped: OnUnmapped,
    /// The number of bytes per read.
    few: usize,
    /// Whether records are looked at before they are parsed.
    looks: bool,
}

impl Default for How {
    fn default() -> Self {
        How {
            batch_rows: 10,
            max_record_bytes: MAX_SMALL_RECORD_BYTES,
            years: "",
            on_unmapped: OnUnmapped::Skip,
            few: 7,
            looks: true,
        }
    }
}

fn read(file: &[u8], batch_rows: usize, years: &'static str) -> Result<Vec<RecordBatch>> {
    read_with(file, &How { batch_rows, years, ..How::default() })
}

fn read_with(file: &[u8], how: &How) -> Result<Vec<RecordBatch>> {
    let mut batches = Vec::new();
    read_into(file, how, &mut batches).map(|_| batches)
}

/// Returns a text with the names without a species, and the counts of records and bytes.
fn read_into(file: &[u8], how: &How, batches: &mut Vec<RecordBatch>) -> Result<String> {
    let species = ["Ursus maritimus", "a,\"b"]
        .map(|name| Species { id: uuid::Uuid::nil(), name: name.into() });
    let taxa = Taxa::new(species.to_vec()).unwrap();
    let years = if how.years.is_empty() { Years::default() } else { how.years.parse().unwrap() };
    let formats = formats();
    let header = read_header("f.csv", &mut &*file, MAX_SMALL_RECORD_BYTES)?;
    let names: Vec<&str> = header.names.iter().map(String::as_str).collect();
    let wrong = |what| Error::bad_file("f.csv", format!("line {}: {what}", header.line));
    let layout = formats.layout(&names).map_err(wrong)?;
    let counters = Counters::default();
    let source = Source {
        name: "f.csv",
        member: 3,
        layout: &layout,
        batch_rows: how.batch_rows,
        max_record_bytes: how.max_record_bytes,
        on_unmapped: how.on_unmapped,
        counters: &counters,
        stop: &|| false,
    };
    let mut mapper = Mapper::new(&taxa, &years);
    let look = FirstLook::new(&layout, &mapper, how.on_unmapped).filter(|_| how.looks);
    source.read(
        &mut FewAtATime(file, how.few),
        look,
        &mut mapper,
        RecordBatch::default,
        |batch| {
            batches.push(batch);
            ControlFlow::Continue(())
        },
    )?;
    let unmapped = mapper.into_unmapped();
    Ok(format!(
        "{:?} {:?} {:?}",
        unmapped.most_frequent(usize::MAX),
        counters.rows_read,
        counters.bytes_read
    ))
}

/// Hands out few bytes at a time, so that records straddle every boundary.
struct FewAtATime<'a>(&'a [u8], usize);

impl Read for FewAtATime<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let few = buffer.len().min(self.1);
        self.0.read(&mut buffer[..few])
    }
}

fn total(batches: &[RecordBatch]) -> Account {
    batches.iter().fold(Account::default(), |mut sum, b| {
        sum += b.account;
        sum
    })
}

#[test]
fn places_are_right_with_bom_crlf_blank_lines_and_quotes() {
    let file = "\u{feff}T,Y,V\r\nUrsus maritimus,2000,x\r\n\r\n\"Ursus maritimus\",2001,\"two\r\nlines\"\r\nUrsus maritimus,2002,\"q\"\"q\"";
    let batches = read(file.as_bytes(), 10, "").unwrap();
    let records: Vec<_> = batches[0].records().collect();
    let lines: Vec<_> = records.iter().map(|r| r.at().line).collect();
    assert_eq!(lines, [2, 4, 6]);
    assert_eq!(records[1].field(2), b"two\r\nlines");
    assert_eq!(records[2].field(2), b"q\"q");
    for record in &records {
        let at = record.at().byte_offset as usize;
        assert_eq!(&file.as_bytes()[at..at + record.raw().len()], record.raw());
    }
    assert!(batches[0].rejects.is_empty());
    let location = batches[0].location;
    assert_eq!((location.member, location.first_line), (3, 2));
    assert_eq!(location.byte_offset + location.byte_length, file.len() as u64);
}

#[test]
fn bad_records_are_rejected_and_their_neighbours_kept() {
    let file = b"T,Y,V\nUrsus maritimus,2000,a\nUrsus maritimus,2000\nUrsus maritimus,2000,\xff\n\
        \"Ursus\" maritimus,2000,b\nUrsus maritimus,20x0,c\nPython regius,2000,d\nUrsus maritimus,1999,e\n\
        Ursus maritimus,2000,5\" wide\nUrsus maritimus,2000,\"open\n";
    let batches = read(file, 100, "2000").unwrap();
    let reasons: Vec<_> = batches[0].rejects.iter().map(|r| (r.reason, r.field)).collect();
    let wanted = [
        (Reason::FieldCount, None),
        (Reason::InvalidUtf8, Some(2)),
        (Reason::FieldCount, None),
        (Reason::InvalidInteger, Some(1)),
        (Reason::FieldCount, None),
    ];
    assert_eq!(reasons, wanted);
    let account = total(&batches);
    assert_eq!((account.rows_read, account.rows_unmapped, account.rows_filtered), (9, 1, 1));
    let kept = batches[0].records().filter(|r| r.at().fate == Fate::Row(Some(0))).count();
    assert_eq!(kept, 2);
}

#[test]
fn unmapped_records_can_be_rejected_or_stop_the_load() {
    let file = b"T,Y,V\nPython regius,2000,d\n";
    let with = |on_unmapped| read_with(file, &How { on_unmapped, ..How::default() });
    let rejected = with(OnUnmapped::Reject).unwrap();
    assert_eq!(rejected[0].rejects[0].reason, Reason::UnmappedTaxon);
    let error = with(OnUnmapped::Fail).unwrap_err().to_string();
    assert!(error.contains("f.csv: line 2") && error.contains("Python regius"), "{error}");
}

#[test]
fn what_is_no_csv_file_is_named() {
    let error = |file: &[u8]| read(file, 10, "").unwrap_err().to_string();
    assert!(error(b"").contains("f.csv: the file is empty"));
    assert!(error(b"T;Y;V\n1;2;3\n").contains("';'"));
    assert!(error(b"\xff\xfeT\0,\0").contains("UTF-16"));
    assert!(error(b"T\0,\0Y\0,\0V\0\n\0").contains("UTF-16"));
    assert!(
        error(b"T,Y,V\nUrsus maritimus,2000,a\nT,Y,V\n").contains("line 3: the header appears")
    );
    let mut open = b"T,Y,V\n\"".to_vec();
    open.resize(3 << 20, b'x');
    let error = read(&open, 10, "").unwrap();
    assert_eq!(error[0].rejects[0].reason, Reason::RecordTooLong);
    open.extend(b"\nUrsus maritimus,2000,a\n");
    open.resize(6 << 20, b'x');
    assert!(read(&open, 10, "").unwrap_err().to_string().contains("line 2: a record of more than"));
}

/// Everything that reading a file leads to.
fn outcome(file: &[u8], how: &How) -> String {
    let mut batches = Vec::new();
    let end = read_into(file, how, &mut batches);
    let mut text = format!("{how:?}\n", how = How { looks: true, ..how.clone() });
    for batch in &batches {
        let RecordBatch { location, last, account, rejects, .. } = batch;
        text += &format!("{location:?} {last} {account:?} {rejects:?}\n");
        for record in batch.records() {
            let fields: Vec<_> = (0..record.len()).map(|at| record.field(at)).collect();
            text += &format!("{:?} {:?} {fields:?}\n", record.at(), record.raw());
        }
    }
    text + &match end {
        Ok(end) => end,
        // No more is known of a file whose reading ends early.
        Err(error) => error.to_string(),
    }
}

/// Bytes as no program writes them, of pieces that mean something to a reader of CSV.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b",",
        b"\n",
        b"\r\n",
        b"\r",
        b"\"",
        b"\"\"",
        b"\0",
        b"\xff",
        b"\xc3",
        BOM,
        "\u{e9}".as_bytes(),
        b"T",
        b"2000",
        b"2001",
        b"Ursus maritimus",
        b"a,\"b",
        b"T,Y,V\n",
        b"Python regius,2000,x\n",
        b"Python regius,2000,x\r\n",
        b"Ursus maritimus,2000,x\n",
        b"Ursus maritimus,2001,x\r\n",
        b"ursus  MARITIMUS,2000,\"two\nlines\"\n",
        b"\"Python regius\",2000,\n",
        b"Python regius,2000\n",
        b"Python regius,20x0,,\n",
        b"Naja naja,2001,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
        b"Naja \xff,2001,\n",
        b",,\n",
    ];
    let piece = prop::sample::select(pieces);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn any_how() -> impl Strategy<Value = How> {
    let on_unmapped = prop::sample::select(vec![
        OnUnmapped::Skip,
        OnUnmapped::Skip,
        OnUnmapped::Reject,
        OnUnmapped::Fail,
    ]);
    let years = prop::sample::select(vec!["", "2000"]);
    (1usize..12, 20usize..90, years, on_unmapped, 1usize..300).prop_map(
        |(batch_rows, max_record_bytes, years, on_unmapped, few)| How {
            batch_rows,
            max_record_bytes,
            years,
            on_unmapped,
            few,
            looks: true,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_first_look_changes_nothing(
        header in prop::sample::select(vec!["T,Y,V\n", "\u{feff}T,Y,V\r\n", "V,T,Y\n", "Y,X\n", "Y\n"]),
        soup in soup(),
        how in any_how(),
    ) {
        let file = [header.as_bytes(), &soup].concat();
        let parsed = outcome(&file, &How { looks: false, ..how.clone() });
        prop_assert_eq!(outcome(&file, &how), parsed);
    }
}

proptest! {
    #[test]
    fn any_records_come_back_whole(
        rows in prop::collection::vec(("[a-z,\"\n\r é]{0,9}", "[a-z,\"\n]{0,5}"), 0..40),
        batch_rows in 1usize..12,
        crlf: bool,
    ) {
        let quote = |f: &str| format!("\"{}\"", f.replace('"', "\"\""));
        let end = if crlf { "\r\n" } else { "\n" };
        let mut file = format!("T,Y,V{end}");
        for (name, value) in &rows {
            file += &format!("{},{},{}{end}", "\"a,\"\"b\"", quote(name), quote(value));
        }
        let batches = read(file.as_bytes(), batch_rows, "").unwrap();
        let records: Vec<_> = batches.iter().flat_map(RecordBatch::records).collect();
        prop_assert_eq!(records.len(), rows.len());
        for (record, (name, value)) in records.iter().zip(&rows) {
            prop_assert_eq!(record.field(1), name.as_bytes());
            prop_assert_eq!(record.field(2), value.as_bytes());
            let at = record.at().byte_offset as usize;
            prop_assert_eq!(&file.as_bytes()[at..at + record.raw().len()], record.raw());
            let line = 1 + file[..at].bytes().filter(|b| *b == b'\n').count() as u64;
            prop_assert_eq!(record.at().line, line);
        }
        prop_assert!(batches[..batches.len() - 1].iter().all(|b| b.len() == batch_rows && !b.last));
        prop_assert!(batches[batches.len() - 1].last);
        let numbers: Vec<_> = batches.iter().map(|b| b.location.number as usize).collect();
        prop_assert_eq!(numbers, (0..batches.len()).collect::<Vec<_>>());
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_always_add_up(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut file = b"T,Y,V\n".to_vec();
        file.extend(bytes);
        if let Ok(batches) = read(&file, 5, "2000") {
            let account = total(&batches);
            let carried: usize = batches.iter().map(RecordBatch::len).sum();
            let gone = account.rows_unmapped + account.rows_filtered;
            prop_assert_eq!(account.rows_read, carried as u64 + gone);
        }
    }
}
