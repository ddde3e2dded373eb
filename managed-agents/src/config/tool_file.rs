//! A program's tools in a file, for the commands that judge without the program: `ma-tools/1`.

use std::io::{Read, Write};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::tools::interned;
use crate::call::{ArgKind, ArgumentMeta, Cancel, Digest, Judged, MetaParts, Reversibility, Risk, ToolMeta};

const FORMAT: &str = "ma-tools/1";

/// The largest file that is read.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Writes what a program knows of its tools as JSON, for `managed-agents check --tools FILE` and its other commands. It
/// holds declarations, and nothing secret.
///
/// # Errors
///
/// [`ToolFileError`] when `out` cannot be written.
///
/// # Examples
///
/// ```
/// use managed_agents::config::{read_tools, write_tools};
/// use managed_agents::{Risk, ToolMeta};
/// // with a toolbox: `write_tools(toolbox.tools().map(|tool| tool.meta()), file)`
/// let mut file = Vec::new();
/// write_tools([&ToolMeta::new("refund").with_risk(Risk::High)], &mut file)?;
/// assert_eq!(read_tools(file.as_slice())?[0].risk(), Risk::High);
/// # Ok::<_, managed_agents::config::ToolFileError>(())
/// ```
pub fn write_tools<'a>(
    tools: impl IntoIterator<Item = &'a ToolMeta>,
    mut out: impl Write,
) -> Result<(), ToolFileError> {
    let file = ToolFile {
        format: FORMAT.to_owned(),
        tools: tools.into_iter().map(Entry::of).collect(),
    };
    serde_json::to_writer_pretty(&mut out, &file)
        .map_err(std::io::Error::from)
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush())
        .map_err(|error| ToolFileError(format!("the tools cannot be written: {error}")))
}

/// Reads what [`write_tools`] wrote. Texts of the file are kept until the process ends.
///
/// # Errors
///
/// [`ToolFileError`] when it is no such file, is of another version, or holds a tool twice.
pub fn read_tools(file: impl Read) -> Result<Vec<ToolMeta>, ToolFileError> {
    let mut text = String::new();
    file.take(MOST_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| ToolFileError(format!("the tools cannot be read: {error}")))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(ToolFileError("the file is over 16 MiB".to_owned()));
    }
    let file: ToolFile =
        serde_json::from_str(&text).map_err(|error| ToolFileError(format!("not a file of tools: {error}")))?;
    if file.format != FORMAT {
        return Err(ToolFileError(format!(
            "the file is `{}`, and this program reads `{FORMAT}`",
            file.format.escape_debug()
        )));
    }
    let mut names = std::collections::BTreeSet::new();
    for entry in &file.tools {
        if !names.insert(entry.name.as_str()) {
            return Err(ToolFileError(format!(
                "the tool `{}` is there twice",
                entry.name.escape_debug()
            )));
        }
    }
    file.tools.iter().map(Entry::restored).collect()
}

/// A file of tools cannot be written or read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct ToolFileError(String);

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ToolFile {
    format: String,
    tools: Vec<Entry>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compensate: Option<String>,
    risk: Risk,
    reversibility: Reversibility,
    read_only: bool,
    idempotent: bool,
    arguments: Vec<Argument>,
    target_redacted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
    finishes: bool,
    blocking: bool,
    exact: bool,
    declared: bool,
    definition: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Argument {
    name: String,
    judged: Part,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<ArgKind>,
    redact: Vec<String>,
}

/// [`Judged`], as the file spells it.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    Yes,
    Skipped,
    State,
    Receiver,
    Identity,
}

impl Entry {
    fn of(meta: &ToolMeta) -> Self {
        Self {
            name: meta.name().to_owned(),
            description: meta.description().to_owned(),
            action: meta.action().map(ToOwned::to_owned),
            compensate: meta.compensate().map(ToOwned::to_owned),
            risk: meta.risk(),
            reversibility: meta.reversibility(),
            read_only: meta.is_read_only(),
            idempotent: meta.is_idempotent(),
            arguments: meta.arguments().iter().map(Argument::of).collect(),
            target_redacted: meta.is_target_redacted(),
            timeout_ms: meta
                .timeout()
                .map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            finishes: meta.cancel() == Cancel::Finish,
            blocking: meta.is_blocking(),
            exact: meta.is_exact(),
            declared: meta.is_declared(),
            definition: meta.definition().to_string(),
        }
    }

    fn restored(&self) -> Result<ToolMeta, ToolFileError> {
        let arguments: Vec<_> = self.arguments.iter().map(Argument::restored).collect();
        Ok(ToolMeta::from_macro(MetaParts {
            name: interned(&self.name),
            description: interned(&self.description),
            action: self.action.as_deref().map(interned),
            compensate: self.compensate.as_deref().map(interned),
            risk: Some(self.risk),
            reversibility: self.reversibility,
            read_only: self.read_only,
            idempotent: self.idempotent,
            arguments: arguments.leak(),
            target_redacted: self.target_redacted,
            timeout: self.timeout_ms.map(Duration::from_millis),
            cancel: if self.finishes { Cancel::Finish } else { Cancel::Drop },
            blocking: self.blocking,
            exact: self.exact,
            declared: self.declared,
            definition: *digest(&self.definition)
                .ok_or_else(|| {
                    ToolFileError(format!(
                        "the definition of `{}` is not 64 hexadecimal digits",
                        self.name.escape_debug()
                    ))
                })?
                .as_bytes(),
        }))
    }
}

impl Argument {
    fn of(argument: &ArgumentMeta) -> Self {
        Self {
            name: argument.name.to_owned(),
            judged: match argument.judged {
                Judged::Yes => Part::Yes,
                Judged::Skipped => Part::Skipped,
                Judged::State => Part::State,
                Judged::Receiver => Part::Receiver,
                Judged::Identity => Part::Identity,
            },
            kind: argument.kind,
            redact: argument.redact.iter().map(ToString::to_string).collect(),
        }
    }

    fn restored(&self) -> ArgumentMeta {
        let redact: Vec<_> = self.redact.iter().map(|pointer| interned(pointer)).collect();
        ArgumentMeta {
            name: interned(&self.name),
            judged: match self.judged {
                Part::Yes => Judged::Yes,
                Part::Skipped => Judged::Skipped,
                Part::State => Judged::State,
                Part::Receiver => Judged::Receiver,
                Part::Identity => Judged::Identity,
            },
            kind: self.kind,
            redact: redact.leak(),
        }
    }
}

fn digest(text: &str) -> Option<Digest> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .filter_map(|pair| match pair {
            [high, low] => Some(high << 4 | low),
            _ => None,
        })
        .collect();
    (digits.len() == 64).then(|| bytes.try_into().ok())?.map(Digest::new)
}
