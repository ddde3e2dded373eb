//! `witness`: holds other logs to their history.

pub(super) mod ask;
mod serve;
mod state;

use clap::Subcommand;

use super::failure::Failure;
use super::output::Output;
use super::place::Place;

#[derive(Debug, Subcommand)]
pub(super) enum WitnessCommand {
    Serve(serve::Serve),
}

impl WitnessCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        match self {
            Self::Serve(serve) => serve.run(place, out),
        }
    }
}
