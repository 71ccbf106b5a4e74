//! `sterna demo`
use super::Context;
use crate::error::Result;
use clap::Args;
/// Look at files
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {}
/// x
pub fn run(_args: &DemoArgs, _context: &Context) -> Result<u8> {
    Ok(0)
}
