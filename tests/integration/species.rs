//! `sterna species`: finding what is missing, adding it, and undoing that.

use serde_json::{Value, json};
use sterna::pg::embedded::ModelSchema;

use crate::cites::{Installation, file_of, shipment};
use crate::server::Finished;

const GOOSE: &str = "Branta hutchinsii leucopareia";
const RELATIVE: &str = "Branta canadensis leucopareia";
const ROW: &str = "SELECT common_name, kingdom, phylum, class, order_name, family, genus,
        species_name, description
    FROM public.species WHERE scientific_name = 'Branta hutchinsii leucopareia'";
const STAGED: &str = "SELECT s.scientific_name, count(*)
    FROM public.cites_trade_records_staging AS t INNER JOIN public.species AS s
    ON s.id = t.species_id GROUP BY 1";

fn geese() -> String {
    let record = |id: &str, taxon: &str| shipment(&[("Id", id), ("Taxon", taxon)]);
    file_of(&[record("1", GOOSE), record("2", GOOSE), record("3", "Python regius")])
}

fn json_of(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap()
}

fn add_goose(place: &Installation) -> Finished {
    place.db.sterna(&[
        "species",
        "add",
        "--scientific-name",
        GOOSE,
        "--common-name",
        "Aleutian Cackling Goose",
        "--like",
        RELATIVE,
        "--format",
        "json",
    ])
}

fn add_synonym(place: &Installation, of: &str) -> Finished {
    let args = ["species", "add", "--synonym", GOOSE, "--of", of, "--format", "json"];
    place.db.sterna(&args)
}

#[tokio::test]
async fn missing_taxa_are_named_with_the_closest_species() {
    let place = Installation::new().await;
    let file = place.file("geese.csv", geese());
    let found = place.db.sterna(&["species", "missing", &file, "--format", "json"]).expect_code(0);
    let report = json_of(&found);
    assert_eq!((&report["rows_read"], &report["rows_unmapped"]), (&json!(3), &json!(3)));
    assert_eq!(report["newest_year"], json!(null), "no record can be loaded");
    assert_eq!(report["taxa"][0]["taxon"], GOOSE);
    assert_eq!(report["taxa"][0]["rows"], 2);
    assert_eq!(report["taxa"][0]["closest"][0], RELATIVE);
    assert_eq!(report["taxa"][1], json!({"taxon": "Python regius", "rows": 1, "closest": []}));
    let text = place.db.sterna(&["species", "missing", &file]).expect_code(0).stdout;
    let ready = format!("sterna species add --synonym '{GOOSE}' --of '{RELATIVE}'");
    assert!(text.contains(&ready), "{text}");
    assert_eq!(place.db.psql("SELECT to_regnamespace('sterna')").await, "", "it only looked");
    add_synonym(&place, RELATIVE).expect_code(0);
    let found = place.db.sterna(&["species", "missing", &file, "--format", "json"]).expect_code(0);
    let report = json_of(&found);
    assert_eq!(report["names"], 1);
    assert!(report["newest_year"].as_i64().is_some_and(|year| year > 1974), "{report}");
}

#[tokio::test]
async fn a_species_takes_its_ranks_from_a_relative_and_is_loaded() {
    for schema in [ModelSchema::Production, ModelSchema::ReportedQuantities] {
        let place = Installation::with_schema(schema).await;
        place.db.psql("UPDATE public.species SET description = 'a relative has its own'").await;
        let added = add_goose(&place).expect_code(0);
        assert_eq!(json_of(&added)["outcome"], "species");
        let expected = "Aleutian Cackling Goose|Animalia|Chordata|Aves|Anseriformes|Anatidae \
                        |Branta|hutchinsii leucopareia|";
        assert_eq!(place.db.psql(ROW).await, expected);
        let again = add_goose(&place).expect_code(0);
        assert_eq!(json_of(&again)["outcome"], "exists");
        assert_eq!(place.db.psql("SELECT count(*) FROM public.species").await, "44");
        let undone = place.db.sterna(&["species", "undo"]).expect_code(0);
        assert!(undone.stdout.contains(GOOSE), "{undone:?}");
        assert_eq!(place.db.psql("SELECT count(*) FROM public.species").await, "43");
        place.db.sterna(&["species", "undo"]).expect_code(6);
    }
}

#[tokio::test]
async fn it_stays_while_anything_refers_to_it() {
    let place = Installation::new().await;
    let db = &place.db;
    add_goose(&place).expect_code(0);
    let id = db.psql("SELECT id FROM public.species ORDER BY created_at DESC LIMIT 1").await;
    db.psql(
        "CREATE TABLE public.sighting (
             species uuid REFERENCES public.species (id) ON DELETE CASCADE, place text)",
    )
    .await;
    db.psql(&format!("INSERT INTO public.sighting VALUES ('{id}', 'a'), ('{id}', 'b')")).await;
    let refused = db.sterna(&["species", "undo"]).expect_code(6);
    assert!(refused.stderr.contains("2 rows of public.sighting"), "{refused:?}");
    db.psql("TRUNCATE public.sighting").await;
    // Rows of staging refer to it, although staging has no foreign key.
    let file = place.file("geese.csv", geese());
    place.load(&[&file, "--all"]).expect_code(0);
    assert_eq!(db.psql(STAGED).await, format!("{GOOSE}|2"));
    let refused = db.sterna(&["species", "undo"]).expect_code(6);
    assert!(refused.stderr.contains("2 rows of public.cites_trade_records_staging"), "{refused:?}");
    db.sterna(&["stage", "truncate"]).expect_code(0);
    db.sterna(&["summary"]).expect_code(0);
    let refused = db.sterna(&["species", "undo"]).expect_code(6);
    assert!(refused.stderr.contains("1 rows of public.species_trade_summary"), "{refused:?}");
    db.sterna(&["summary", "--undo"]).expect_code(0);
    db.sterna(&["species", "undo"]).expect_code(0);
    assert_eq!(db.psql("SELECT count(*) FROM public.species").await, "43");
}

#[tokio::test]
async fn a_synonym_is_used_by_loads_and_changes_what_a_load_is() {
    let place = Installation::new().await;
    let file = place.file("geese.csv", geese());
    add_synonym(&place, "Branta nowhere").expect_code(2);
    let added = add_synonym(&place, "branta canadensis LEUCOPAREIA").expect_code(0);
    assert_eq!(json_of(&added)["scientific_name"], RELATIVE);
    assert_eq!(json_of(&add_synonym(&place, RELATIVE).expect_code(0))["outcome"], "exists");
    add_synonym(&place, "Branta ruficollis").expect_code(2);
    let exists = add_goose(&place).expect_code(0);
    assert_eq!(json_of(&exists)["scientific_name"], RELATIVE);
    let report = place.report(0, &[&file, "--all"]);
    assert_eq!((&report["rows_loaded"], &report["rows_unmapped"]), (&json!(2), &json!(1)));
    assert_eq!(place.db.psql(STAGED).await, format!("{RELATIVE}|2"));
    place.db.sterna(&["species", "undo"]).expect_code(0);
    let resumed = place.load(&[&file, "--all", "--resume"]).expect_code(6);
    assert!(resumed.stderr.contains("synonyms, have changed"), "{resumed:?}");
    place.db.sterna(&["stage", "truncate"]).expect_code(0);
    assert_eq!(place.report(0, &[&file, "--all"])["rows_loaded"], 0);
}

#[tokio::test]
async fn a_species_stays_while_it_has_a_synonym() {
    let place = Installation::new().await;
    let added = json_of(&add_goose(&place).expect_code(0));
    let synonym = ["species", "add", "--synonym", "Branta minima", "--of", GOOSE];
    place.db.sterna(&synonym).expect_code(0);
    let run = added["run_id"].as_str().unwrap();
    let refused = place.db.sterna(&["species", "undo", "--run", run]).expect_code(6);
    assert!(refused.stderr.contains("1 synonyms"), "{refused:?}");
    place.db.sterna(&["species", "undo"]).expect_code(0);
    place.db.sterna(&["species", "undo", "--run", run]).expect_code(0);
}

#[tokio::test]
async fn what_a_column_needs_is_named_by_its_option() {
    let place = Installation::new().await;
    place.db.psql("ALTER TABLE public.species ADD zone smallint").await;
    place.db.psql("UPDATE public.species SET zone = 1").await;
    place.db.psql("ALTER TABLE public.species ALTER zone SET NOT NULL").await;
    let bare = ["species", "add", "--scientific-name", GOOSE];
    let refused = place.db.sterna(&bare).expect_code(2);
    assert!(refused.stderr.contains("--common-name, --kingdom, --phylum, --class"), "{refused:?}");
    assert!(refused.stderr.contains("--set zone=VALUE"), "{refused:?}");
    let set = [&bare[..], &["--common-name", "x", "--like", RELATIVE, "--set", "zone=3"]].concat();
    place.db.sterna(&set).expect_code(0);
    let zone = "SELECT zone FROM public.species WHERE common_name = 'x'";
    assert_eq!(place.db.psql(zone).await, "3");
}
