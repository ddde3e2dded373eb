//! Which entries are meant.

use std::time::SystemTime;

use clap::Args;

use crate::cli::when;
use crate::store::Query;
use crate::verdict::Decision;

#[derive(Args, Debug)]
pub(super) struct Filter {
    /// About this agent
    #[arg(long, value_name = "ID")]
    agent: Option<String>,

    /// Of this tool
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,

    /// Of this decision: allow, escalate or deny
    #[arg(long, value_name = "DECISION", value_parser = decision)]
    decision: Option<Decision>,

    /// Of this session
    #[arg(long, value_name = "ID")]
    session: Option<String>,

    /// Of this type: decision, outcome, agent, erasure, origin, log_key, …
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,

    /// Not before: 2026-11-24, 2026-11-24T09:30:00Z, or 90m, 12h, 7d ago
    #[arg(long, value_name = "TIME", value_parser = when::time)]
    since: Option<SystemTime>,

    /// Before that time
    #[arg(long, value_name = "TIME", value_parser = when::time)]
    until: Option<SystemTime>,
}

impl Filter {
    /// Whether anything is left out.
    pub(super) fn is_any(&self) -> bool {
        let Self {
            agent,
            tool,
            decision,
            session,
            kind,
            since,
            until,
        } = self;
        [agent, tool, session, kind].into_iter().any(Option::is_some)
            || decision.is_some()
            || since.is_some()
            || until.is_some()
    }

    pub(super) fn query(&self) -> Query {
        let mut query = Query::new();
        for (text, with) in [
            (&self.agent, Query::agent as fn(Query, &str) -> Query),
            (&self.tool, Query::tool),
            (&self.session, Query::session),
            (&self.kind, Query::kind),
        ] {
            if let Some(text) = text {
                query = with(query, text);
            }
        }
        if let Some(decision) = self.decision {
            query = query.decision(decision);
        }
        if let Some(time) = self.since {
            query = query.since(time);
        }
        if let Some(time) = self.until {
            query = query.until(time);
        }
        query
    }
}

fn decision(word: &str) -> Result<Decision, String> {
    [Decision::Allow, Decision::Escalate, Decision::Deny]
        .into_iter()
        .find(|decision| decision.code() == word)
        .ok_or_else(|| "not one of allow, escalate, deny".to_owned())
}
