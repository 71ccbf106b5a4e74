//! The model of the production database, as far as sterna's guarantees depend on it, and the
//! harness that provides it.

use std::collections::HashSet;

use sterna::pg::connect;
use sterna::pg::embedded::ModelSchema;

use crate::server::TestDb;

const SPECIES: &str = "INSERT INTO species
    (scientific_name, common_name, kingdom, phylum, class, order_name, family, genus, species_name)
    VALUES ('Ursus maritimus', 'Polar bear', 'Animalia', 'Chordata', 'Mammalia', 'Carnivora',
        'Ursidae', 'Ursus', 'maritimus')";

const TRADE: &str = "INSERT INTO cites_trade_records (species_id, year, appendix, taxon, term)
    SELECT id, 2020, 'II', scientific_name, 'skins' FROM species";

const SUMMARY: &str = "INSERT INTO species_trade_summary (species_id) SELECT id FROM species";

#[tokio::test]
async fn every_test_has_a_database_of_its_own() {
    let [one, other] = [TestDb::new().await, TestDb::new().await];
    let client = connect(one.info()).await.unwrap();
    assert_eq!(client.execute(SPECIES, &[]).await.unwrap(), 1);
    assert_eq!(one.psql("SELECT count(*) FROM species").await, "1");
    assert_eq!(other.psql("SELECT count(*) FROM species").await, "0");

    let gone = one.name().to_owned();
    drop(one);
    let names = other.psql("SELECT datname FROM pg_database").await;
    let names: HashSet<&str> = names.lines().collect();
    assert!(names.contains(other.name()) && !names.contains(gone.as_str()), "{names:?}");
    assert_eq!(TestDb::empty().await.psql("SELECT to_regclass('species') IS NULL").await, "t");
}

#[tokio::test]
async fn trade_falls_with_its_species_and_is_counted_by_year() {
    for schema in [ModelSchema::Production, ModelSchema::ReportedQuantities] {
        let db = TestDb::with_schema(schema).await;
        db.psql(SPECIES).await;
        db.psql(TRADE).await;
        assert_eq!(db.psql("SELECT * FROM trade_records_by_year()").await, "2020|1");
        let by_species = "SELECT y.* FROM species AS s, species_trade_by_year(s.id) AS y";
        assert_eq!(db.psql(by_species).await, "2020|1");
        let overview =
            "SELECT scientific_name, trade_records, last_year FROM species_trade_overview";
        assert_eq!(db.psql(overview).await, "Ursus maritimus|1|2020");
        db.psql("DELETE FROM species").await;
        assert_eq!(db.psql("SELECT count(*) FROM cites_trade_records").await, "0");
    }
}

#[tokio::test]
async fn the_two_forms_differ_where_installations_do() {
    let production = TestDb::new().await;
    let reported = TestDb::with_schema(ModelSchema::ReportedQuantities).await;
    let quantities = "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', '
            ORDER BY attnum)
        FROM pg_attribute
        WHERE attrelid = 'cites_trade_records'::regclass AND attname LIKE '%quantity'";
    assert_eq!(production.psql(quantities).await, "quantity numeric(10,2)");
    assert_eq!(
        reported.psql(quantities).await,
        "importer_reported_quantity numeric, exporter_reported_quantity numeric"
    );

    for db in [&production, &reported] {
        db.psql(SPECIES).await;
        db.psql(TRADE).await;
    }
    for change in ["year = 1900", "appendix = 'IV'"] {
        let sql = format!("UPDATE cites_trade_records SET {change}");
        production.psql(&sql).await;
        let refused = reported.try_psql(&sql).await.unwrap_err();
        assert_eq!(refused.sqlstate(), Some("23514"), "{refused}");
    }
}

#[tokio::test]
async fn anyone_reads_the_summary_and_only_the_service_writes_it() {
    let db = TestDb::new().await;
    db.psql(SPECIES).await;
    for role in ["anon", "authenticated"] {
        let refused = db.try_psql(&format!("SET ROLE {role}; {SUMMARY}")).await.unwrap_err();
        assert_eq!(refused.sqlstate(), Some("42501"), "{role}: {refused}");
    }
    db.psql(&format!("SET ROLE service_role; {SUMMARY}")).await;
    let visible = "SET ROLE anon; SELECT count(*) FROM species_trade_summary";
    assert_eq!(db.psql(visible).await, "1");
    let changed = "SET ROLE anon; UPDATE species_trade_summary SET total_trade_records = 1;
        RESET ROLE; SELECT count(*) FROM species_trade_summary WHERE total_trade_records = 1";
    assert_eq!(db.psql(changed).await, "0");
}

#[tokio::test]
async fn a_new_table_is_open_to_the_api_unless_something_is_done_about_it() {
    let db = TestDb::new().await;
    let open = "CREATE TABLE staging (n integer);
        SELECT bool_and(has_table_privilege(role, 'staging', 'TRUNCATE'))
        FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS role";
    assert_eq!(db.psql(open).await, "t");
    let published = "SELECT count(*) FROM pg_publication_tables
        WHERE pubname = 'supabase_realtime' AND tablename = 'cites_trade_records'";
    assert_eq!(db.psql(published).await, "1");
}
