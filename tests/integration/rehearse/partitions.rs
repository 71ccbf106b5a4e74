//! A partitioned table, and one partition, are copied with all that they are among.

use std::sync::atomic::AtomicBool;

use sterna::backup::{BackupOptions, Extent, take};
use sterna::pg::embedded::{Embedded, Options};
use sterna::pg::{Table, connect};
use sterna::rehearse::{Place, Production, fill};

use crate::backup::partitions::rows_of;
use crate::server::text_of;
use crate::switchover::partition::YEARS;
use crate::switchover::partition::whole::whole;

const REFERRING: &str = "CREATE TABLE notes (id uuid, year int,
        FOREIGN KEY (id, year) REFERENCES trade ON DELETE CASCADE);
    INSERT INTO notes SELECT id, year FROM trade LIMIT 9";

#[tokio::test]
async fn a_copy_says_the_same_of_a_partitioned_table_and_of_a_partition() {
    let here = whole("RANGE (year)", "year", YEARS, "trade_2020").await;
    here.db.psql(REFERRING).await;
    for name in ["trade", "trade_2020"] {
        let table = Table::new("public", name).unwrap();
        let mut session = here.db.connect().await;
        let production = Production::look(&mut session, &table).await.unwrap();
        assert!(production.bytes > 0);
        assert_eq!(production.whole_bytes > production.bytes, name == "trade_2020");
        let mut options = BackupOptions::new(table.clone(), here.path(name));
        options.extent = Extent::Rehearsal;
        let stop = AtomicBool::new(false);
        let taken = take(here.db.info(), &options, &stop).await.unwrap();
        let mut options = Options::default();
        options.superuser = "of_the_copy".to_owned();
        options.major = Some(production.major);
        let server = Embedded::start(&options).unwrap();
        let place = Place::embedded(&server, &production).await.unwrap();
        let folder = here.path(name);
        let unrestored = fill(&place, &folder, &taken.manifest, &production, &stop).await.unwrap();
        assert_eq!(unrestored, [] as [String; 0]);
        let found = production.compare(&place.fingerprint(&table).await.unwrap());
        assert_eq!(found.differences, [], "{name}");
        // Comments on constraints that a partition has from the table above.
        assert_eq!(found.unsaved.len(), 2, "{:#?}", found.unsaved);
        let copy = connect(&place.info).await.unwrap();
        for of in ["public.trade", "public.notes", "public.species"] {
            let rows = rows_of(of);
            assert_eq!(text_of(&copy, &rows).await.unwrap(), here.db.psql(&rows).await, "{of}");
        }
    }
}
