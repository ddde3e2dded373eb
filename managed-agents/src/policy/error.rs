//! What is wrong with policies, and where.

use std::fmt;
use std::path::{Path, PathBuf};

/// Policies cannot be used: every problem that was found, at most 50 of them. What was in force stays in force.
#[derive(Clone, Debug)]
pub struct PolicyError {
    problems: Vec<PolicyProblem>,
    unsigned: Option<String>,
}

impl PolicyError {
    const MOST: usize = 50;

    pub(super) fn new(mut problems: Vec<PolicyProblem>) -> Self {
        problems.truncate(Self::MOST);
        Self {
            problems,
            unsigned: None,
        }
    }

    pub(super) fn unsigned(why: String) -> Self {
        Self {
            problems: Vec::new(),
            unsigned: Some(why),
        }
    }

    /// Whether nothing is wrong but that no approver signed them last, which a harness with an operator asks for
    /// (`rules_unsigned`).
    #[must_use]
    pub fn is_unsigned(&self) -> bool {
        self.unsigned.is_some()
    }

    /// The problems, in the order of the files.
    #[must_use]
    pub fn problems(&self) -> &[PolicyProblem] {
        &self.problems
    }
}

impl From<PolicyProblem> for PolicyError {
    fn from(problem: PolicyProblem) -> Self {
        Self {
            problems: vec![problem],
            unsigned: None,
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = &self.unsigned {
            return f.write_str(why);
        }
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyError {}

/// One thing that is wrong with policies. `Display` begins with `file:line:`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicyProblem {
    file: PathBuf,
    line: usize,
    message: String,
}

impl PolicyProblem {
    pub(super) fn new(file: &Path, line: usize, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            message: message.into(),
        }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The line, from 1; 0 where the whole file is meant.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// What is wrong there.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display().to_string().escape_debug())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.message)
    }
}
