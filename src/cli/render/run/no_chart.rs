//! Stubs for a build without the feature `charts`. The page's tables contain the same
//! figures.

use std::convert::Infallible;

use crate::bench::{BenchReport, QueryReport};
use crate::error::Result;
use crate::history::{Attempt, Throughput};
use crate::load::account::Account;
use crate::validate::Change;

/// Never constructed.
pub(super) type Figure = Infallible;

pub(super) fn flow(_number: usize, _account: &Account) -> Result<Option<Figure>> {
    Ok(None)
}

pub(super) fn latency(
    _number: usize,
    _queries: &[QueryReport],
    _locked_ms: Option<f64>,
) -> Result<Option<Figure>> {
    Ok(None)
}

pub(super) fn ratio(_number: usize, _report: &BenchReport) -> Result<Option<Figure>> {
    Ok(None)
}

pub(super) fn throughput(_number: usize, _of: &Throughput) -> Result<Option<Figure>> {
    Ok(None)
}

pub(super) fn timeline(_attempts: &[Attempt]) -> Result<Option<Figure>> {
    Ok(None)
}

pub(super) fn years(_by_year: &[Change]) -> Result<Option<Figure>> {
    Ok(None)
}
