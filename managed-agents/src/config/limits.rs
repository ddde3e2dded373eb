//! `[[limits]]`: how often, how many at once, how much, how large.

use super::error::ConfigError;
use super::read::Table;
use crate::call::AgentId;
use crate::limit::Limit;

/// The largest number of a limit.
const MOST: usize = i64::MAX as usize;

/// One limit.
pub(super) fn limit(table: &Table<'_>) -> Result<Limit, ConfigError> {
    table.only(&[
        "agent", "tool", "calls", "running", "sum", "size", "most", "per", "exceeded",
    ])?;
    let kinds: Vec<_> = ["calls", "running", "sum", "size"]
        .into_iter()
        .filter_map(|key| Some((key, table.get(key)?)))
        .collect();
    let [(kind, item)] = kinds.as_slice() else {
        let wrong = "says one of `calls`, `running`, `sum` and `size`, and says it once";
        return Err(table.wrong(wrong));
    };
    let of_argument = matches!(*kind, "sum" | "size");
    let in_time = matches!(*kind, "calls" | "sum");
    for (key, needed) in [("most", of_argument), ("per", in_time)] {
        match (table.get(key), needed) {
            (None, true) => return Err(item.error(&format!("needs `{key}` beside it"))),
            (Some(there), false) => return Err(there.error(&format!("means nothing beside `{kind}`"))),
            _ => {}
        }
    }
    let number = |key: &str| match table.get(key) {
        Some(item) => item.number(0..=MOST).map(|number| number as u64),
        None => Err(table.wrong("lacks a number")),
    };
    let per = || match table.get("per") {
        Some(item) => match item.duration()? {
            per if per.as_secs() < 1 => Err(item.error("is a second at least")),
            per => Ok(per),
        },
        None => Err(table.wrong("lacks a time")),
    };
    let mut limit = match *kind {
        "calls" => Limit::calls(number(kind)?, per()?),
        "running" => Limit::running(number(kind)?),
        "sum" => Limit::sum(item.text()?, number("most")?, per()?),
        _ => Limit::size(item.text()?, number("most")?),
    };
    if let Some(item) = table.get("agent") {
        let agent = AgentId::parse(item.text()?).map_err(|error| item.error(&format!("names no agent: {error}")))?;
        limit = limit.of_agent(agent);
    }
    if let Some(item) = table.get("tool") {
        limit = limit.of_tool(item.text()?);
    }
    if let Some(item) = table.get("exceeded")
        && item.word(&[("deny", false), ("escalate", true)])?
    {
        limit = limit.escalates();
    }
    Ok(limit)
}
