//! `docs/partitions.md`.

use std::fs;

use super::Recipe;
use crate::cites::{file_of, insert_species, shipment};
use crate::server::TestDb;

#[tokio::test]
async fn one_year_and_the_whole_table_are_replaced_and_put_back() {
    let recipe = Recipe::new("partitions.md", TestDb::new().await);
    let db = &recipe.db;
    let of_year = |id: usize, year: &str| shipment(&[("Id", &id.to_string()), ("Year", year)]);
    let release: Vec<String> = (1..=300)
        .map(|id| of_year(id, "2024"))
        .chain((301..=580).map(|id| of_year(id, "2023")))
        .collect();
    // Its content decides what it is.
    fs::write(recipe.folder.path().join("release.zip"), file_of(&release)).unwrap();
    db.psql(&insert_species()).await;
    db.psql(
        "CREATE TABLE trade (LIKE cites_trade_records INCLUDING DEFAULTS, PRIMARY KEY (id, year),
            FOREIGN KEY (species_id) REFERENCES species (id)) PARTITION BY RANGE (year);
        CREATE TABLE trade_2024 PARTITION OF trade FOR VALUES FROM (2024) TO (2025);
        CREATE TABLE trade_rest PARTITION OF trade DEFAULT;
        INSERT INTO trade (species_id, record_id, year, appendix, taxon, term, quantity)
            SELECT s.id, i::text, 2023 + i % 2, 'II', 'Ursus maritimus', 'skins', 1
            FROM species AS s, generate_series(1, 600) AS i
            WHERE s.scientific_name = 'Ursus maritimus' AND i NOT IN (2, 4)",
    )
    .await;
    let count = "SELECT count(*), count(*) FILTER (WHERE year = 2024) FROM trade";
    let mut before = db.psql(count).await;
    // The whole plan, and back.
    for (block, after) in [(0, "598|300"), (2, "580|300")] {
        let commands = recipe.commands[block].replace("migrate ", "migrate --skip 2.3 ");
        let (there, back) = commands.split_once("sterna rollback").unwrap();
        let done = recipe.run(there).expect_code(0);
        assert!(done.stdout.contains("finished"), "{done:?}");
        assert_eq!(db.psql(count).await, after);
        let (back, cleanup) = back.split_once('\n').unwrap();
        recipe.run(&format!("sterna rollback{back}")).expect_code(0);
        assert_eq!(db.psql(count).await, before);
        recipe.run(cleanup).expect_code(6);
        recipe
            .run(&format!("sterna rollback 1.1{}", back.replace(" switchover", "")))
            .expect_code(0);
    }
    for (commands, table, after) in [(1, "trade_2024", "598|300"), (3, "trade", "580|300")]
        .map(|(block, table, after)| (&recipe.commands[block], table, after))
    {
        let (there, back) = commands.split_once("sterna rollback").unwrap();
        recipe.run(there).expect_code(0);
        assert_eq!(db.psql(count).await, after);
        let (back, cleanup) = back.split_once('\n').unwrap();
        recipe.run(&format!("sterna rollback{back}")).expect_code(0);
        assert_eq!(db.psql(count).await, before);
        recipe.run(&format!("sterna switchover --table {table}")).expect_code(0);
        recipe.run(&cleanup.replace("--table", "--older-than 0s --table")).expect_code(0);
        before = db.psql(count).await;
        assert_eq!(before, after);
    }
    // The rows of 2024 are those of the first backup again.
    db.psql("DROP TABLE trade_2024").await;
    let looked = recipe.run(&recipe.commands[4]).expect_code(0);
    assert!(looked.stdout.contains("300 | 2024 | 2024"), "{looked:?}");
    assert_eq!(db.psql(count).await, "280|0");
    recipe.run(&recipe.commands[5]).expect_code(0);
    assert_eq!(db.psql(count).await, "580|300");
}
