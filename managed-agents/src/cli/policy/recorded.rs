//! The decisions of the record that can be judged again.

use crate::audit::Sequence;
use crate::audit::entry::{Entry, Sealed};
use crate::call::AgentId;
use crate::cli::failure::Failure;
use crate::engine::Inputs;
use crate::store::{Query, Reader, Values};

/// A recorded decision, with what it was judged on.
pub(super) struct Recorded {
    pub(super) place: u64,
    pub(super) agent: AgentId,
    pub(super) tool: String,
    pub(super) arguments: String,
    pub(super) definition: String,
    pub(super) inputs: Inputs,
}

/// What came of one entry.
pub(super) enum Found {
    Recorded(Box<Recorded>),
    /// Its values were erased.
    Erased,
    /// It was judged without policies, by another governor, or not at all.
    Without,
    /// What lies beside the entry is not what it commits to.
    Differs(u64),
}

/// Goes through all decisions, oldest first.
pub(super) fn each(reader: &Reader, mut visit: impl FnMut(Found) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut query = Query::new().kind("decision").most(1_000);
    loop {
        let page = reader.query(&query)?;
        for entry in page.entries() {
            visit(read(reader, entry)?)?;
        }
        match page.next() {
            Some(cursor) => query = query.after(cursor),
            None => return Ok(()),
        }
    }
}

pub(super) fn read(reader: &Reader, entry: &Entry) -> Result<Found, Failure> {
    if entry.raw("inputs").is_none() {
        return Ok(Found::Without);
    }
    let values = match reader.values(Sequence::new(entry.sequence()))? {
        Values::Known(values) => values,
        Values::Erased | Values::Removed => return Ok(Found::Erased),
        Values::None => return Ok(Found::Differs(entry.sequence())),
    };
    Ok(match recorded(entry, &values) {
        Some(recorded) => Found::Recorded(Box::new(recorded)),
        None => Found::Differs(entry.sequence()),
    })
}

fn recorded(entry: &Entry, values: &[Sealed]) -> Option<Recorded> {
    let commitments = entry.commitments();
    let opens = commitments.iter().all(|commitment| {
        let value = values.iter().find(|value| value.path == commitment.path());
        value.is_some_and(|value| commitment.opens(value))
    });
    if !opens {
        return None;
    }
    let value = |path: &str| values.iter().find(|value| value.path == path);
    let inputs = serde_json::from_slice(&value("/inputs")?.value).ok()?;
    let arguments = match value("/arguments") {
        Some(whole) => String::from_utf8(whole.value.clone()).ok()?,
        None => {
            let mut members = Vec::new();
            // in the order of the entry, which is that of the canonical form
            for value in values {
                let Some(name) = value.path.strip_prefix("/arguments/") else {
                    continue;
                };
                let name = name.replace("~1", "/").replace("~0", "~");
                let name = serde_json::to_string(&name).ok()?;
                members.push(format!("{name}:{}", std::str::from_utf8(&value.value).ok()?));
            }
            format!("{{{}}}", members.join(","))
        }
    };
    Some(Recorded {
        place: entry.sequence(),
        agent: AgentId::parse(entry.agent()?.reveal()).ok()?,
        tool: entry.tool()?.reveal().to_owned(),
        arguments,
        definition: entry.untrusted("definition")?.reveal().to_owned(),
        inputs,
    })
}
