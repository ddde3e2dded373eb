//! Why a built-in tool failed, as the model is told.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::Path;

use crate::error::GovernanceDenied;

/// Why a built-in tool failed, as the model is told.
#[derive(Debug)]
pub(in crate::claude) struct WorkerFault(Cow<'static, str>);

impl WorkerFault {
    pub(super) fn new(detail: impl Into<Cow<'static, str>>) -> Self {
        Self(detail.into())
    }

    pub(super) fn outside(path: &Path) -> Self {
        Self::new(format!("{}: not in the workspace", path.display()))
    }

    pub(super) fn io(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::new(format!("{}: there is no such file", path.display())),
            io::ErrorKind::PermissionDenied => Self::outside(path),
            _ => Self::new(format!("{}: {error}", path.display())),
        }
    }
}

impl From<GovernanceDenied> for WorkerFault {
    fn from(denied: GovernanceDenied) -> Self {
        Self::new(denied.to_tool_error().to_string())
    }
}

impl fmt::Display for WorkerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
