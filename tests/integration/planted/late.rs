//! What is planted while sterna is at work, after it has looked whose everything is.

use std::process::Child;

use sterna::pg::Connection;

use super::Planted;
use crate::load::process::{finished, spawn, until};

impl Planted {
    /// `sterna` as the superuser, while a test does something to it.
    fn begin(&self, args: &[&str]) -> Child {
        let mut command = self.here.db.command(args);
        command.current_dir(self.here.folder.path());
        spawn(command)
    }

    /// A session of the role that plants.
    async fn mallory(&self) -> Connection {
        let session = self.here.db.connect().await;
        let become_it = format!("SET SESSION AUTHORIZATION {}", self.mallory);
        session.batch_execute(&become_it).await.unwrap();
        session
    }

    /// Waits until somebody waits for a lock on a table.
    async fn until_awaited(&self, table: &str) {
        let waiting = format!(
            "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass"
        );
        until(&self.here.db, &waiting, "t").await;
    }
}

#[tokio::test]
async fn a_view_in_the_place_of_a_table_that_is_saved() {
    let planted = Planted::new().await;
    planted.psql("ALTER TABLE species OWNER TO {mallory}").await;
    let mallory = planted.mallory().await;
    let plant = "BEGIN; ALTER TABLE species RENAME TO was_species;
        CREATE VIEW species AS SELECT * FROM was_species WHERE spy.look()";
    mallory.batch_execute(plant).await.unwrap();
    let child = planted.begin(&["backup", "--method", "copy", "--out", "saved"]);
    planted.until_awaited("species").await;
    mallory.batch_execute("COMMIT").await.unwrap();
    let failed = finished(child);
    planted.assert_idle("the view").await;
    assert_eq!(failed.code, Some(1), "{failed:#?}");
    assert!(failed.stderr.contains("access to non-system view \"species\""), "{failed:#?}");
    planted.psql("DROP VIEW species; ALTER TABLE was_species RENAME TO species").await;
    drop(mallory);
    planted.end().await;
}
