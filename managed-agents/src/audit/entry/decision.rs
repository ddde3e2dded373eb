//! The entry of a decision.

use super::FORMAT;
use super::commit::commitment;
use super::error::EntryError;
use super::pending::{IndexColumns, PendingEntry, Sealed};
use super::scan::{Members, unescape};
use super::writer::{MOST_NAME, Writer, clip, clipped, push_integer};
use crate::audit::DecisionRecord;
use crate::calendar;
use crate::call::{CanonicalWriter, Digest, Effect, Salt, TargetKind, ToolCall, write_string};

/// With more arguments than this, or a longer name, an entry has one commitment to all of them.
const MOST_ARGUMENTS: usize = 64;
/// A list has at most this many names; those left out are counted.
const MOST_NAMES: usize = 32;

/// What an entry says of a decision beyond its record and call.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DecisionContext<'a> {
    /// The id of the agent's certificate (`nmc-…`).
    pub certificate: Option<&'a str>,
    /// The digest of all rules that were applied.
    pub rules: Option<Digest>,
    /// The ids of the policies that determined the verdict.
    pub policies: &'a [&'a str],
    /// The agent's trust before and after, in millionths.
    pub trust: Option<(u32, u32)>,
    /// The keys of the history counters that were read, as JSON strings; they are committed to, not shown.
    pub history: &'a [&'a str],
    /// Name and version of the software that decided.
    pub software: &'a str,
}

/// The entry of a decision. `call` is absent when the arguments have no canonical form.
///
/// # Errors
///
/// [`EntryErrorKind::NoEntropy`](super::EntryErrorKind::NoEntropy).
pub fn decision(
    record: &DecisionRecord,
    call: Option<&ToolCall>,
    context: &DecisionContext<'_>,
) -> Result<PendingEntry, EntryError> {
    let at = calendar::micros(record.at());
    let agent = clip(record.agent());
    let tool = clip(record.tool());
    let session = record.session().map(clip);
    let evaluation = record.evaluation_id().to_string();
    let evaluation = clip(&evaluation);
    let mut sealer = Sealer {
        sealed: Vec::with_capacity(8),
    };

    // in the order of RFC 8785
    let mut out = Writer::new();
    out.text("agent", &agent);
    if let Some(call) = call {
        sealer.arguments(&mut out, call)?;
    }
    out.time("at", at);
    if let Some(certificate) = context.certificate {
        out.text("certificate", &clip(certificate));
    }
    let more = out.names("codes", MOST_NAMES, record.codes());
    if more > 0 {
        out.integer("codes_more", more);
    }
    if let Some(context) = call.and_then(ToolCall::context) {
        out.key("context");
        sealer.seal(&mut out, "/context".to_owned(), &canonical(context), false)?;
    }
    out.text("decision", record.decision().code());
    out.hex("definition", record.meta().definition().as_bytes());
    if let Some(digest) = record.digest() {
        out.hex("digest", digest.as_bytes());
    }
    dimensions(&mut out, record);
    out.text("disposition", record.disposition().code());
    out.text("effect", Effect::of(record.meta()).code());
    out.truth("enforced", record.is_enforced());
    out.text("evaluation", &evaluation);
    if let Some(governor) = record.governor() {
        out.text("governor", &clip(governor));
    }
    sealer.list(&mut out, "history", context.history)?;
    if let Some(ids) = call.and_then(ToolCall::reveal_ids) {
        out.key("ids");
        sealer.seal(&mut out, "/ids".to_owned(), &ids, false)?;
    }
    if let Some(basis) = record.basis() {
        out.key("inputs");
        // target and sums in it may come from redacted arguments
        let redacted = call.is_some_and(ToolCall::has_redactions);
        sealer.seal(&mut out, "/inputs".to_owned(), basis.inputs.json().as_bytes(), redacted)?;
    }
    let more = out.names("not_judged", MOST_NAMES, record.not_judged());
    if more > 0 {
        out.integer("not_judged_more", more);
    }
    if let Some(parent) = record.parent() {
        out.text("parent", &clip(&parent.to_string()));
    }
    let policies = context.policies.iter().copied().chain(record.policies());
    let more = out.names("policies", MOST_NAMES, policies);
    if more > 0 {
        out.integer("policies_more", more);
    }
    if let Some(rules) = context.rules.or(record.rules()) {
        out.hex("rules", rules.as_bytes());
    }
    sealer.screen(&mut out, record, call)?;
    out.key("seq");
    let sequence_at = out.out.len();
    if let Some(session) = &session {
        out.text("session", session);
    }
    out.text("software", &clip(context.software));
    if let Some(call) = call {
        sealer.target(&mut out, call)?;
        let kind = call.target_kind();
        if kind != TargetKind::None {
            out.text("target_kind", kind.code());
        }
    }
    if let Some(ticket) = record.ticket() {
        out.text("ticket", &clip(ticket));
    }
    out.text("tool", &tool);
    let trust = context.trust.or(record.trust_millionths());
    if let Some((before, after)) = trust {
        out.key("trust");
        out.out.push(b'{');
        out.integer("after", after.into());
        if let Some(trust) = &record.trust {
            out.integer("as_of", trust.as_of);
        }
        out.integer("before", before.into());
        out.out.push(b'}');
    }
    out.text("type", "decision");
    if let Some(ucs) = record.ucs_millionths() {
        out.integer("ucs", ucs.into());
    }
    if record.is_undeclared() {
        out.truth("undeclared", true);
    }
    out.text("v", FORMAT);

    if let Some(call) = call {
        sealer.sealed.push(Sealed {
            path: "/salt".to_owned(),
            salt: *call.salt().reveal(),
            value: Vec::new(),
            redacted: false,
        });
    }
    let subject = call.and_then(ToolCall::subject).unwrap_or(record.agent()).to_owned();
    let index = IndexColumns {
        kind: "decision".to_owned(),
        at_micros: at,
        agent: Some(agent.into_owned()),
        tool: Some(tool.into_owned()),
        decision: Some(record.decision().code()),
        session: session.map(std::borrow::Cow::into_owned),
        evaluation: Some(evaluation.into_owned()),
        about: None,
    };
    Ok(PendingEntry::new(
        out.finish(),
        sequence_at,
        index,
        sealer.sealed,
        subject,
    ))
}

/// Deeper than a call may be, the context stands as `serde_json` prints it.
fn canonical(context: &serde_json::Map<String, serde_json::Value>) -> Vec<u8> {
    let mut writer = CanonicalWriter::default();
    match writer.value(context) {
        Ok(()) => writer.finish(),
        Err(_) => serde_json::to_vec(context).unwrap_or_default(),
    }
}

/// The dimensions' scores, in millionths.
fn dimensions(out: &mut Writer, record: &DecisionRecord) {
    let mut scores = record.dimensions_millionths().peekable();
    if scores.peek().is_none() {
        return;
    }
    let mut scores: Vec<_> = scores
        .map(|(name, score)| (clipped(name, MOST_NAME), score))
        .take(MOST_NAMES)
        .collect();
    scores.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    out.key("dimensions");
    out.out.push(b'{');
    for (name, score) in scores {
        out.comma();
        write_string(&mut out.out, &name);
        out.out.push(b':');
        push_integer(&mut out.out, score.into());
    }
    out.out.push(b'}');
}

/// Commits to values and keeps them.
struct Sealer {
    sealed: Vec<Sealed>,
}

impl Sealer {
    /// Writes the commitment to a value, and keeps the value.
    fn seal(&mut self, out: &mut Writer, path: String, value: &[u8], redacted: bool) -> Result<(), EntryError> {
        let (committed, sealed) = Self::sealed(path, value, redacted)?;
        out.commitment(&committed, None, value.len(), redacted);
        self.sealed.push(sealed);
        Ok(())
    }

    /// A value under a fresh salt, and the commitment to it.
    fn sealed(path: String, value: &[u8], redacted: bool) -> Result<([u8; 32], Sealed), EntryError> {
        let salt = *Salt::fresh()?.reveal();
        let committed = commitment(&salt, &path, value);
        let value = value.to_vec();
        Ok((
            committed,
            Sealed {
                path,
                salt,
                value,
                redacted,
            },
        ))
    }

    fn arguments(&mut self, out: &mut Writer, call: &ToolCall) -> Result<(), EntryError> {
        let arguments = call.reveal_arguments();
        if arguments == "{}" {
            return Ok(());
        }
        let fits = Members::of(arguments)
            .enumerate()
            .all(|(at, member)| at < MOST_ARGUMENTS && member.is_ok_and(|(name, _)| name.len() <= MOST_NAME + 2));
        if !fits {
            out.key("arguments_whole");
            return self.seal(
                out,
                "/arguments".to_owned(),
                arguments.as_bytes(),
                call.has_redactions(),
            );
        }
        out.key("arguments");
        out.out.push(b'{');
        for (name, value) in Members::of(arguments).flatten() {
            // canonical already: sorted and escaped as RFC 8785 wants it
            out.comma();
            out.out.extend_from_slice(name.as_bytes());
            out.out.push(b':');
            let name = unescape(name);
            let mut path = String::with_capacity(name.len() + 11);
            path.push_str("/arguments/");
            push_step(&mut path, &name);
            self.seal(out, path, value.as_bytes(), call.is_redacted(&name))?;
        }
        out.out.push(b'}');
        Ok(())
    }

    fn target(&mut self, out: &mut Writer, call: &ToolCall) -> Result<(), EntryError> {
        let Some(target) = call.reveal_target() else {
            return Ok(());
        };
        let mut value = Vec::with_capacity(target.len() + 2);
        write_string(&mut value, target);
        out.key("target");
        self.seal(out, "/target".to_owned(), &value, call.meta().is_target_redacted())
    }

    /// What the screen found: the code in plain text, argument and span committed to.
    fn screen(&mut self, out: &mut Writer, record: &DecisionRecord, call: Option<&ToolCall>) -> Result<(), EntryError> {
        if record.found().is_empty() {
            return Ok(());
        }
        out.key("screen");
        out.out.push(b'[');
        for (at, (code, found)) in record.found().iter().take(MOST_NAMES).enumerate() {
            let mut place = Writer::new();
            place.text("argument", &found.argument);
            if let Some((start, end)) = found.span {
                place.integer("end", end as u64);
                place.integer("start", start as u64);
            }
            let redacted = call.is_some_and(|call| call.is_redacted(&found.argument));
            let sealed = Self::sealed(format!("/screen/{at}"), &place.finish(), redacted)?;
            out.comma();
            out.commitment(
                &sealed.0,
                Some(&clipped(code, MOST_NAME)),
                sealed.1.value.len(),
                redacted,
            );
            self.sealed.push(sealed.1);
        }
        out.out.push(b']');
        Ok(())
    }

    fn list(&mut self, out: &mut Writer, key: &str, values: &[&str]) -> Result<(), EntryError> {
        if values.is_empty() {
            return Ok(());
        }
        out.key(key);
        out.out.push(b'[');
        for (at, value) in values.iter().take(MOST_NAMES).enumerate() {
            out.comma();
            self.seal(out, format!("/{key}/{at}"), value.as_bytes(), false)?;
        }
        out.out.push(b']');
        Ok(())
    }
}

/// One step of a JSON pointer (RFC 6901).
pub(super) fn push_step(path: &mut String, name: &str) {
    if !name.contains(['~', '/']) {
        path.push_str(name);
        return;
    }
    for c in name.chars() {
        match c {
            '~' => path.push_str("~0"),
            '/' => path.push_str("~1"),
            _ => path.push(c),
        }
    }
}
