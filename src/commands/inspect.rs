//! `sterna inspect`
use super::Context;
use crate::error::Result;
use clap::Args;
/// Look at files
#[derive(Args, Clone, Debug)]
pub struct InspectArgs {}
/// x
pub fn run(_args: &InspectArgs, _context: &Context) -> Result<u8> {
    Ok(0)
}
