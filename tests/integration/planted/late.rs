//! Code that is planted while sterna is running, after it has checked who owns what.

use std::process::Child;

use sterna::pg::Connection;

use super::Planted;
use crate::cites::{file_of, good, shipment};
use crate::load::process::{finished, spawn, until};
use crate::server::Finished;

impl Planted {
    /// Starts `sterna` as the superuser, while a test interferes with it.
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

    /// Waits until a session waits for a lock on a table.
    async fn until_awaited(&self, table: &str) {
        let waiting = format!(
            "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        );
        until(&self.here.db, &waiting, "t").await;
    }

    /// Nothing ran, and the command was refused because of what was planted.
    async fn assert_refused(&self, child: Child, what: &str) -> Finished {
        let refused = finished(child);
        self.assert_idle(what).await;
        assert_eq!(refused.code, Some(6), "{what}: {refused:#?}");
        assert!(refused.stderr.contains("spy.trigger()"), "{what}: {refused:#?}");
        refused
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

/// Attaches code to a staging table, which belongs to the owner of the table.
fn plant(staging: &str) -> String {
    format!(
        "CREATE TRIGGER planted BEFORE INSERT OR DELETE ON {staging}
         FOR EACH STATEMENT EXECUTE FUNCTION spy.trigger()"
    )
}

/// A row that production's CHECK refuses is found in a trial.
#[tokio::test]
async fn a_trigger_between_a_batch_and_the_trial_of_its_rows() {
    let planted = Planted::new().await;
    let gate = "CREATE FUNCTION pass(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_advisory_lock_shared(7), pg_advisory_unlock_shared(7);
            RETURN $1 <> 'refused';
        END $$;
        ALTER TABLE cites_trade_records ADD CHECK (pass(term)), OWNER TO {mallory}";
    planted.psql(gate).await;
    let gatekeeper = planted.here.db.connect().await;
    gatekeeper.batch_execute("SELECT pg_advisory_lock(7)").await.unwrap();
    let refused = [shipment(&[("Id", "1")]), shipment(&[("Id", "2"), ("Term", "refused")])];
    planted.here.file("refused.csv", file_of(&refused));
    let child = planted.begin(&["load", "refused.csv", "--all", "--max-rejects", "1"]);
    let copying = "SELECT count(*) > 0 FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE '%COPY%' AND wait_event = 'advisory'";
    until(&planted.here.db, copying, "t").await;
    let mallory = planted.mallory().await;
    let plant = plant("cites_trade_records_staging");
    let (planted_it, ()) = tokio::join!(mallory.batch_execute(&plant), async {
        planted.until_awaited("cites_trade_records_staging").await;
        gatekeeper.batch_execute("SELECT pg_advisory_unlock(7)").await.unwrap();
    });
    planted_it.unwrap();
    planted.assert_refused(child, "the trigger before the trial").await;
    drop((mallory, gatekeeper));
    planted.end().await;
}

/// Begins a load, and plants a trigger on staging once its rows are in.
async fn plant_after_rows(planted: &Planted, table: &str, load: &[&str], meanwhile: &str) -> Child {
    planted.psql(&format!("ALTER TABLE {table} OWNER TO {{mallory}}")).await;
    planted.sterna(None, &["stage", "create", "--table", table]).expect_code(0);
    let staging = format!("{table}_staging");
    // Its batches wait until mallory has a lock on staging.
    let keeper = planted.here.db.connect().await;
    keeper.batch_execute("BEGIN; LOCK TABLE sterna.load_batch IN SHARE MODE").await.unwrap();
    let child = planted.begin(&[load, &["--all", "--table", table]].concat());
    planted.until_awaited("sterna.load_batch").await;
    planted.psql(meanwhile).await;
    let mallory = planted.mallory().await;
    // Rows are written under this lock, but what follows them waits.
    let hold = format!("BEGIN; LOCK TABLE {staging} IN SHARE UPDATE EXCLUSIVE MODE");
    mallory.batch_execute(&hold).await.unwrap();
    keeper.batch_execute("COMMIT").await.unwrap();
    planted.until_awaited(&staging).await;
    mallory.batch_execute(&plant(&staging)).await.unwrap();
    mallory.batch_execute("COMMIT").await.unwrap();
    child
}

#[tokio::test]
async fn a_trigger_before_the_rows_of_deleted_species_go() {
    let planted = Planted::new().await;
    planted.here.file("late.csv", file_of(&good(5)));
    let load = ["load", "late.csv"];
    let gone = "DELETE FROM species";
    let child = plant_after_rows(&planted, "cites_trade_records", &load, gone).await;
    planted.assert_refused(child, "the trigger before orphans go").await;
    planted.end().await;
}

#[tokio::test]
async fn a_trigger_before_doubled_records_are_taken_out() {
    let planted = Planted::new().await;
    planted.here.file("late.csv", file_of(&[shipment(&[]), shipment(&[("Year", "2021")])]));
    let load = ["load", "late.csv", "--max-rejects", "1"];
    let child = plant_after_rows(&planted, "cites_trade_records", &load, "").await;
    planted.assert_refused(child, "the trigger before doubles are taken out").await;
    planted.end().await;
}

#[tokio::test]
async fn a_trigger_before_rows_are_matched() {
    let planted = Planted::new().await;
    planted
        .psql(
            "CREATE TABLE things (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                 code integer UNIQUE NOT NULL, notes text);
             INSERT INTO things (code, notes) VALUES (1, 'kept')",
        )
        .await;
    planted.here.file("late.csv", "Code\n1\n2\n");
    let mapping = "[[format]]\nname = \"things\"\nrecord_id = \"Code\"\n\
        [format.columns]\n\"Code\" = \"code\"\n";
    planted.here.file("m.toml", mapping);
    let load = ["load", "late.csv", "--mapping", "m.toml"];
    let child = plant_after_rows(&planted, "things", &load, "").await;
    planted.assert_refused(child, "the trigger before rows are matched").await;
    planted.end().await;
}
