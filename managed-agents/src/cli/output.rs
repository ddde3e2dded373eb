//! What a command writes; a reader that went away ends it quietly.

use std::io::{self, BufWriter, IsTerminal as _, StdoutLock, Write};

use super::failure::Failure;
use crate::audit::export::visible_json;

/// Standard output.
pub(super) struct Output {
    out: BufWriter<StdoutLock<'static>>,
    closed: bool,
}

impl Output {
    pub(super) fn stdout() -> Self {
        Self {
            out: BufWriter::with_capacity(64 * 1024, io::stdout().lock()),
            closed: false,
        }
    }

    /// Whether whoever read has gone away.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn line(&mut self, line: impl std::fmt::Display) -> Result<(), Failure> {
        let written = writeln!(self.out, "{line}");
        self.settle(written)
    }

    /// A value as one line of JSON.
    pub(super) fn json(&mut self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let mut line = match serde_json::to_string(value) {
            Ok(line) => line,
            Err(error) => return Err(Failure::unwritable(&error.into())),
        };
        // a terminal may be what reads it
        if line.bytes().any(|byte| !byte.is_ascii() || byte.is_ascii_control()) {
            line = visible_json(&line);
        }
        line.push('\n');
        self.bytes(line.as_bytes())
    }

    /// Bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.out.write_all(bytes);
        self.settle(written)
    }

    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        let flushed = self.out.flush();
        self.settle(flushed)
    }

    fn settle(&mut self, written: io::Result<()>) -> Result<(), Failure> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => Err(Failure::unwritable(&error)),
            Ok(()) => Ok(()),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Says something on standard error; when nobody reads that, nobody does.
pub(super) fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Whether standard output is a terminal whose user wants colours.
pub(super) fn wants_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A table in the form of Markdown, which a terminal shows well and a document takes as it is.
pub(super) fn table<const N: usize>(header: [&str; N], numbers_from: usize) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table
        .load_style(comfy_table::presets::ASCII_MARKDOWN)
        .set_header(header);
    for column in table.column_iter_mut().skip(numbers_from) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    table
}
