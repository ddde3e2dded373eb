//! `agent register`.

use std::time::Duration;

use clap::Args;

use super::{hand_mandate, say};
use crate::call::AgentId;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::passphrase::Passphrase;
use crate::cli::place::Place;
use crate::cli::when;
use crate::identity::{Enrolment, Scope};

#[derive(Args, Debug)]
pub(in crate::cli) struct Register {
    /// Agent's id
    agent: String,

    /// Who answers for it
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,

    /// Whose it is
    #[arg(long, value_name = "TEXT")]
    organization: Option<String>,

    /// What kind of agent it is
    #[arg(long, value_name = "TEXT")]
    archetype: Option<String>,

    /// Where it runs
    #[arg(long, value_name = "TEXT")]
    zone: Option<String>,

    /// The only tools that it may call, separated by commas [default: all]
    #[arg(long, value_name = "TOOLS", value_delimiter = ',')]
    scope: Option<Vec<String>>,

    /// How long its passport holds, 90d at most [default: 24h]
    #[arg(long, value_name = "TIME", value_parser = when::length)]
    lifetime: Option<Duration>,

    #[command(flatten)]
    passphrase: Passphrase,
}

impl Register {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<(), Failure> {
        let agent = AgentId::parse(&self.agent).map_err(|error| Failure::of(&error))?;
        let mut enrolment = Enrolment::new(agent);
        for (text, with) in [
            (&self.owner, Enrolment::owner as fn(Enrolment, String) -> Enrolment),
            (&self.organization, Enrolment::organization),
            (&self.archetype, Enrolment::archetype),
            (&self.zone, Enrolment::zone),
        ] {
            if let Some(text) = text {
                enrolment = with(enrolment, text.clone());
            }
        }
        if let Some(tools) = &self.scope {
            // `--scope ""` is a scope of no tool
            enrolment = enrolment.scope(Scope::tools(tools.iter().filter(|tool| !tool.is_empty()).cloned()));
        }
        if let Some(lifetime) = self.lifetime {
            enrolment = enrolment.lifetime(lifetime);
        }
        let home = place.home_of_operator(&self.passphrase)?;
        let passport = home.register(&enrolment)?;
        hand_mandate(&home, &passport)?;
        say(&passport, "is registered", out)
    }
}
