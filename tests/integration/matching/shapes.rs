//! Keys and columns of every kind: three migrations with writes by the application between and
//! during them, and the rollback.

use super::Things;

/// A shape of table.
struct Shape {
    /// Creates `things` and `kids`, with rows.
    schema: &'static str,
    mapping: &'static str,
    /// Three releases; each has earlier and new records.
    releases: [&'static str; 3],
    options: &'static [&'static str],
    /// The natural key and everything that must stay of each row, in key order.
    kept: &'static str,
    /// The natural key of the row that each child refers to.
    kids: &'static str,
    /// What the application inserts, with `{n}` for a distinguishing number.
    insert: &'static str,
}

impl Shape {
    /// The current result of `kept` in production, as lines.
    async fn lines(&self, here: &Things) -> Vec<String> {
        here.db.psql(self.kept).await.lines().map(str::to_owned).collect()
    }

    async fn survives(&self) {
        let here = Things::new(self.schema, self.mapping).await;
        let kids = here.db.psql(self.kids).await;
        assert!(kids.lines().count() >= 2, "{kids}");
        let mut before = self.lines(&here).await;
        for (number, release) in self.releases.iter().enumerate() {
            here.write("release.csv", release);
            let rows =
                here.db.psql("SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM things t");
            let rows = rows.await;
            // The application continues after the rows are loaded and before the tables are
            // exchanged.
            let to = [self.options, &["--to", "3.3"]].concat();
            here.migrate("release.csv", &to).expect_code(0);
            let insert = self.insert.replace("{n}", &number.to_string());
            here.db.psql(&insert).await;
            let resume = [self.options, &["--resume"]].concat();
            here.migrate("release.csv", &resume).expect_code(0);
            let after = self.lines(&here).await;
            // Every earlier row that still has a record is the very same row.
            let key = |line: &str| line.split('|').next().unwrap().to_owned();
            let stayed = before.iter().filter(|b| after.iter().any(|a| key(a) == key(b)));
            assert!(stayed.clone().count() >= 3, "{before:#?} {after:#?}");
            for line in stayed {
                assert!(after.contains(line), "release {number}: {line} of {after:#?}");
            }
            assert_eq!(here.db.psql(self.kids).await, kids, "release {number}");
            if number == 2 {
                // Without the row inserted meanwhile, the rollback restores exactly the same
                // rows.
                here.db.psql("DELETE FROM things WHERE label = 'of the application 2'").await;
                here.sterna(&["rollback", "4.2", "--progress", "never"]).expect_code(0);
                let now = "SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM things t";
                assert_eq!(here.db.psql(now).await, rows);
                assert_eq!(here.db.psql(self.kids).await, kids);
                return;
            }
            // What the application inserts now collides with nothing.
            here.db.psql(&self.insert.replace("{n}", &format!("after {number}"))).await;
            before = self.lines(&here).await;
        }
    }
}

const BY_CODE: &str = "record_id = \"Code\"\n[format.columns]\n\"Code\" = \"code\"\n\
                       \"Label\" = \"label\"\n";
const FIRST: &str = "Code,Label\nc,C1\nb,B1\nn,N1\na,A1\n";
const SECOND: &str = "Code,Label\na,A2\nm,M2\nb,B2\nn,N2\nc,C2\n";
const THIRD: &str = "Code,Label\nm,M3\nc,C3\nl,L3\nn,N3\na,A3\nb,B3\n";
const KIDS: &str = "SELECT k.name, t.code FROM kids AS k JOIN things AS t ON t.id = k.thing
    ORDER BY k.name";
const INSERT: &str = "INSERT INTO things (code, label) VALUES ('x {n}', 'of the application {n}')";

#[tokio::test]
async fn identities_that_are_always_given() {
    Shape {
        schema: "CREATE TABLE things (
                id bigint GENERATED ALWAYS AS IDENTITY (START WITH 100) PRIMARY KEY,
                code text NOT NULL UNIQUE, label text NOT NULL, notes text,
                touched_at timestamptz NOT NULL DEFAULT now());
            INSERT INTO things (code, label, notes, touched_at) VALUES
                ('c', 'C', 'by hand', '2001-02-03'), ('b', 'B', NULL, '1999-01-01'),
                ('a', 'A', '', 'infinity');
            CREATE TABLE kids (name text PRIMARY KEY, thing bigint NOT NULL REFERENCES things);
            INSERT INTO kids VALUES ('k1', 100), ('k2', 102), ('k3', 102)",
        mapping: BY_CODE,
        releases: [FIRST, SECOND, THIRD],
        options: &[],
        kept: "SELECT code, id, notes, notes IS NULL, touched_at FROM things ORDER BY code",
        kids: KIDS,
        insert: INSERT,
    }
    .survives()
    .await;
}

#[tokio::test]
async fn identities_by_default_and_a_second_one() {
    Shape {
        schema: "CREATE TABLE things (
                code text NOT NULL UNIQUE, label text,
                id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
                entry bigint GENERATED ALWAYS AS IDENTITY (INCREMENT BY -5 MAXVALUE 0) UNIQUE);
            INSERT INTO things (code, label) VALUES ('a', 'A'), ('c', 'C'), ('b', 'B');
            CREATE TABLE kids (name text PRIMARY KEY, thing integer NOT NULL REFERENCES things);
            INSERT INTO kids VALUES ('k1', 3), ('k2', 1)",
        mapping: BY_CODE,
        releases: [FIRST, SECOND, THIRD],
        options: &["--match", "code"],
        kept: "SELECT code, id, entry FROM things ORDER BY code",
        kids: KIDS,
        insert: INSERT,
    }
    .survives()
    .await;
}

#[tokio::test]
async fn serial_keys() {
    Shape {
        schema: "CREATE TABLE things (
                id serial PRIMARY KEY, code text NOT NULL UNIQUE, label text,
                number smallserial UNIQUE);
            INSERT INTO things (code, label) VALUES ('b', 'B'), ('c', 'C'), ('a', 'A');
            CREATE TABLE kids (name text PRIMARY KEY, thing integer NOT NULL REFERENCES things);
            INSERT INTO kids VALUES ('k1', 3), ('k2', 1)",
        // No record id: the unique key that the files fill identifies rows.
        mapping: "[format.columns]\n\"Code\" = \"code\"\n\"Label\" = \"label\"\n",
        releases: [FIRST, SECOND, THIRD],
        options: &[],
        kept: "SELECT code, id, number FROM things ORDER BY code",
        kids: KIDS,
        insert: INSERT,
    }
    .survives()
    .await;
}

#[tokio::test]
async fn composite_natural_keys_with_gaps_in_them() {
    Shape {
        schema: "CREATE TABLE things (
                id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
                season integer NOT NULL, port text, unit text, weight numeric(8,2),
                label text, notes text DEFAULT 'none yet');
            INSERT INTO things (season, port, unit, weight, label, notes) VALUES
                (2020, 'NOTOS', 'kg', 1.5, 'A', 'first'), (2020, 'NOTOS', NULL, 2, 'B', NULL),
                (2020, NULL, 'kg', 3, 'C', 'third'), (2021, 'NOTOS', 'kg', 1.5, 'D', 'fourth');
            CREATE TABLE kids (name text PRIMARY KEY, thing uuid NOT NULL REFERENCES things);
            INSERT INTO kids SELECT label, id FROM things WHERE label IN ('A', 'C')",
        mapping: "[format.columns]\n\"Season\" = \"season\"\n\"Port\" = \"port\"\n\
                  \"Unit\" = \"unit\"\n\"Weight\" = \"weight\"\n\"Label\" = \"label\"\n",
        releases: [
            "Season,Port,Unit,Weight,Label\n2020,NOTOS,,2.00,B1\n2020,,kg,3.0,C1\n\
             2021,NOTOS,kg,1.50,D1\n2022,,,1,new\n2020,NOTOS,kg,1.5,A1\n",
            "Weight,Season,Port,Unit,Label\n1.5,2020,NOTOS,kg,A2\n2,2020,NOTOS,,B2\n3,2020,,kg,C2\n\
             1,2022,,,again\n",
            "Season,Port,Unit,Weight,Label\n2020,NOTOS,kg,1.5,A3\n2020,NOTOS,,2,B3\n2020,,kg,3,C3\n\
             2023,X,,,new\n",
        ],
        options: &["--match", "season,port,unit,weight"],
        kept: "SELECT concat_ws('/', season, coalesce(port, '-'), coalesce(unit, '-'), weight), id,
                notes, notes IS NULL FROM things ORDER BY 1",
        kids: "SELECT k.name, t.season, t.port, t.unit FROM kids AS k JOIN things AS t
                ON t.id = k.thing ORDER BY k.name",
        insert: "INSERT INTO things (season, port, unit, weight, label)
            VALUES (2024, 'x {n}', 'kg', 1, 'of the application {n}')",
    }
    .survives()
    .await;
}

#[tokio::test]
async fn documents_lists_and_choices_that_people_have_made() {
    Shape {
        schema: "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('sad', 'ok', 'happy');
            CREATE DOMAIN app.short AS varchar(5) CHECK (value <> 'bad');
            CREATE TABLE things (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                code bigint NOT NULL UNIQUE, label text,
                details jsonb, raw json, tags text[] NOT NULL DEFAULT '{}',
                grid integer[][], mood app.mood NOT NULL DEFAULT 'ok', brief app.short,
                span tstzrange, points point[], fixed char(4), word varchar(3)[],
                bytes bytea, weight double precision, at timestamp(3), flag bit(3), day date
                    DEFAULT now(),
                status text NOT NULL, twice bigint GENERATED ALWAYS AS (code * 2) STORED,
                CONSTRAINT known CHECK (status IN ('open', 'closed')),
                CONSTRAINT whole CHECK (num_nonnulls(details, status) > 0));
            INSERT INTO things (code, label, details, raw, tags, grid, mood, brief, span, points,
                fixed, word, bytes, weight, at, flag, status) VALUES
                (12, 'A', '{\"a\": [1, 2.50, null]}', '{\"b\":  1, \"b\": 2}',
                    ARRAY['NULL', NULL, 'x,y'], '[2:3][0:1]={{1,2},{3,NULL}}', 'happy', 'ab',
                    '[2020-01-01,)', ARRAY[point(1, 2)], 'a', ARRAY['abc', NULL], '\\x00ff',
                    0.1::float8 + 0.2::float8, '2020-01-01 00:00:00.123', '101', 'open'),
                (7, 'B', NULL, NULL, '{}', NULL, 'sad', NULL, NULL, NULL, NULL, NULL, NULL,
                    'NaN', '-infinity', NULL, 'closed'),
                (30, 'C', '[]', 'null', ARRAY[''], '{}', 'ok', '', 'empty', '{}', '', '{}', '',
                    '-0', NULL, '000', 'open');
            UPDATE things SET day = '2001-02-03';
            CREATE TABLE kids (name text PRIMARY KEY, thing bigint NOT NULL REFERENCES things);
            INSERT INTO kids VALUES ('k1', 3), ('k2', 1)",
        mapping: BY_CODE,
        // The same number in another notation; a new record has no status, but a release without
        // new records needs none.
        releases: [
            "Code,Label\n00012,A1\n+7,B1\n30,C1\n",
            "Code,Label\n030,C2\n12,A2\n7,B2\n",
            "Code,Label\n7,B3\n12,A3\n30,C3\n",
        ],
        options: &[],
        kept: "SELECT code, id, details, raw, array_to_json(tags), grid, array_dims(grid), mood,
                brief, span, points, fixed, word, bytes, float8send(weight), at, flag, day, status,
                twice, md5(record_send((details, tags, grid, points, word, weight, fixed)))
            FROM things ORDER BY code::text",
        kids: KIDS,
        insert: "INSERT INTO things (code, label, status)
            SELECT max(code) + 1, 'of the application {n}', 'open' FROM things",
    }
    .survives()
    .await;
}

#[tokio::test]
async fn keys_that_people_have_given_and_several_that_are_referred_to() {
    Shape {
        schema: "CREATE TABLE things (
                slug text PRIMARY KEY DEFAULT md5(random()::text), code text UNIQUE NOT NULL,
                label text, id bigint UNIQUE GENERATED BY DEFAULT AS IDENTITY, parent text
                    REFERENCES things);
            INSERT INTO things (slug, code, label, parent) VALUES
                ('the-a', 'a', 'A', NULL), ('the-b', 'b', 'B', 'the-a'), ('the-c', 'c', 'C', 'the-c');
            CREATE TABLE kids (name text PRIMARY KEY, thing bigint NOT NULL REFERENCES things (id),
                other text REFERENCES things);
            INSERT INTO kids VALUES ('k1', 3, 'the-a'), ('k2', 1, 'the-b')",
        mapping: BY_CODE,
        releases: [FIRST, SECOND, THIRD],
        // Keys are kept nevertheless; the parent's name is one.
        options: &["--unfilled", "default", "--accept-failed-validation"],
        kept: "SELECT code, slug, id FROM things ORDER BY code",
        kids: "SELECT k.name, t.code, o.code FROM kids AS k JOIN things AS t ON t.id = k.thing
                JOIN things AS o ON o.slug = k.other ORDER BY k.name",
        insert: INSERT,
    }
    .survives()
    .await;
}

#[tokio::test]
async fn what_is_deleted_before_its_record_is_read_stays_deleted() {
    let schema = "CREATE TABLE things (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text UNIQUE, label text,
            notes text, n integer);
        INSERT INTO things (code, notes) VALUES ('a', 'of a'), ('b', 'of b'), ('c', 'of c'),
            ('m', 'of m')";
    let here = Things::new(schema, BY_CODE).await;
    here.write("release.csv", SECOND);
    here.migrate("release.csv", &["--to", "1.2"]).expect_code(0);
    // One was deleted, one was created again and is now the application's own, and one was
    // changed.
    here.db
        .psql(
            "DELETE FROM things WHERE code IN ('b', 'c');
            INSERT INTO things (code, notes) VALUES ('c', 'of the new c');
            UPDATE things SET notes = 'of a, changed' WHERE code = 'a'",
        )
        .await;
    here.migrate("release.csv", &["--resume", "--to", "3.3"]).expect_code(0);
    here.db.psql("DELETE FROM things WHERE code = 'm'").await;
    here.migrate("release.csv", &["--resume"]).expect_code(0);
    let rows = "SELECT string_agg(concat_ws('/', code, id, label, notes), ' ' ORDER BY code)
        FROM things";
    assert_eq!(here.db.psql(rows).await, "a/1/A2/of a, changed c/5/of the new c n/6/N2");
}
