//! Compares a benchmark with an earlier run.

use std::path::Path;

use super::interval::Interval;
use super::latency;
use super::options::BenchOptions;
use super::report::{BaselineReport, BenchReport, Comparison, DataSize, QueryReport};
use crate::error::{Error, Result};

/// Reads the report that an earlier run saved.
///
/// # Errors
/// Names the file that cannot be read or is not such a report.
pub(super) fn read(path: &Path) -> Result<BenchReport> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
    let wrong = |what: String| {
        Error::bad_file(path.display(), what).hint("`sterna bench --save FILE` writes such a file")
    };
    let report: BenchReport = serde_json::from_str(&text)
        .map_err(|e| wrong(format!("not the report of a benchmark: {e}")))?;
    for query in &report.queries {
        for latency in query.production.iter().chain([&query.staging]) {
            latency::values(latency).map_err(|e| wrong(format!("{}: {e}", query.name)))?;
        }
    }
    Ok(report)
}

/// Compares each query with the same one of an earlier run and stores the result in it.
///
/// # Errors
/// If a histogram is damaged.
pub(super) fn compare(
    now: &mut BenchReport,
    then: &BenchReport,
    options: &BenchOptions,
) -> Result<BaselineReport> {
    let table = |report: &BenchReport| report.production.as_ref().map(|table| table.oid);
    // The same table in both runs shows how fast the machine was; a different table may
    // itself be faster or slower.
    let control = table(now).is_some() && table(now) == table(then);
    let mut not_compared = Vec::new();
    for query in &mut now.queries {
        match then.queries.iter().find(|earlier| earlier.name == query.name) {
            Some(earlier) if earlier.staging_answer_ms.is_none() => {
                let why = "the baseline is from a version that timed whole answers";
                not_compared.push(format!("{}: {why}", query.name));
            }
            Some(earlier) if earlier.sql == query.sql => {
                query.baseline = Some(comparison(query, earlier, control, options)?);
            }
            Some(_) => not_compared.push(format!("{}: its text has changed", query.name)),
            None => not_compared.push(format!("{}: not in the baseline", query.name)),
        }
    }
    let gone = then.queries.iter().filter(|q| now.queries.iter().all(|n| n.name != q.name));
    not_compared.extend(gone.map(|query| format!("{}: only in the baseline", query.name)));
    Ok(BaselineReport {
        environment: then.environment.clone(),
        differences: differences(now, then),
        not_compared,
    })
}

fn comparison(
    now: &QueryReport,
    then: &QueryReport,
    control: bool,
    options: &BenchOptions,
) -> Result<Comparison> {
    let (staging_now, staging_then) =
        (latency::values(&now.staging)?, latency::values(&then.staging)?);
    let mut factors = vec![(staging_now.as_slice(), 1), (staging_then.as_slice(), -1)];
    let production = match (&now.production, &then.production) {
        (Some(now), Some(then)) if control => Some((latency::values(now)?, latency::values(then)?)),
        _ => None,
    };
    if let Some((now, then)) = &production {
        factors.extend([(now.as_slice(), -1), (then.as_slice(), 1)]);
    }
    let ratio = Interval::of_median_product(&factors, options.seed);
    let machine = production.as_ref().map(|(now, then)| {
        Interval::of_median_product(&[(now, 1), (then, -1)], options.seed).median
    });
    let expected_ms = then.staging.p50_ms * machine.unwrap_or(1.0);
    Ok(Comparison {
        ratio: ratio.median,
        ratio_low: ratio.low,
        ratio_high: ratio.high,
        production_ratio: machine,
        regressed: ratio.low > options.max_regression
            && now.staging.p50_ms - expected_ms > options.floor_ms,
    })
}

/// The differences between two runs besides their latencies.
fn differences(now: &BenchReport, then: &BenchReport) -> Vec<String> {
    let mut differences = Vec::new();
    let mut note = |what: &str, now: String, then: String| {
        if now != then {
            differences.push(format!("{what}: {now}, was {then}"));
        }
    };
    let (here, there) = (&now.environment, &then.environment);
    note("sterna", here.sterna.clone(), there.sterna.clone());
    note("server", here.server.clone(), there.server.clone());
    note("settings", here.settings.to_string(), there.settings.to_string());
    note("client", here.client.clone(), there.client.clone());
    note("cores", here.client_cores.to_string(), there.client_cores.to_string());
    note("seed", now.seed.to_string(), then.seed.to_string());
    let size =
        |size: &DataSize| format!("{} rows in {} bytes", size.estimated_rows, size.table_bytes);
    note("staging", size(&now.staging), size(&then.staging));
    let production = |report: &BenchReport| {
        report.production.as_ref().map_or_else(|| "no rows".to_owned(), size)
    };
    note("production", production(now), production(then));
    differences
}
