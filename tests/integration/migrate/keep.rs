//! What happens to writes since the switchover when it is rolled back.

use serde_json::Value;

use super::Scenario;

impl Scenario {
    /// What a rollback of the switchover would encounter.
    fn foreseen(&self, code: i32, more: &[&str]) -> Value {
        let args = [&["rollback", "switchover", "--dry-run", "--format", "json"], more].concat();
        let shown = self.sterna(&args).expect_code(code);
        serde_json::from_str(&shown.stdout).unwrap()
    }

    fn roll_back_keeping(&self, more: &[&str]) -> Value {
        let args = [&["rollback", "switchover", "--format", "json"], more].concat();
        let done = self.sterna(&args).expect_code(0);
        serde_json::from_str(&done.stdout).unwrap()
    }
}

/// The kinds of the obstacles, without locks: autovacuum may hold one at any time.
fn kinds(foreseen: &Value) -> Vec<&str> {
    let obstacles = foreseen["obstacles"].as_array().unwrap();
    let kinds = obstacles.iter().map(|obstacle| obstacle["kind"].as_str().unwrap());
    kinds.filter(|kind| *kind != "lock").collect()
}

const LIVE: &str = "public.cites_trade_records";
const LEFT: &str = "public.cites_trade_records_left";

/// One row inserted, two updated of which the old table has one, one deleted that it has.
const WRITES: &str = "
    INSERT INTO public.cites_trade_records (species_id, record_id, year, appendix, taxon, term)
    SELECT species_id, 'mine', 2020, 'II', taxon, 'live' FROM public.cites_trade_records LIMIT 1;
    UPDATE public.cites_trade_records SET unit = 'touched' WHERE id IN (
        SELECT id FROM public.cites_trade_records_old ORDER BY id LIMIT 1);
    UPDATE public.cites_trade_records SET unit = 'touched' WHERE id = (
        SELECT id FROM public.cites_trade_records AS l WHERE record_id <> 'mine'
        AND NOT EXISTS (SELECT FROM public.cites_trade_records_old AS o WHERE o.id = l.id)
        ORDER BY id LIMIT 1);
    DELETE FROM public.cites_trade_records WHERE id IN (
        SELECT id FROM public.cites_trade_records_old ORDER BY id DESC LIMIT 1)";

#[tokio::test]
async fn each_keep_does_what_it_says_and_the_rest_is_saved_beside() {
    for (keep, rows, written, left) in [
        ("all", "1501", "1|2", ""),
        ("inserted", "1501", "1|0", "delete 1, update 2"),
        ("none", "1500", "0|0", "delete 1, insert 1, update 2"),
    ] {
        let scenario = Scenario::new().await;
        let db = &scenario.here.db;
        scenario.migrate(&[]).expect_code(0);
        let before = db.psql(super::ROWS).await;
        db.psql(WRITES).await;
        let after = db.psql(super::ROWS).await;
        let foreseen = scenario.foreseen(0, &["--keep", keep]);
        let counted = serde_json::json!({
            "inserted": 1, "updated": 2, "deleted": 1, "only_in_new": 1, "referred": 0
        });
        assert_eq!(foreseen["written"], counted, "{foreseen:#}");
        assert_eq!(kinds(&foreseen), Vec::<&str>::new());
        assert_eq!(db.psql(super::ROWS).await, after, "a dry run changes nothing");
        assert_ne!(before, after);
        let left_here = format!("SELECT to_regclass('{LEFT}') IS NOT NULL");
        assert_eq!(db.psql(&left_here).await, "f");

        let done = scenario.roll_back_keeping(&["--keep", keep]);
        assert_eq!(db.psql(&format!("SELECT count(*) FROM {LIVE}")).await, rows, "{keep}");
        let touched = format!(
            "SELECT count(*) FILTER (WHERE record_id = 'mine'), count(*) FILTER (WHERE unit = 'touched')
             FROM {LIVE}"
        );
        assert_eq!(db.psql(&touched).await, written, "{keep}");
        assert_eq!(done["kept_rows"], foreseen["kept_rows"], "{keep}");
        assert_eq!(done["left_rows"], foreseen["left_rows"], "{keep}");
        if left.is_empty() {
            assert_eq!((&done["left_rows"], &done["left_in"]), (&0.into(), &Value::Null));
            assert_eq!(db.psql(&left_here).await, "f");
            continue;
        }
        assert_eq!(done["left_in"], "\"public\".\"cites_trade_records_left\"");
        let saved = format!(
            "SELECT string_agg(o || ' ' || n, ', ' ORDER BY o) FROM (
                SELECT sterna_operation AS o, count(*) AS n FROM {LEFT} GROUP BY 1) AS saved"
        );
        assert_eq!(db.psql(&saved).await, left, "{keep}");
        let whole = format!(
            "SELECT count(*) FROM {LEFT} WHERE species_id IS NOT NULL AND coalesce(unit = 'touched', false)
                = (sterna_operation = 'update')"
        );
        assert_eq!(db.psql(&whole).await, done["left_rows"].to_string(), "{keep}");
        let owner = format!(
            "SELECT a.relowner = b.relowner, a.relacl::text FROM pg_class AS a, pg_class AS b
             WHERE a.oid = '{LEFT}'::regclass AND b.oid = '{LIVE}'::regclass"
        );
        let owner = db.psql(&owner).await;
        assert!(owner.starts_with("t|") && !owner.contains("anon"), "{owner}");
        assert_eq!(scenario.differences().await, [], "{keep}");
    }
}

#[tokio::test]
async fn an_update_of_every_row_is_reported_before_anything_happens() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.migrate(&[]).expect_code(0);
    db.psql("UPDATE public.cites_trade_records SET unit = 'backfilled'").await;
    let foreseen = scenario.foreseen(0, &[]);
    assert_eq!(foreseen["written"]["only_in_new"], 500, "{foreseen:#}");
    assert_eq!((&foreseen["kept_rows"], &foreseen["left_rows"]), (&2000.into(), &0.into()));
    let done = scenario.sterna(&["rollback", "switchover", "--keep", "none"]).expect_code(0);
    assert!(done.stdout.contains("saved 2,000 rows written since in"), "{done:?}");
    assert_eq!(db.psql(super::ROWS).await.split('|').next(), scenario.rows.split('|').next());
    // And if everything is carried back, this is announced first.
    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
    scenario.migrate(&[]).expect_code(0);
    db.psql("UPDATE public.cites_trade_records SET unit = 'backfilled'").await;
    let done = scenario.sterna(&["rollback", "switchover"]).expect_code(0);
    assert!(done.stderr.contains("500 rows of the new release were written to"), "{done:?}");
    assert_eq!(db.psql("SELECT count(*) FROM public.cites_trade_records").await, "2000");
}

#[tokio::test]
async fn rows_that_others_refer_to_go_along_by_themselves() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    db.psql(
        "CREATE TABLE public.remarks (record uuid NOT NULL REFERENCES public.cites_trade_records)",
    )
    .await;
    scenario.migrate(&[]).expect_code(0);
    db.psql(
        "INSERT INTO public.remarks SELECT id FROM public.cites_trade_records AS l
         WHERE NOT EXISTS (SELECT FROM public.cites_trade_records_old AS o WHERE o.id = l.id)
         ORDER BY id LIMIT 3",
    )
    .await;
    let foreseen = scenario.foreseen(0, &["--keep", "none"]);
    assert_eq!(foreseen["written"]["referred"], 3, "{foreseen:#}");
    let done = scenario.roll_back_keeping(&["--keep", "none"]);
    assert_eq!((&done["kept_rows"], &done["left_rows"]), (&3.into(), &0.into()), "{done:#}");
    let whole = "SELECT count(*), (SELECT count(*) FROM public.remarks AS r
        INNER JOIN public.cites_trade_records AS t ON t.id = r.record) FROM public.cites_trade_records";
    assert_eq!(db.psql(whole).await, "1503|3");
}

#[tokio::test]
async fn every_obstacle_is_listed_at_once_and_additions_can_be_left_behind() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.migrate(&[]).expect_code(0);
    db.psql(
        "CREATE INDEX recent ON public.cites_trade_records (year);
         ALTER TABLE public.cites_trade_records ADD COLUMN mark text,
            ADD CONSTRAINT not_old CHECK (year > 1900);
         CREATE TABLE public.cites_trade_records_staging (id integer)",
    )
    .await;
    let foreseen = scenario.foreseen(6, &[]);
    assert_eq!(kinds(&foreseen), ["name", "column", "constraint", "index"], "{foreseen:#}");
    for obstacle in foreseen["obstacles"].as_array().unwrap() {
        assert!(!obstacle["detail"].as_str().unwrap().is_empty() && obstacle["object"].is_string());
    }
    let refused = scenario.sterna(&["rollback", "switchover"]).expect_code(6);
    for words in ["not_old", "recent", "mark", "_staging", "--dry-run", "--leave-additions"] {
        assert!(refused.stderr.contains(words), "{words}: {refused:?}");
    }
    db.psql("DROP TABLE public.cites_trade_records_staging").await;
    db.psql("UPDATE public.cites_trade_records SET mark = 'x' WHERE year = 2020").await;
    assert_eq!(kinds(&scenario.foreseen(0, &["--leave-additions"])), Vec::<&str>::new());
    scenario.roll_back_keeping(&["--leave-additions", "--keep", "none"]);
    assert_eq!(scenario.differences().await, []);
    assert_eq!(db.psql(super::ROWS).await.split('|').next(), scenario.rows.split('|').next());
    // They are still where they were put.
    let left = "SELECT count(*) FROM pg_indexes WHERE indexname = 'recent'
        AND tablename = 'cites_trade_records_staging'";
    assert_eq!(db.psql(left).await, "1");
}

#[tokio::test]
async fn a_truncated_a_rewritten_and_an_unrecorded_table_are_noticed() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.migrate(&[]).expect_code(0);
    assert_eq!(kinds(&scenario.foreseen(0, &[])), Vec::<&str>::new());
    db.psql(
        "ALTER TABLE public.cites_trade_records
         ALTER COLUMN taxon TYPE text USING taxon || '!'",
    )
    .await;
    let foreseen = scenario.foreseen(6, &[]);
    assert_eq!(kinds(&foreseen), ["rewritten"], "{foreseen:#}");
    let refused = scenario.sterna(&["rollback", "switchover"]).expect_code(6);
    assert!(refused.stderr.contains("rewritten since the switchover"), "{refused:?}");
    // VACUUM FULL creates a new file, but the rows are unchanged.
    db.psql("UPDATE public.cites_trade_records SET taxon = rtrim(taxon, '!')").await;
    db.psql("VACUUM FULL public.cites_trade_records").await;
    assert_eq!(kinds(&scenario.foreseen(0, &[])), Vec::<&str>::new());
    db.psql("TRUNCATE public.cites_trade_records").await;
    assert_eq!(kinds(&scenario.foreseen(6, &[])), ["truncate"]);
    db.psql("ALTER TABLE public.cites_trade_records DISABLE TRIGGER \"!sterna_journal\"").await;
    assert_eq!(kinds(&scenario.foreseen(6, &[])), ["journal"]);
    db.psql("DROP TABLE public.cites_trade_records_old CASCADE").await;
    assert_eq!(kinds(&scenario.foreseen(6, &[])), ["old table"]);
}
