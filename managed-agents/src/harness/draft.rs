//! A call as its arguments are written down, before a harness has seen it.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::Harness;
use super::compensate::{self, Interrupted, Undoing};
use super::returned::{ArgumentWriter, GovernedArgument};
use super::scope::Scope;
use crate::call::{
    CallDetails, CanonicalError, CanonicalWriter, Head, MAX_BYTES, NoEntropyError, Redraft, ToolCall, ToolMeta, spare,
};
use crate::error::{DenialKind, GovernanceDenied};
use crate::verdict::EvaluationId;

/// How deep `ids` and `arguments` stand in the canonical call.
const DEPTH: u8 = 2;

/// A call as its arguments are written down; made by the expansion of `#[governed]`.
pub struct Draft {
    meta: &'static ToolMeta,
    /// None once the call was taken out.
    slip: Option<Box<Slip>>,
}

/// What the arguments are written on: never moved, since it was just written, and the next call of its thread writes on it too.
struct Slip {
    writer: CanonicalWriter,
    /// Where the object `arguments` begins; 0 before it does.
    arguments_at: usize,
    extras: Option<Box<Extras>>,
}

thread_local! {
    /// A slip with nothing on it.
    static SLIP: Cell<Option<Box<Slip>>> = const { Cell::new(None) };
}

impl Slip {
    /// Room for three small arguments without growing.
    const CAPACITY: usize = 128;

    #[inline(always)]
    fn take() -> Box<Self> {
        SLIP.try_with(Cell::take).ok().flatten().unwrap_or_else(Self::fresh)
    }

    #[inline(never)]
    fn fresh() -> Box<Self> {
        Box::new(Self {
            writer: CanonicalWriter::into_buffer(Vec::with_capacity(Self::CAPACITY), DEPTH),
            arguments_at: 0,
            extras: None,
        })
    }

    /// Leaves the slip to the next call of this thread.
    #[inline(always)]
    fn leave(mut self: Box<Self>) {
        if self.writer.wipe(DEPTH, spare::KEPT) && self.extras.is_none() {
            self.arguments_at = 0;
            // where the thread is ending, the memory ends here
            let _ = SLIP.try_with(|slip| slip.set(Some(self)));
        }
    }

    fn begin_arguments(&mut self) {
        if self.arguments_at == 0 {
            let out = self.writer.buffer();
            out.extend_from_slice(br#"},"arguments":{"#);
            self.arguments_at = out.len() - 1;
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.extras.get_or_insert_default().failure.get_or_insert(failure);
    }
}

/// What few calls have.
#[derive(Default)]
struct Extras {
    failure: Option<Failure>,
    target: Option<Box<str>>,
    subject: Option<Box<str>>,
    scope: Option<Scope>,
    judged: Option<Judged>,
    edits: Option<Edits>,
}

impl Extras {
    /// What belongs to the call, and the slot for its judged bytes.
    #[cold]
    fn split(self, parent: Option<EvaluationId>) -> Result<(Option<Box<CallDetails>>, Option<Judged>), Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let details = CallDetails {
            target: self.target,
            subject: self.subject,
            parent,
            context: None,
            edits: self.edits.map(|edits| Box::new(edits) as Box<dyn Redraft>),
        };
        Ok((details.into_option(), self.judged))
    }
}

/// A call as it is to be judged; few are odd.
pub(super) type Taken = Result<Arc<ToolCall>, Box<Odd>>;

/// What few calls are.
pub(super) enum Odd {
    /// Somebody waits for the judged bytes.
    Exact(Arc<ToolCall>, Judged),
    /// The arguments cannot be judged: the head that the call would have had, and why.
    Refused(Arc<Head>, Failure),
}

/// Why the arguments cannot be judged.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    pub(super) for_model: Cow<'static, str>,
    pub(super) detail: Option<String>,
}

impl Failure {
    pub(super) fn denial(self, tool: &str) -> GovernanceDenied {
        let denied = GovernanceDenied::new(DenialKind::InvalidArguments, self.code, self.for_model).with_tool(tool);
        match self.detail {
            Some(detail) => denied.with_detail(detail),
            None => denied,
        }
    }

    fn too_large(tool: &str) -> Self {
        Self {
            code: "too_large",
            for_model: format!("the arguments of `{tool}` are over 1 MiB").into(),
            detail: None,
        }
    }
}

impl Draft {
    /// Begins a call.
    #[must_use]
    pub fn new(meta: &'static ToolMeta) -> Self {
        Self {
            meta,
            slip: Some(Slip::take()),
        }
    }

    /// Writes the identity of state or `self`; before all arguments, in the order of the keys. The key is given as it stands
    /// in JSON, from the comma before it (if it is not the first) to its colon.
    pub fn id<T: GovernedArgument + ?Sized>(&mut self, key: &'static str, value: &T) {
        self.entry(key, value);
    }

    /// Writes an argument; in the order of the keys, each given as for [`id`](Self::id).
    pub fn argument<T: GovernedArgument + ?Sized>(&mut self, key: &'static str, value: &T) {
        self.slip().begin_arguments();
        self.entry(key, value);
    }

    /// Says whether an argument is in its declared range.
    pub fn range(&mut self, name: &'static str, fits: bool, range: &'static str) {
        if !fits {
            self.fail(Failure {
                code: "out_of_range",
                for_model: format!("argument `{name}` must be in {range}").into(),
                detail: None,
            });
        }
    }

    /// States what undoes calls of this function that are stopped.
    pub fn compensate(&mut self, once: &'static OnceLock<()>, undo: fn(Interrupted) -> Undoing) {
        compensate::declare(self.meta, once, undo);
    }

    /// States what the call is aimed at.
    pub fn target(&mut self, target: impl Into<String>) {
        self.extras().target = Some(target.into().into_boxed_str());
    }

    /// States the data subject that the call is about.
    pub fn subject(&mut self, subject: impl Into<String>) {
        self.extras().subject = Some(subject.into().into_boxed_str());
    }

    /// States the harness that judges, whatever is in scope.
    pub fn harness(&mut self, harness: &Harness) {
        self.extras().scope = Some(Scope::of(harness));
    }

    /// The bytes that will have been judged, for a body that runs with the values decoded from them.
    #[must_use]
    pub fn judged(&mut self) -> Judged {
        self.extras().judged.get_or_insert_default().clone()
    }

    /// How the call is written down with other arguments, given as one JSON object: what the expansion of an `exact` function does
    /// with those that it is called with, but for identities, which stay.
    pub fn edited_by(&mut self, write: fn(&str, &mut Self) -> Result<(), GovernanceDenied>) {
        let meta = self.meta;
        self.extras().edits = Some(Edits { meta, write });
    }

    pub(super) fn meta(&self) -> &'static ToolMeta {
        self.meta
    }

    /// Whether the call was taken out: what is left has no arguments.
    pub(super) fn is_spent(&self) -> bool {
        self.slip.is_none()
    }

    pub(super) fn own_scope(&self) -> Option<&Scope> {
        self.slip.as_ref()?.extras.as_ref()?.scope.as_ref()
    }

    /// The call, to be judged for the agent of the head that the place is of.
    #[inline(always)]
    pub(super) fn take_call(
        &mut self,
        place: Arc<ToolCall>,
        session: Option<&Arc<str>>,
        parent: Option<EvaluationId>,
    ) -> Taken {
        let mut slip = self.slip.take().unwrap_or_else(Slip::fresh);
        slip.begin_arguments();
        let out = slip.writer.buffer();
        out.extend_from_slice(b"}}");
        if place.head().len() + out.len() > MAX_BYTES {
            slip.fail(Failure::too_large(self.meta.name()));
        }
        let (details, judged) = match slip.extras.take() {
            None if parent.is_none() => (None, None),
            extras => match extras.map_or_else(Extras::default, |extras| *extras).split(parent) {
                Ok(split) => split,
                Err(mut failure) => {
                    if place.head().redacts_more() {
                        // the tool does not know that the value is redacted, which this may hold
                        failure.detail = None;
                    }
                    return refused(&place, failure);
                }
            },
        };
        let call = match place.written(slip.writer.buffer(), slip.arguments_at, session, details) {
            Ok(call) => call,
            Err((place, error)) => return refused(&place, no_entropy(error)),
        };
        slip.leave();
        match judged {
            None => Ok(call),
            Some(judged) => exact(call, judged),
        }
    }

    #[inline(always)]
    fn slip(&mut self) -> &mut Slip {
        self.slip.get_or_insert_with(Slip::fresh)
    }

    fn entry<T: GovernedArgument + ?Sized>(&mut self, key: &'static str, value: &T) {
        let writer = &mut self.slip().writer;
        writer.buffer().extend_from_slice(key.as_bytes());
        if let Err(error) = value.write(&mut ArgumentWriter(writer)) {
            self.refuse(key, &error);
        }
    }

    #[cold]
    fn refuse(&mut self, key: &'static str, error: &CanonicalError) {
        let name = key.trim_start_matches(',').trim_end_matches(':').trim_matches('"');
        let redacted = self
            .meta
            .arguments()
            .iter()
            .any(|argument| argument.name == name && !argument.redact.is_empty());
        self.fail(Failure {
            code: error.code(),
            for_model: format!("argument `{name}` cannot be judged: {error}").into(),
            // what a type says of its own value may hold the value
            detail: error
                .custom()
                .filter(|_| !redacted)
                .map(|custom| format!("argument `{name}` cannot be judged: {error}: {custom}")),
        });
    }

    #[cold]
    fn fail(&mut self, failure: Failure) {
        self.slip().fail(failure);
    }

    fn extras(&mut self) -> &mut Extras {
        self.slip().extras.get_or_insert_default()
    }
}

#[cold]
fn refused(place: &Arc<ToolCall>, failure: Failure) -> Taken {
    Err(Box::new(Odd::Refused(Arc::clone(place.head()), failure)))
}

#[cold]
fn exact(call: Arc<ToolCall>, judged: Judged) -> Taken {
    Err(Box::new(Odd::Exact(call, judged)))
}

/// Writes a call of one function down with other arguments.
struct Edits {
    meta: &'static ToolMeta,
    write: fn(&str, &mut Draft) -> Result<(), GovernanceDenied>,
}

impl Redraft for Edits {
    fn redraft(&self, call: &ToolCall, arguments: &str) -> Result<Arc<ToolCall>, String> {
        let mut draft = Draft::new(self.meta);
        draft.slip().writer.buffer().extend_from_slice(call.id_bytes());
        (self.write)(arguments, &mut draft).map_err(|denied| denied.reason_for_model().to_owned())?;
        let parent = call.parent().cloned();
        let place = ToolCall::blank(Arc::clone(call.head()));
        match draft.take_call(place, call.shared_session().as_ref(), parent) {
            Ok(call) => Ok(call),
            Err(odd) => match *odd {
                Odd::Exact(call, _) => Ok(call),
                Odd::Refused(_, failure) => Err(failure.for_model.into_owned()),
            },
        }
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("tool", &self.meta.name())
            .finish_non_exhaustive()
    }
}

pub(super) fn no_entropy(error: NoEntropyError) -> Failure {
    Failure {
        code: "no_entropy",
        for_model: Cow::Borrowed("the call cannot be recorded"),
        detail: Some(error.to_string()),
    }
}

/// The arguments that were judged, for a body that runs with the values decoded from them (`exact`).
#[derive(Clone, Default)]
pub struct Judged(Arc<OnceLock<String>>);

impl Judged {
    pub(super) fn set(&self, arguments: &str) {
        // set once, at admission
        let _ = self.0.set(arguments.to_owned());
    }

    /// The judged arguments as a JSON object; empty before the call was allowed.
    #[must_use]
    pub fn arguments(&self) -> &str {
        self.0.get().map_or("{}", String::as_str)
    }
}

impl fmt::Debug for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judged(..)")
    }
}
