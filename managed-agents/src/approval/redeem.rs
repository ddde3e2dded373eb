//! Whether a waiting call may run now: by the signatures of its approvals, whatever a row says.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use super::edit::{Edit, not_covered};
use super::roster::{Approver, NotBelieved, Roster};
use super::statement::{OperatorStatement, StatementKind};
use super::ticket::{Seen, TicketState};
use crate::call::{Digest, Salt, ToolCall};
use crate::identity::{KeyId, Moment};
use crate::verdict::Reason;

/// A ticket that is open for a call, as it was read.
pub(crate) struct Found {
    pub(crate) id: Arc<str>,
    pub(crate) state: TicketState,
    pub(crate) expires: SystemTime,
    pub(crate) needed: u8,
    pub(crate) rules: Option<Digest>,
    /// Of the record that opened it.
    pub(crate) digest: Digest,
    pub(crate) binding: [u8; 32],
    pub(crate) salt: Salt,
    /// What people signed, from the log, read and not yet verified; none for what is no statement.
    pub(crate) statements: Vec<Option<OperatorStatement>>,
    /// What they changed of it, and the salt of what they signed of that.
    pub(crate) edit: Option<(Edit, Salt)>,
    /// All of that as it was read.
    pub(crate) seen: Seen,
}

/// What a call is held against that asks to run.
pub(crate) struct Asked<'a> {
    pub(crate) call: &'a ToolCall,
    pub(crate) reasons: &'a [Reason],
    pub(crate) needed: u8,
    pub(crate) rules: Option<Digest>,
    /// The edit with which the call was judged, if it was: then the reasons are those of the edited call.
    pub(crate) edit: Option<&'a Edit>,
    pub(crate) roster: &'a Roster,
    /// Who may not approve, though enrolled.
    pub(crate) excluded: Excluded<'a>,
    pub(crate) now: SystemTime,
}

/// Who may not approve a call of an agent, though enrolled.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Excluded<'a> {
    /// The agent's own key.
    pub(crate) requester: Option<KeyId>,
    /// Whoever answers for the agent, where the program says so.
    pub(crate) owner: Option<&'a str>,
}

impl Excluded<'_> {
    pub(crate) fn has(&self, approver: &Approver) -> bool {
        self.requester == Some(approver.key().id())
            || self
                .owner
                .is_some_and(|owner| owner.eq_ignore_ascii_case(approver.name()))
    }
}

/// What became of a ticket that a call found.
#[derive(Debug, PartialEq)]
pub(crate) enum Redeemed {
    /// It may run: the ticket is to be consumed.
    Granted,
    /// It may run with other arguments, if those are judged first.
    Edited(Edit),
    /// People have not decided.
    Waits,
    /// It may not run, and the ticket is closed if a state is given.
    Refused(Reason, Option<TicketState>),
    /// There are reasons that nobody was shown: a new ticket comes in its place.
    NotShown,
}

/// What an approver signs of a call's binding: the logged statement holds no more of it than this.
pub(crate) fn bound(binding: &[u8; 32], salt: &Salt) -> Digest {
    let hash = Sha256::new().chain_update(binding).chain_update(salt.reveal());
    Digest::new(hash.finalize().into())
}

pub(crate) fn redeem(found: &Found, asked: &Asked<'_>) -> Redeemed {
    if asked.now >= found.expires {
        let reason = Reason::new(
            "approval_expired",
            "the ticket of this call expired before it was approved and used; repeat the call to ask again",
        );
        return Redeemed::Refused(reason, Some(TicketState::Expired));
    }
    match found.state {
        TicketState::Pending => Redeemed::Waits,
        TicketState::Rejected => Redeemed::Refused(rejected(found, asked), None),
        TicketState::Approved if asked.edit.is_none() => approved(found, asked, None),
        TicketState::Edited => match &found.edit {
            Some((edit, salt)) if asked.edit.is_none_or(|judged| judged == edit) => {
                edited(approved(found, asked, Some(edit.digest(salt))), edit, asked)
            }
            _ => Redeemed::Refused(forged(), Some(TicketState::Cancelled)),
        },
        // a row that says anything else is none that this version wrote for a ticket that is open
        _ => Redeemed::Refused(forged(), Some(TicketState::Cancelled)),
    }
}

/// People approved other arguments: first they are given to be judged, and then what the judges said of them counts.
fn edited(redeemed: Redeemed, edit: &Edit, asked: &Asked<'_>) -> Redeemed {
    match redeemed {
        Redeemed::Granted if asked.edit.is_none() => Redeemed::Edited(edit.clone()),
        // nobody was shown what the judges say of the call as it was edited
        Redeemed::NotShown if asked.edit.is_some() => Redeemed::Refused(not_covered(), Some(TicketState::Cancelled)),
        other => other,
    }
}

/// `edit` is what must have been signed of an edit.
fn approved(found: &Found, asked: &Asked<'_>, edit: Option<Digest>) -> Redeemed {
    let cancel = |reason| Redeemed::Refused(reason, Some(TicketState::Cancelled));
    if found.rules != asked.rules {
        return cancel(Reason::new(
            "rules_changed",
            "the rules changed since this call was approved; repeat the call to ask again",
        ));
    }
    let mut people = HashSet::new();
    let mut shown: Option<HashSet<String>> = None;
    let mut doubt = None;
    for stated in &found.statements {
        match approval(stated.as_ref(), (found, edit), asked) {
            Ok(stated) => {
                people.insert(stated.signer());
                let codes = reasons_of(stated);
                // everybody must have seen it
                shown = Some(match shown {
                    None => codes,
                    Some(before) => before.intersection(&codes).cloned().collect(),
                });
            }
            Err(reason) => doubt = Some(reason),
        }
    }
    let needed = usize::from(found.needed.max(asked.needed).max(1));
    if people.len() < needed {
        return match doubt {
            Some(Doubt::OtherSession) => Redeemed::Refused(
                Reason::new(
                    "other_session",
                    "this call was approved for another session; it was not run",
                ),
                None,
            ),
            Some(doubt) => cancel(doubt.reason()),
            // more people must approve than when it was opened
            None if !people.is_empty() => Redeemed::NotShown,
            None => cancel(forged()),
        };
    }
    let shown = shown.unwrap_or_default();
    // what counts of a call that is edited is what the judges say of the edited one, later
    let not_yet_judged = edit.is_some() && asked.edit.is_none();
    if not_yet_judged || asked.reasons.iter().all(|reason| shown.contains(reason.code())) {
        Redeemed::Granted
    } else {
        Redeemed::NotShown
    }
}

/// Why one approval does not count.
#[derive(Clone, Copy)]
enum Doubt {
    Forged,
    NotEnrolled,
    Excluded,
    OtherSession,
    Expired,
}

impl Doubt {
    fn reason(self) -> Reason {
        match self {
            Self::Forged | Self::OtherSession => forged(),
            Self::NotEnrolled => Reason::new(
                "approver_not_enrolled",
                "whoever approved this call may not approve; repeat the call to ask again",
            ),
            Self::Excluded => Reason::new(
                "approver_excluded",
                "whoever approved this call may not approve calls of this agent; repeat the call to ask again",
            ),
            Self::Expired => Reason::new(
                "approval_expired",
                "the approval of this call expired before it was used; repeat the call to ask again",
            ),
        }
    }
}

fn forged() -> Reason {
    Reason::new(
        "approval_forged",
        "what is stored as an approval of this call was signed by nobody; it was not run",
    )
}

/// Verifies one approval, and holds every part of it against the call that asks.
fn approval<'s>(
    stated: Option<&'s OperatorStatement>,
    (found, edit): (&Found, Option<Digest>),
    asked: &Asked<'_>,
) -> Result<&'s OperatorStatement, Doubt> {
    let stated = stated.ok_or(Doubt::Forged)?;
    let call = asked.call;
    let same = |name: &str, value: &str| stated.about(name) == Some(value);
    let kind = match edit {
        Some(_) => StatementKind::Edit,
        None => StatementKind::Approve,
    };
    let fits = stated.kind() == kind
        && stated.about("edit") == edit.map(|edit| edit.to_string()).as_deref()
        && same("ticket", &found.id)
        && same("agent", call.agent().as_str())
        && same("tool", call.tool())
        && same("definition", &call.meta().definition().to_string())
        && same("digest", &found.digest.to_string())
        && same("bound", &bound(&found.binding, &found.salt).to_string())
        && stated.about("rules").unwrap_or_default() == asked.rules.map(|rules| rules.to_string()).unwrap_or_default();
    if !fits {
        return Err(Doubt::Forged);
    }
    let expires = stated.about("expires").and_then(|text| Moment::parse(text).ok());
    if expires.is_none_or(|expires| Moment::from(asked.now) >= expires) {
        return Err(Doubt::Expired);
    }
    if stated
        .about("session")
        .is_some_and(|session| call.session() != Some(session))
    {
        return Err(Doubt::OtherSession);
    }
    let signer = asked.roster.signer(stated).map_err(|why| match why {
        NotBelieved::NotEnrolled => Doubt::NotEnrolled,
        NotBelieved::Forged | NotBelieved::OtherLog => Doubt::Forged,
    })?;
    if asked.excluded.has(signer) {
        return Err(Doubt::Excluded);
    }
    Ok(stated)
}

/// The codes of the reasons that were shown, as they are signed.
pub(crate) fn reasons_text<'a>(codes: impl Iterator<Item = &'a str>) -> String {
    let codes: Vec<_> = codes.collect();
    // a code of a governor's own may hold anything
    serde_json::to_string(&codes).unwrap_or_default()
}

fn reasons_of(stated: &OperatorStatement) -> HashSet<String> {
    let text = stated.about("reasons").unwrap_or_default();
    serde_json::from_str(text).unwrap_or_default()
}

/// A no needs no proof; but only who may approve is quoted.
fn rejected(found: &Found, asked: &Asked<'_>) -> Reason {
    let said = found.statements.iter().flatten().find_map(|stated| {
        let rejects = stated.kind() == StatementKind::Reject && stated.about("ticket") == Some(&*found.id);
        asked.roster.signer(stated).ok().filter(|_| rejects)?;
        stated.about("reason").map(str::to_owned)
    });
    Reason::new("rejected", super::rejection(said.as_deref().unwrap_or_default()))
}
