//! The arguments of a call that is made by name: parsed strictly, before anything is judged.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::canonical::MAX_BYTES;
use super::strict::{self, StrictFault};

/// The arguments of a call by name: one JSON object, no key twice at any depth, at most 1 MiB and 64 deep.
///
/// # Examples
///
/// ```
/// use managed_agents::call::ToolInput;
/// assert!(ToolInput::parse(r#"{"command":"ls"}"#).is_ok());
/// assert!(ToolInput::parse(r#"{"command":"ls","command":"rm -rf ~"}"#).is_err());
/// ```
#[derive(Clone, PartialEq)]
pub struct ToolInput(Map<String, Value>);

impl ToolInput {
    /// Reads JSON text.
    ///
    /// # Errors
    ///
    /// [`InputError`] says what is wrong, and where; it does not repeat values.
    pub fn parse(json: &str) -> Result<Self, InputError> {
        if json.len() > MAX_BYTES {
            return Err(InputError::new("too_large", "the arguments are over 1 MiB".to_owned()));
        }
        strict::check(json, 0).map_err(|fault| match fault {
            StrictFault::Twice(key) => {
                let key: String = key.chars().take(80).collect();
                InputError::invalid(format!("the key `{}` is given twice", key.escape_debug()))
            }
            StrictFault::TooDeep => {
                InputError::new("too_large", "the arguments are nested more than 64 deep".to_owned())
            }
            StrictFault::Syntax(error) => InputError::invalid(format!("the arguments are not valid JSON: {error}")),
        })?;
        match serde_json::from_str(json) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            _ => Err(InputError::invalid("the arguments are not a JSON object".to_owned())),
        }
    }

    /// The arguments as a JSON object.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The arguments as a JSON object, owned.
    #[must_use]
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

impl fmt::Debug for ToolInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.keys().collect();
        f.debug_tuple("ToolInput").field(&names).finish()
    }
}

impl Serialize for ToolInput {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl TryFrom<Value> for ToolInput {
    type Error = InputError;

    fn try_from(value: Value) -> Result<Self, InputError> {
        match value {
            Value::Object(map) => Ok(Self(map)),
            _ => Err(InputError::invalid("the arguments are not a JSON object".to_owned())),
        }
    }
}

impl TryFrom<&Value> for ToolInput {
    type Error = InputError;

    fn try_from(value: &Value) -> Result<Self, InputError> {
        value.clone().try_into()
    }
}

impl From<Map<String, Value>> for ToolInput {
    fn from(map: Map<String, Value>) -> Self {
        Self(map)
    }
}

impl TryFrom<&str> for ToolInput {
    type Error = InputError;

    fn try_from(json: &str) -> Result<Self, InputError> {
        Self::parse(json)
    }
}

impl TryFrom<&String> for ToolInput {
    type Error = InputError;

    fn try_from(json: &String) -> Result<Self, InputError> {
        Self::parse(json)
    }
}

impl TryFrom<String> for ToolInput {
    type Error = InputError;

    fn try_from(json: String) -> Result<Self, InputError> {
        Self::parse(&json)
    }
}

/// The arguments of a call by name cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InputError {
    code: &'static str,
    message: String,
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InputError {}

impl InputError {
    fn new(code: &'static str, message: String) -> Self {
        Self { code, message }
    }

    fn invalid(message: String) -> Self {
        Self::new("invalid_arguments", message)
    }

    /// The stable code: `too_large` or `invalid_arguments`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl From<std::convert::Infallible> for InputError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_given_twice_is_refused_at_any_depth() {
        for json in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":[{"c":1,"c":2}]}}"#,
            r#"{"a":1,"\u0061":2}"#,
        ] {
            let error = ToolInput::parse(json).unwrap_err();
            assert!(error.to_string().contains("given twice"), "{error}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for json in ["", "[]", "7", "{} {}", "{\"a\":1e999}", "nul"] {
            assert!(ToolInput::parse(json).is_err(), "{json}");
        }
    }

    #[test]
    fn nesting_and_size_are_bounded_without_overflowing_the_stack() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(ToolInput::parse(&deep).is_err());
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BYTES));
        assert_eq!(ToolInput::parse(&large).unwrap_err().code(), "too_large");
    }

    #[test]
    fn debug_shows_names_and_no_values() {
        let input = ToolInput::parse(r#"{"password":"hunter2"}"#).unwrap();
        assert!(!format!("{input:?}").contains("hunter2"));
    }
}
