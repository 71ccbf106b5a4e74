//! `docs/role.md`.

use super::Recipe;

/// What the page takes for granted: one role owns the table and what is altered with it.
const OWNER: &str = "
    CREATE ROLE app;
    ALTER PUBLICATION supabase_realtime OWNER TO app;
    ALTER TABLE public.cites_trade_records OWNER TO app;
    DO $$
    DECLARE
        view regclass;
    BEGIN
        FOR view IN
            SELECT oid FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
        LOOP
            EXECUTE format('ALTER VIEW %s OWNER TO app', view);
        END LOOP;
    END
    $$";

#[tokio::test]
async fn a_role_with_the_rights_of_its_page_does_everything() {
    let mut page = Recipe::with_production("role.md").await;
    page.db.psql(OWNER).await;
    page.follow();
    page.follow();
    // All of a migration, which also writes the summary.
    let migrate = "sterna migrate download.zip --on-inexact widen --bench-seconds 0 \
                   --accept-regression";
    for line in [migrate, "sterna rollback 1.1"] {
        page.run(&format!("PGUSER=sterna {line}")).expect_code(0);
    }
    let owner = "SELECT relowner::regrole FROM pg_class
        WHERE oid = 'public.cites_trade_records'::regclass";
    assert_eq!(page.db.psql(owner).await, "app");
    page.follow();
    let left = "SELECT to_regnamespace('sterna'), to_regrole('sterna')";
    assert_eq!(page.db.psql(left).await, "|");
    assert!(page.commands.is_empty());
    page.db.psql("DROP OWNED BY app CASCADE; DROP ROLE app").await;
}
