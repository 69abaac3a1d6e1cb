//! What does a treatment add for whom, by any table of a trial?

mod features;
pub(super) mod file;
mod fit;
mod judge;
mod page;
mod report;
pub(super) mod table;
mod trial;
mod words;

use clap::{Args, Subcommand};
use tercet_types::Result;

use super::Shared;
use crate::config::Environment;

/// `tercet uplift`
#[derive(Debug, Args)]
pub(crate) struct UpliftArguments {
    #[command(subcommand)]
    verb: UpliftVerb,
}

#[derive(Debug, Subcommand)]
enum UpliftVerb {
    /// Learn from a trial what each treatment adds for whom, and say whether that is worth choosing by
    Fit(Box<fit::FitArguments>),
    /// Say for every row of a table what each treatment adds, and what to send
    Apply(file::ApplyArguments),
}

/// Learns from a trial, or applies what was learnt.
pub(crate) fn uplift(
    verb: &UpliftArguments,
    shared: &Shared,
    environment: &Environment,
) -> Result<()> {
    match &verb.verb {
        UpliftVerb::Fit(fit) => fit::fit(fit, shared, environment),
        UpliftVerb::Apply(apply) => file::apply(apply, shared, environment),
    }
}
