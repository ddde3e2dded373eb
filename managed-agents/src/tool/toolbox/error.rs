//! Why a toolbox cannot be built.

use std::fmt;

/// A toolbox cannot be built; names everything that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ToolboxError {
    problems: Vec<ToolboxProblem>,
}

impl ToolboxError {
    pub(super) fn new(problems: Vec<ToolboxProblem>) -> Self {
        Self { problems }
    }

    /// Everything that is wrong.
    #[must_use]
    pub fn problems(&self) -> &[ToolboxProblem] {
        &self.problems
    }
}

impl fmt::Display for ToolboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if i == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for ToolboxError {}

/// One thing that is wrong with a toolbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ToolboxProblem {
    kind: ToolboxProblemKind,
    text: String,
}

/// What is wrong with a toolbox.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ToolboxProblemKind {
    /// A tool needs a state that was not given.
    MissingState,
    /// Two states of one type were given.
    RepeatedState,
    /// Two tools answer to one name.
    DuplicateName,
    /// A name that models cannot call.
    InvalidName,
    /// A tool says nothing of what it does, and this toolbox wants each to.
    Undescribed,
}

impl ToolboxProblem {
    /// What is wrong, by kind.
    #[must_use]
    pub fn kind(&self) -> ToolboxProblemKind {
        self.kind
    }

    pub(super) fn missing_state(tool: &str, parameter: &str) -> Self {
        Self {
            kind: ToolboxProblemKind::MissingState,
            text: format!(
                "tool `{tool}` needs `{parameter}`, which this toolbox has not been given: \
                 add `.state(value)` or `.shared(arc)`"
            ),
        }
    }

    pub(super) fn repeated_state(written: &str) -> Self {
        Self {
            kind: ToolboxProblemKind::RepeatedState,
            text: format!("two states of type `{written}` were given, and tools find theirs by type"),
        }
    }

    pub(super) fn duplicate_name(name: &str, other: &str) -> Self {
        let text = if name == other {
            format!("two tools are named `{name}`: name one of them with `#[governed(name = \"…\")]`")
        } else {
            format!("tools `{other}` and `{name}` share a name where dots are not taken")
        };
        Self {
            kind: ToolboxProblemKind::DuplicateName,
            text,
        }
    }

    pub(super) fn undescribed(name: &str) -> Self {
        Self {
            kind: ToolboxProblemKind::Undescribed,
            text: format!("tool `{name}` does not say what it does: give its function a doc comment"),
        }
    }

    pub(super) fn invalid_name(name: &str) -> Self {
        Self {
            kind: ToolboxProblemKind::InvalidName,
            text: format!("tool name `{name}` cannot be called: use 1 to 64 of a-z, A-Z, 0-9, `_`, `-` and `.`"),
        }
    }
}

impl fmt::Display for ToolboxProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
