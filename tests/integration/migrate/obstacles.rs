//! What `rollback --dry-run` finds in the way of a rollback, each obstacle planted alone, and
//! that a dry run changes nothing.

use serde_json::Value;

use crate::matching::Things;

const SCHEMA: &str = "CREATE TABLE kinds (name text PRIMARY KEY);
    INSERT INTO kinds VALUES ('x'), ('y'), ('z');
    CREATE TABLE things (
        id serial PRIMARY KEY, code text NOT NULL UNIQUE, label text, weight numeric(8,2),
        kind text NOT NULL DEFAULT 'x' REFERENCES kinds);
    INSERT INTO things (code, label, weight, kind) VALUES
        ('a', 'A', 1, 'x'), ('b', 'B', 2, 'y'), ('c', 'C', 3, 'z')";
const MAPPING: &str = "record_id = \"Code\"\n[format.columns]\n\"Code\" = \"code\"\n\
                       \"Label\" = \"label\"\n\"Weight\" = \"weight\"\n";

/// The obstacles to a rollback of the switchover, which would end with this exit code.
fn obstacles(here: &Things, code: i32) -> Vec<[String; 3]> {
    let args = ["rollback", "4.2", "--dry-run", "--format", "json"];
    let shown: Value = serde_json::from_str(&here.sterna(&args).expect_code(code).stdout).unwrap();
    let obstacles = shown["obstacles"].as_array().unwrap().iter();
    let text = |obstacle: &Value, part: &str| obstacle[part].as_str().unwrap().to_owned();
    obstacles.map(|o| ["kind", "object", "detail"].map(|part| text(o, part))).collect()
}

/// Production with a new release that lacks the only row of kind z, and whose weights have any
/// precision.
async fn migrated() -> Things {
    let here = Things::new(SCHEMA, MAPPING).await;
    here.write("release.csv", "Code,Label,Weight\na,A2,1\nb,B2,2\nn,N2,4.125\n");
    here.migrate("release.csv", &["--on-inexact", "widen"]).expect_code(0);
    assert_eq!(obstacles(&here, 0), [[""; 3]; 0]);
    here
}

#[tokio::test]
async fn a_row_that_old_ones_refer_to_is_gone() {
    let here = migrated().await;
    here.db.psql("DELETE FROM kinds WHERE name = 'z'").await;
    let found = obstacles(&here, 6);
    let [[kind, object, detail]] = &found[..] else { panic!("{found:#?}") };
    assert_eq!((&**kind, &**object), ("foreign key", "\"public\".\"things\""), "{found:#?}");
    assert!(detail.contains("things_kind_fkey") && detail.contains("such as z"), "{detail}");
    here.sterna(&["rollback", "4.2", "--max-wait", "1s"]).expect_code(6);
    assert_eq!(here.db.psql("SELECT count(*) FROM things WHERE code = 'n'").await, "1");
    here.db.psql("INSERT INTO kinds VALUES ('z')").await;
    here.sterna(&["rollback", "4.2"]).expect_code(0);
}

#[tokio::test]
async fn a_value_does_not_fit_the_old_column() {
    let here = migrated().await;
    here.db.psql("UPDATE things SET weight = 1.234 WHERE code = 'a'").await;
    let found = obstacles(&here, 6);
    let [[kind, object, detail]] = &found[..] else { panic!("{found:#?}") };
    assert_eq!((&**kind, &**object), ("write", "\"public\".\"things\""), "{found:#?}");
    assert!(detail.contains("weight") && detail.contains("1.234"), "{detail}");
    // Nothing of what came after the switchover is undone either.
    let steps = "SELECT string_agg(step || state, ' ' ORDER BY step, attempt) FROM sterna.step";
    let before = here.db.psql(steps).await;
    here.sterna(&["rollback", "4.2"]).expect_code(6);
    assert_eq!(here.db.psql(steps).await, before);
    here.db.psql("UPDATE things SET weight = 1.23 WHERE code = 'a'").await;
    assert_eq!(obstacles(&here, 0), [[""; 3]; 0]);
    here.sterna(&["rollback", "4.2"]).expect_code(0);
    assert_eq!(here.db.psql("SELECT weight FROM things WHERE code = 'a'").await, "1.23");
}

#[tokio::test]
async fn something_depends_on_the_new_table_that_cannot_be_pointed_at_the_old_one() {
    let here = migrated().await;
    here.db.psql("CREATE TABLE holder (held things)").await;
    let found = obstacles(&here, 6);
    let [[kind, object, detail]] = &found[..] else { panic!("{found:#?}") };
    assert_eq!((&**kind, &**object), ("dependent", "\"public\".\"things\""), "{found:#?}");
    assert!(detail.contains("holder"), "{detail}");
    here.sterna(&["rollback", "4.2"]).expect_code(6);
    here.db.psql("DROP TABLE holder").await;
    here.sterna(&["rollback", "4.2"]).expect_code(0);
}

#[tokio::test]
async fn sessions_that_will_be_waited_for_are_named_and_refuse_nothing() {
    let here = migrated().await;
    let old = here.db.connect().await;
    old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM kinds").await.unwrap();
    let holder = here.db.connect().await;
    holder.batch_execute("BEGIN; UPDATE things SET label = 'held' WHERE code = 'b'").await.unwrap();
    // An attempt carries writes over that the old snapshot does not see.
    here.db.psql("UPDATE things SET label = 'written' WHERE code = 'a'").await;
    here.sterna(&["rollback", "4.2", "--max-wait", "1s"]).expect_code(7);
    let pid = async |session: &sterna::pg::Connection| {
        let row = session.query_one("SELECT pg_backend_pid()", &[]).await.unwrap();
        format!("pid {} ", row.get::<_, i32>(0))
    };
    let found = obstacles(&here, 0);
    let [[snapshot, who, _], [lock, by, detail]] = &found[..] else { panic!("{found:#?}") };
    assert_eq!((&**snapshot, &**lock), ("session", "lock"), "{found:#?}");
    assert!(who.starts_with(&pid(&old).await), "{who}");
    assert!(by.starts_with(&pid(&holder).await) && detail.contains("--max-wait"), "{by} {detail}");
    for session in [old, holder] {
        session.batch_execute("COMMIT").await.unwrap();
    }
    assert_eq!(obstacles(&here, 0), [[""; 3]; 0]);
    here.sterna(&["rollback", "4.2"]).expect_code(0);
    let labels = "SELECT string_agg(label, ' ' ORDER BY code) FROM things";
    assert_eq!(here.db.psql(labels).await, "written held C");
}
