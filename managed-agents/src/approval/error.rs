//! Why a person's decision was not taken.

/// A person's decision was not taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApprovalError {
    kind: ApprovalErrorKind,
    ticket: String,
    detail: Option<String>,
}

/// Why a person's decision was not taken.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ApprovalErrorKind {
    /// The key belongs to nobody who may approve.
    NotEnrolled,
    /// No such ticket waits: it never did, was used, or expired.
    UnknownTicket,
    /// Somebody has decided already.
    AlreadyDecided,
    /// The same person approved it already, and another must.
    AnotherMust,
    /// Whoever decides may approve others, and not this: the agent that asks, or its owner.
    Excluded,
    /// The call cannot be approved with other arguments: its tool is not `exact`.
    NotEditable,
    /// The arguments that were to take the place of the call's own are none of it.
    UnfitEdit,
    /// Others approved it with other arguments, or as it is: all must approve the same.
    OtherEdit,
    /// The decision could not be recorded, or what it is about could not be read.
    Unrecorded,
}

impl ApprovalError {
    pub(crate) fn new(kind: ApprovalErrorKind, ticket: &str) -> Self {
        Self {
            kind,
            ticket: ticket.chars().take(80).collect(),
            detail: None,
        }
    }

    #[cfg(feature = "engine")]
    pub(crate) fn unfit_edit(ticket: &str, why: &str) -> Self {
        Self {
            detail: Some(why.to_owned()),
            ..Self::new(ApprovalErrorKind::UnfitEdit, ticket)
        }
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn unrecorded(ticket: &str, error: &dyn std::fmt::Display) -> Self {
        Self {
            detail: Some(error.to_string()),
            ..Self::new(ApprovalErrorKind::Unrecorded, ticket)
        }
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> ApprovalErrorKind {
        self.kind
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            ApprovalErrorKind::NotEnrolled => "not_enrolled",
            ApprovalErrorKind::UnknownTicket => "unknown_ticket",
            ApprovalErrorKind::AlreadyDecided => "already_decided",
            ApprovalErrorKind::AnotherMust => "another_must_approve",
            ApprovalErrorKind::Excluded => "approver_excluded",
            ApprovalErrorKind::NotEditable => "not_editable",
            ApprovalErrorKind::UnfitEdit => "unfit_edit",
            ApprovalErrorKind::OtherEdit => "edited_otherwise",
            ApprovalErrorKind::Unrecorded => "decision_unrecorded",
        }
    }
}

impl std::fmt::Display for ApprovalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let why = match self.kind {
            ApprovalErrorKind::NotEnrolled => "the key is not enrolled as an approver's",
            ApprovalErrorKind::UnknownTicket => "no such ticket waits",
            ApprovalErrorKind::AlreadyDecided => "somebody has decided on it already",
            ApprovalErrorKind::AnotherMust => "this key approved it already, and another person must",
            ApprovalErrorKind::Excluded => {
                "the agent that asks, and its owner where that is excluded, may not decide on it"
            }
            ApprovalErrorKind::NotEditable => {
                "its tool takes no arguments but those of the call; it can be approved or rejected as it is"
            }
            ApprovalErrorKind::UnfitEdit => "the arguments are not those of the call",
            ApprovalErrorKind::OtherEdit => {
                "others approved it with other arguments, or as it is; approve the same, or cancel the ticket"
            }
            ApprovalErrorKind::Unrecorded => "the decision was not recorded",
        };
        write!(f, "ticket `{}`: {why}", self.ticket.escape_debug())?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ApprovalError {}
