//! What a tool returned, as the text that a model reads.

use std::fmt;

use serde::Serialize;

use super::vtable::{CallFault, CallResult};

/// The most bytes of a result that a model is given.
pub(super) const MAX_BYTES: usize = 256 * 1024;

/// What a tool returned, as the text that a model reads: nothing for `null`, a string as it is, else JSON; at most
/// 256 KiB, and a longer one says that it was cut.
#[derive(Clone)]
pub struct ToolValue(String);

impl ToolValue {
    /// The text of a value; `None` when it has no JSON form.
    pub(super) fn new<T: Serialize + ?Sized>(value: &T) -> Option<Self> {
        serde_json::to_string(value).ok().and_then(Self::from_json)
    }

    fn from_json(json: String) -> Option<Self> {
        let text = match json.as_bytes().first() {
            _ if json == "null" => String::new(),
            Some(b'"') => serde_json::from_str(&json).ok()?,
            _ => json,
        };
        Some(Self(bounded(text)))
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

impl fmt::Debug for ToolValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ToolValue({} bytes)", self.0.len())
    }
}

/// A type that a tool can return: `Result<T, E>` where `T: Serialize` and `E: Display`.
#[diagnostic::on_unimplemented(
    message = "a tool cannot show `{Self}` to a model",
    label = "must be `Result<T, E>` where `T: Serialize` and `E: Display`",
    note = "derive `serde::Serialize` on the value, or give up the tool with `#[governed(no_tool)]`"
)]
pub trait ToolReturn {
    /// The text for the model, or why there is none.
    #[expect(clippy::missing_errors_doc, reason = "called by generated code only")]
    fn into_call_result(self) -> CallResult;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize, E: fmt::Display> ToolReturn for Result<T, E> {
    fn into_call_result(self) -> CallResult {
        match self {
            Ok(value) => ToolValue::new(&value).ok_or(CallFault::Unshowable),
            Err(error) => Err(CallFault::Returned(bounded(error.to_string()))),
        }
    }
}

/// Ends a dispatched call.
#[expect(clippy::missing_errors_doc, reason = "called by generated code only")]
pub fn finish<R: ToolReturn>(returned: R) -> CallResult {
    returned.into_call_result()
}

/// Cuts a text to what a model is given, and says so in it.
pub(super) fn bounded(mut text: String) -> String {
    if text.len() <= MAX_BYTES {
        return text;
    }
    let whole = text.len();
    // room for the sentence
    let kept = text.floor_char_boundary(MAX_BYTES - 128);
    text.truncate(kept);
    text.push_str(&format!("\n[cut: these are the first {kept} of {whole} bytes]"));
    text
}
