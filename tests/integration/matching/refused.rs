//! What is refused because a key or a value would be lost or guessed, and that nothing is changed
//! then.

use serde_json::Value;

use super::Things;

const SCHEMA: &str = "CREATE TABLE things (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text, label text, notes text);
    INSERT INTO things (code, label, notes) VALUES
        ('a', 'A', 'of a'), ('b', 'B', 'of b'), ('b', 'B', 'of the other b');
    CREATE TABLE kids (thing bigint REFERENCES things); INSERT INTO kids VALUES (3)";
const MAPPING: &str =
    "record_id = \"Code\"\n[format.columns]\n\"Code\" = \"code\"\n\"Label\" = \"label\"\n";
const ROWS: &str = "SELECT string_agg(t::text, ' ' ORDER BY id) FROM things t";

#[tokio::test]
async fn nothing_is_written_where_keys_or_values_would_be_lost() {
    let here = Things::new(SCHEMA, "[format.columns]\n\"Label\" = \"label\"\n").await;
    here.write("in.csv", "Label\nA\n");
    let before = here.db.psql(ROWS).await;
    for more in [&[][..], &["--unfilled", "default"]] {
        for refused in [here.load("in.csv", more), here.migrate("in.csv", more)] {
            let refused = refused.expect_code(6);
            let said = &refused.stderr;
            assert!(said.contains("the key id, to which public.kids refers"), "{said}");
            assert!(said.contains("\"FIELD\" = \"id\"") && said.contains("--match"), "{said}");
            assert_eq!(said.contains("notes"), more.is_empty(), "{said}");
        }
        assert_eq!(here.db.psql("SELECT to_regclass('things_staging')").await, "");
    }
    assert_eq!(here.db.psql(ROWS).await, before);
    // If no table refers to the keys, it can be requested.
    here.db.psql("DROP TABLE kids").await;
    let refused = here.load("in.csv", &[]).expect_code(6);
    assert!(refused.stderr.contains("--unfilled default"), "{refused:?}");
    here.load("in.csv", &["--unfilled", "default"]).expect_code(0);
}

#[tokio::test]
async fn a_key_of_several_rows_of_production_identifies_none() {
    let here = Things::new(SCHEMA, MAPPING).await;
    // Nothing is guessed about a record that the files do not contain.
    here.write("in.csv", "Code,Label\na,A2\nc,C2\n");
    let report = here.load("in.csv", &[]).expect_code(0);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!((&report["rows_matched"], &report["rows_new"]), (&1.into(), &1.into()));
    here.sterna(&["stage", "drop"]).expect_code(0);
    here.write("in.csv", "Code,Label\na,A2\nb,B2\n");
    let refused = here.load("in.csv", &[]).expect_code(6);
    let said = &refused.stderr;
    assert!(said.contains("1 records match several rows of") && said.contains("code b"), "{said}");
    // The load is not complete, and nothing else continues with its rows.
    here.sterna(&["switchover"]).expect_code(6);
    here.load("in.csv", &["--resume"]).expect_code(6);
    here.db.psql("UPDATE things SET code = 'b2' WHERE notes = 'of the other b'").await;
    here.load("in.csv", &["--resume"]).expect_code(0);
    let ids = "SELECT string_agg(concat(code, id, notes), ' ' ORDER BY code) FROM things_staging";
    assert_eq!(here.db.psql(ids).await, "a1of a b2of b");
}

#[tokio::test]
async fn a_row_of_production_that_several_records_name_is_nobodys() {
    let here = Things::new(SCHEMA, MAPPING).await;
    here.write("in.csv", "Code,Label\na,A2\nc,C2\na,A3\nc,C3\n");
    let refused = here.load("in.csv", &[]).expect_code(6);
    let said = &refused.stderr;
    assert!(said.contains("1 rows of") && said.contains("code a"), "{said}");
    let states = "SELECT string_agg(state, ' ') FROM sterna.load_run WHERE state <> 'discarded'";
    assert_eq!(here.db.psql(states).await, "built");
    // Two new records with one key take nothing from existing rows.
    here.sterna(&["stage", "truncate"]).expect_code(0);
    here.write("in.csv", "Code,Label\na,A2\nc,C2\nc,C3\n");
    here.load("in.csv", &[]).expect_code(0);
    // Another key may distinguish them.
    here.sterna(&["stage", "truncate"]).expect_code(0);
    here.write("in.csv", "Code,Label\na,A2\na,A\nc,C2\n");
    here.load("in.csv", &["--match", "code,label"]).expect_code(0);
    let ids = "SELECT string_agg(concat(label, id), ' ' ORDER BY label) FROM things_staging
        WHERE notes IS NOT NULL";
    assert_eq!(here.db.psql(ids).await, "A1");
}

#[tokio::test]
async fn a_new_record_without_a_value_that_has_to_be_there_is_no_guess() {
    let schema = format!(
        "{SCHEMA}; ALTER TABLE things ADD owner text; UPDATE things SET
        owner = 'o' || id; ALTER TABLE things ALTER owner SET NOT NULL; DELETE FROM things
        WHERE id = 2"
    );
    let here = Things::new(&schema, MAPPING).await;
    here.write("in.csv", "Code,Label\na,A2\nc,C2\nd,D2\n");
    let refused = here.load("in.csv", &[]).expect_code(6);
    let said = &refused.stderr;
    assert!(said.contains("2 records match no row") && said.contains("code c"), "{said}");
    assert!(said.contains("\"owner\""), "{said}");
    here.sterna(&["stage", "truncate"]).expect_code(0);
    here.write("in.csv", "Code,Label\nb,B2\na,A2\n");
    here.load("in.csv", &[]).expect_code(0);
    let rows = "SELECT string_agg(t::text, ' ' ORDER BY id) FROM things_staging t";
    assert_eq!(here.db.psql(rows).await, "(1,a,A2,\"of a\",o1) (3,b,B2,\"of the other b\",o3)");
}

#[tokio::test]
async fn a_doubled_record_id_that_children_refer_to_is_refused() {
    let schema = "CREATE TABLE things (id uuid PRIMARY KEY, code text, label text);
        INSERT INTO things SELECT gen_random_uuid(), c, 'x' FROM unnest('{a,b,b}'::text[]) AS c;
        CREATE TABLE kids (thing uuid REFERENCES things)";
    let mapping = format!("row_id = \"id\"\n{MAPPING}");
    let here = Things::new(schema, &mapping).await;
    here.write("in.csv", "Code,Label\na,A2\nb,B2\n");
    let refused = here.load("in.csv", &[]).expect_code(6);
    assert!(refused.stderr.contains("1 record ids name several rows"), "{refused:?}");
    here.db.psql("DROP TABLE kids").await;
    here.load("in.csv", &["--resume"]).expect_code(0);
}

#[tokio::test]
async fn rejects_are_appended_to_rows_that_were_matched() {
    let schema = "CREATE TABLE things (
            id serial PRIMARY KEY, code text NOT NULL UNIQUE, amount integer, notes text);
        INSERT INTO things (code, notes) VALUES ('a', 'of a'), ('b', 'of b'), ('c', 'of c')";
    let mapping = "record_id = \"Code\"\n[format.columns]\n\"Code\" = \"code\"\n\
                   \"Amount\" = \"amount\"\n";
    let here = Things::new(schema, mapping).await;
    here.write("in.csv", "Code,Amount\nb,1\na,two\nd,4\nc,3\ne,five\n");
    let more = ["--max-rejects", "2", "--rejects", "rejects.csv"];
    here.load("in.csv", &more).expect_code(0);
    let rows = "SELECT string_agg(concat_ws('/', code, id, amount, notes), ' ' ORDER BY id)
        FROM things_staging";
    assert_eq!(here.db.psql(rows).await, "b/2/1/of b c/3/3/of c d/4/4");
    let rejects = std::fs::read_to_string(here.path().join("rejects.csv")).unwrap();
    here.write("fixed.csv", &rejects.replace("two", "2").replace("five", "5"));
    here.load("fixed.csv", &["--append"]).expect_code(0);
    assert_eq!(here.db.psql(rows).await, "a/1/2/of a b/2/1/of b c/3/3/of c d/4/4 e/5/5");
    here.sterna(&["validate", "--all"]).expect_code(0);
    here.sterna(&["switchover"]).expect_code(0);
}
