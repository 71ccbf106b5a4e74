//! The rollback of every step.

use super::{Scenario, state};

/// Each step with a lasting effect, after which a run can end.
const STEPS: [&str; 9] = ["1.1", "1.2", "1.3", "2.1", "3.1", "3.2", "4.1", "4.2", "5.1"];

#[tokio::test]
async fn from_behind_every_step_everything_is_as_before() {
    let scenario = Scenario::new().await;
    let species = [
        "--add-species",
        "Branta hutchinsii leucopareia=Aleutian cackling goose",
        "--like",
        "Branta canadensis leucopareia",
    ];
    let synonym = ["--add-synonym", "Ursus maritimus marinus=Ursus maritimus"];
    for to in STEPS {
        let more: Vec<&str> = ["--to", to].into_iter().chain(species).chain(synonym).collect();
        scenario.migrate(&more).expect_code(0);
        scenario.sterna(&["rollback", "1.1"]).expect_code(0);
        scenario.assert_as_before().await;
    }
}

#[tokio::test]
async fn one_step_at_a_time() {
    let scenario = Scenario::new().await;
    scenario.migrate(&[]).expect_code(0);
    // The summary first, then the switchover, and so on.
    for (undone, next) in [("5.1", "5.1"), ("4.2", "4.2"), ("4.1", "4.1"), ("3.2", "3.2")] {
        let back = scenario.sterna(&["rollback", "--format", "json"]).expect_code(0);
        let back: serde_json::Value = serde_json::from_str(&back.stdout).unwrap();
        let last = back["undone"].as_array().unwrap().last().unwrap();
        assert_eq!(last["step"], undone, "{back:#}");
        let status = scenario.status();
        assert_eq!((state(&status, undone), &status["next"]), ("undone", &next.into()));
    }
    // From there the run resumes as if nothing had happened.
    scenario.migrate(&["--resume"]).expect_code(0);
    scenario.assert_migrated().await;
}

#[tokio::test]
async fn what_was_written_since_is_kept() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.migrate(&["--to", "3.3"]).expect_code(0);
    let insert = |name: &str| {
        format!(
        "INSERT INTO public.cites_trade_records (species_id, record_id, year, appendix, taxon, term)
         SELECT species_id, '{name}', 2020, 'II', taxon, 'live' FROM public.cites_trade_records LIMIT 1"
    )
    };
    db.psql(&insert("during")).await;
    scenario.migrate(&["--resume"]).expect_code(0);
    db.psql(&insert("after")).await;
    let there = "SELECT string_agg(record_id, ' ' ORDER BY record_id)
        FROM public.cites_trade_records WHERE record_id IN ('during', 'after')";
    assert_eq!(db.psql(there).await, "after during");
    // What was added only to the new table is not silently lost either.
    db.psql("ALTER TABLE public.cites_trade_records ADD CONSTRAINT recent CHECK (year > 1900)")
        .await;
    let refused = scenario.sterna(&["rollback", "1.1"]).expect_code(6);
    assert!(refused.stderr.contains("recent") && refused.stderr.contains("the old one as well"));
    assert_eq!(db.psql(there).await, "after during");
    db.psql("ALTER TABLE public.cites_trade_records_old ADD CONSTRAINT recent CHECK (year > 1900)")
        .await;
    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
    assert_eq!(db.psql(there).await, "after during");
    assert_eq!(db.psql("SELECT count(*) FROM public.cites_trade_records").await, "1502");
}

/// The application has written during the run and to the new table, which is staging again after the
/// rollback. Nothing of that is lost when the run goes on.
#[tokio::test]
async fn a_run_goes_on_after_its_rollback_with_all_writes_or_not_at_all() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    let insert = |name: &str| {
        format!(
            "INSERT INTO public.cites_trade_records
                (species_id, record_id, year, appendix, taxon, term)
            SELECT species_id, '{name}', 2020, 'II', taxon, 'live'
            FROM public.cites_trade_records LIMIT 1"
        )
    };
    scenario.migrate(&["--to", "3.3"]).expect_code(0);
    db.psql(&insert("during")).await;
    scenario.migrate(&["--resume"]).expect_code(0);
    db.psql(&insert("after")).await;
    db.psql(
        "UPDATE public.cites_trade_records SET unit = 'mine' WHERE id = (
            SELECT min(id::text)::uuid FROM public.cites_trade_records);
        DELETE FROM public.cites_trade_records WHERE id = (
            SELECT max(id::text)::uuid FROM public.cites_trade_records
            WHERE record_id NOT IN ('during', 'after'))",
    )
    .await;
    let written = "SELECT count(*), count(*) FILTER (WHERE unit = 'mine'),
            string_agg(record_id, ' ' ORDER BY record_id)
                FILTER (WHERE record_id IN ('during', 'after'))
        FROM public.cites_trade_records";
    assert_eq!(db.psql(written).await, "2001|1|after during");
    scenario.sterna(&["rollback", "switchover"]).expect_code(0);
    let kept = db.psql(written).await;
    assert!(kept.ends_with("|1|after during"), "{kept}");
    let refused = scenario.migrate(&["--resume"]).expect_code(6);
    assert!(refused.stderr.contains("--accept-check rows-as-loaded"), "{refused:?}");
    // Not by loading again either.
    scenario.sterna(&["rollback", "3.2"]).expect_code(0);
    let refused = scenario.migrate(&["--resume"]).expect_code(6);
    assert!(refused.stderr.contains("would drop them"), "{refused:?}");
    assert_eq!(db.psql(written).await, kept);
    scenario.sterna(&["rollback", "1.1"]).expect_code(0);
    assert_eq!(db.psql(written).await, kept);
}

#[tokio::test]
async fn staging_that_was_live_is_exchanged_again_with_all_writes_in_it() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    let write = |year: &str| {
        format!("UPDATE public.cites_trade_records SET unit = 'mine' WHERE year > {year}")
    };
    let mine = "SELECT count(*) FROM public.cites_trade_records WHERE unit = 'mine'";
    scenario.migrate(&["--to", "3.3"]).expect_code(0);
    db.psql(&write("2010")).await;
    scenario.migrate(&["--resume"]).expect_code(0);
    scenario.sterna(&["rollback", "switchover"]).expect_code(0);
    // What was written during the run is enough.
    let refused = scenario.migrate(&["--resume"]).expect_code(6);
    assert!(refused.stderr.contains("which production has as well"), "{refused:?}");
    let checks = ["rows-accounted", "rows-as-loaded", "rows-lost", "equal-to-files"];
    let accepted: Vec<&str> = checks.iter().flat_map(|name| ["--accept-check", name]).collect();
    let go_on = [&["--resume"], &accepted[..]].concat();
    scenario.migrate(&go_on).expect_code(0);
    scenario.assert_migrated().await;
    db.psql(&write("2000")).await;
    let written = db.psql(mine).await;
    scenario.sterna(&["rollback", "switchover"]).expect_code(0);
    scenario.migrate(&go_on).expect_code(0);
    scenario.assert_migrated().await;
    assert_eq!(db.psql(mine).await, written);
}

/// A rollback that was killed before it had changed anything leaves the new table live: no copy is
/// made of it, and it is not switched over again.
#[tokio::test]
async fn a_rollback_that_was_killed_at_its_beginning_is_as_if_it_had_not_been() {
    let scenario = Scenario::new().await;
    let db = &scenario.here.db;
    scenario.migrate(&[]).expect_code(0);
    let copied = "SELECT count(*) FROM public.cites_trade_records_backup";
    let (copy, before) = (db.psql(copied).await, scenario.status());
    scenario.sterna(&["rollback", "5.1"]).expect_code(0);
    db.psql("UPDATE sterna.step SET state = 'undoing' WHERE step = '4.2'").await;
    scenario.migrate(&["--resume"]).expect_code(0);
    scenario.assert_migrated().await;
    assert_eq!(db.psql(copied).await, copy);
    let after = scenario.status();
    for step in ["1.1", "4.1", "4.2"] {
        let of = |status: &serde_json::Value| {
            let steps = status["steps"].as_array().unwrap();
            let found = steps.iter().find(|found| found["step"] == step).unwrap();
            (found["attempt"].clone(), found["state"].clone(), found["detail"].clone())
        };
        assert_eq!(of(&after), of(&before), "{step}");
    }
}
