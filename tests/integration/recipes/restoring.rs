//! `docs/restoring.md`.

use super::Recipe;

/// The rows of the table, whatever their order.
const ROWS: &str = "SELECT count(*), md5(string_agg(t::text, ' ' ORDER BY id))
    FROM public.cites_trade_records AS t";

#[tokio::test]
async fn a_backup_is_restored_as_its_page_says() {
    let mut page = Recipe::with_production("restoring.md").await;
    let before = page.db.psql(ROWS).await;
    // As in a run, writes are recorded when the backup is made.
    page.run("sterna stage create").expect_code(0);
    page.follow();
    page.run("sterna stage drop").expect_code(0);
    let verified = page.follow();
    assert!(verified.stdout.contains("backup.dump: OK"), "{verified:?}");
    let restored = page.follow();
    let count = before.split('|').next().unwrap();
    assert!(restored.stdout.contains(count), "{restored:?}");
    page.follow();
    let copied = page.run(&format!("psql -At -d restored_copy -c \"{ROWS}\"")).expect_code(0);
    assert_eq!(copied.stdout.trim(), before);

    page.db
        .psql(
            "DELETE FROM cites_trade_records WHERE year < 2005;
             UPDATE cites_trade_records SET quantity = 7, term = 'skins' WHERE year > 2015",
        )
        .await;
    assert_ne!(page.db.psql(ROWS).await, before);
    page.follow();
    assert_eq!(page.db.psql(ROWS).await, before);

    page.db.psql("DROP TABLE cites_trade_records CASCADE").await;
    page.follow();
    assert_eq!(page.db.psql(ROWS).await, before);
    let attached = "SELECT (SELECT count(*) FROM pg_index WHERE indrelid = c.oid),
            (SELECT count(*) FROM pg_constraint WHERE conrelid = c.oid AND contype <> 'n'),
            cardinality(c.relacl)
        FROM pg_class AS c WHERE c.oid = 'public.cites_trade_records'::regclass";
    assert_eq!(page.db.psql(attached).await, "3|2|4");

    page.follow();
    let again = page.run(&format!("psql -At -d again -c \"{ROWS}\"")).expect_code(0);
    assert_eq!(again.stdout.trim(), before);
    assert!(page.commands.is_empty());
    page.run("dropdb restored; dropdb restored_copy; dropdb again").expect_code(0);
}
