//! Species deleted while a load runs take their rows along.

use serde_json::json;

use crate::cites::{Installation, file_of, shipment};

/// Deletes a species between the rows and the foreign key, when an index is built.
fn deleting(scientific_name: &str) -> String {
    format!(
        "CREATE FUNCTION delete_species() RETURNS event_trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = public AS $$
        BEGIN
            IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity LIKE 'public.%') THEN
                DELETE FROM public.species WHERE scientific_name = '{scientific_name}';
            END IF;
        END $$;
        CREATE EVENT TRIGGER delete_species ON ddl_command_end WHEN TAG IN ('CREATE INDEX')
            EXECUTE FUNCTION delete_species()"
    )
}

/// 300 records, 100 of each of three species, in turn.
fn records() -> String {
    let taxa = ["Ursus maritimus", "Falco rusticolus", "Odobenus rosmarus"];
    let record = |at: usize| {
        let id = at.to_string();
        shipment(&[("Id", &id), ("Taxon", taxa[at % 3]), ("Importer", "ZZ")])
    };
    file_of(&(0..300).map(record).collect::<Vec<_>>())
}

#[tokio::test]
async fn rows_of_a_species_deleted_meanwhile_go_with_it_and_are_accounted_for() {
    let here = Installation::new().await;
    let file = here.file("in.csv", records());
    here.db.psql(&deleting("Falco rusticolus")).await;
    let options = [&file, "--all", "--batch-size", "70", "--verify"];
    let report = here.report(0, &options);
    assert_eq!(report["rows_loaded"], 300);
    assert_eq!(report["rows_cascaded"], 100, "{report:#}");
    assert_eq!((&report["state"], &report["verified"]), (&json!("loaded"), &json!(true)));
    let left = "SELECT count(*), count(s.id) FROM cites_trade_records_staging AS t
        LEFT JOIN species AS s ON s.id = t.species_id";
    assert_eq!(here.db.psql(left).await, "200|200");
    // Staging has no foreign key that could delete its rows, or block the application.
    let keys = "SELECT count(*) FROM pg_constraint
        WHERE conrelid = 'cites_trade_records_staging'::regclass AND contype = 'f'";
    assert_eq!(here.db.psql(keys).await, "0");

    // Everything that compares staging with the ledger knows of it: checks, proof, gate.
    let validated = here.db.sterna(&["validate", "--format", "json", "--expect-rows", "200"]);
    let validated: serde_json::Value = serde_json::from_str(&validated.stdout).unwrap();
    for name in ["rows-accounted", "load-account", "rows-as-loaded"] {
        let check = validated["checks"].as_array().unwrap().iter().find(|c| c["name"] == name);
        assert_eq!(check.unwrap()["passed"], true, "{name}: {validated:#}");
    }
    let failed: Vec<_> = validated["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["passed"] == false && c["severity"] == "error")
        .collect();
    assert_eq!(failed, Vec::<&serde_json::Value>::new());
    let done = here.db.sterna(&["switchover", "--format", "json"]).expect_code(0);
    let done: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(done["rows"], 200);
}

#[tokio::test]
async fn a_load_that_was_stopped_after_the_rows_went_is_resumed_and_proved() {
    let here = Installation::new().await;
    let file = here.file("in.csv", records());
    here.db.psql(&deleting("Falco rusticolus")).await;
    here.report(0, &[&file, "--all", "--batch-size", "70"]);
    // The state that is left if the process ends after deleting the rows and before completing.
    here.db.psql("UPDATE sterna.load_run SET state = 'built', finished_at = NULL").await;
    let again = here.report(0, &[&file, "--all", "--batch-size", "70", "--resume", "--verify"]);
    assert_eq!((&again["verified"], &again["rows_cascaded"]), (&json!(true), &json!(100)));
    // A row missing for no known reason is still reported.
    here.db
        .psql(
            "DELETE FROM cites_trade_records_staging WHERE record_id = '0';
        UPDATE sterna.load_run SET state = 'built', finished_at = NULL",
        )
        .await;
    here.report(4, &[&file, "--all", "--batch-size", "70", "--resume", "--verify"]);
}

#[tokio::test]
async fn other_foreign_keys_keep_their_rows_and_fail() {
    // A restricting species key deletes nothing; and whether a country ever existed is unknown.
    for key in [
        "DROP CONSTRAINT cites_trade_records_species_id_fkey,
         ADD CONSTRAINT cites_trade_records_species_id_fkey FOREIGN KEY (species_id) REFERENCES species",
        "ADD CONSTRAINT importer FOREIGN KEY (importer) REFERENCES countries ON DELETE CASCADE",
    ] {
        let here = Installation::new().await;
        let file = here.file("in.csv", records());
        here.db.psql("CREATE TABLE countries (code text PRIMARY KEY)").await;
        here.db.psql(&format!("ALTER TABLE cites_trade_records {key}")).await;
        if key.starts_with("DROP") {
            here.db.psql(&deleting("Falco rusticolus")).await;
        }
        let failed = here.load(&[&file, "--all"]).expect_code(1);
        assert!(failed.stderr.contains("while checking foreign key"), "{failed:?}");
        assert_eq!(here.staging().await.len(), 300);
    }
}
