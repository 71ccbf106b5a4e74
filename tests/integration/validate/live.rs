//! `--comprehensive`: the live table and what stands around it.

use super::{check, checks, failed, validated};
use crate::cites::{Installation, file_of, good};

/// A table that went live by exchanging names, with a summary that agrees.
async fn live() -> Installation {
    let here = Installation::new().await;
    let file = here.file("a.csv", file_of(&good(30)));
    here.report(0, &[&file, "--all"]);
    here.db
        .psql(
            "ALTER TABLE cites_trade_records RENAME TO cites_trade_records_old;
             ALTER TABLE cites_trade_records_staging RENAME TO cites_trade_records;
             INSERT INTO species_trade_summary (species_id, total_trade_records, overall_min_year,
                 overall_max_year, overall_total_quantity, annual_summaries)
             SELECT species_id, count(*), min(year), max(year), sum(quantity),
                 jsonb_build_array(jsonb_build_object('year', 2020, 'total_records_for_year', 30))
             FROM cites_trade_records GROUP BY species_id",
        )
        .await;
    here
}

#[tokio::test]
async fn the_live_table_passes_and_its_surroundings_are_asked() {
    let here = live().await;
    let report = validated(&here, 0, &["--comprehensive", "--expect-rows", "30"]);
    assert_eq!(failed(&report), [""; 0], "{report:#}");
    assert_eq!(report["comprehensive"], true);
    assert!(check(&report, "species-year-missing")["skipped"].is_string());
    let asked = ["summary-records", "summary-quantity", "summary-years", "dependents-answer"];
    for name in asked {
        assert!(check(&report, name)["skipped"].is_null(), "{name}");
    }
    // What the application writes is no error.
    here.db.psql("UPDATE cites_trade_records SET unit = 'kg' WHERE record_id = '3'").await;
    let report = validated(&here, 0, &["--comprehensive"]);
    assert_eq!(failed(&report), ["rows-as-loaded", "rows-lost"]);
    assert!(checks(&report).len() > 30);
}

#[tokio::test]
async fn what_does_not_fit_the_live_table_is_named() {
    for (sql, concerned, shown) in [
        (
            "UPDATE species_trade_summary SET total_trade_records = 29",
            &["summary-records"][..],
            r#""expected":30,"observed":29"#,
        ),
        (
            "UPDATE species_trade_summary SET overall_total_quantity = 1",
            &["summary-quantity"],
            r#""observed":1"#,
        ),
        (
            "UPDATE species_trade_summary SET annual_summaries = '[]'",
            &["summary-years"],
            r#""year":2020"#,
        ),
        (
            "CREATE VIEW public.broken AS SELECT 1 / (year - 2020) FROM cites_trade_records",
            &["dependents-answer"],
            "division by zero",
        ),
        (
            "CREATE FUNCTION public.broken() RETURNS bigint LANGUAGE plpgsql STABLE AS
             $$ BEGIN RETURN (SELECT count(gone) FROM public.cites_trade_records); END $$",
            &["dependents-answer"],
            "gone",
        ),
        (
            "CREATE SEQUENCE public.behind;
             ALTER TABLE cites_trade_records ALTER year SET DEFAULT nextval('public.behind')",
            &["sequence-ahead.year"],
            r#""observed":2020"#,
        ),
    ] {
        let here = live().await;
        here.db.psql(sql).await;
        let report = validated(&here, 4, &["--comprehensive"]);
        assert_eq!(failed(&report), concerned, "{sql}\n{report:#}");
        let rows = check(&report, concerned[0])["rows"].to_string();
        assert!(rows.contains(shown), "{rows}");
    }
}
