//! How far a replay is, on a terminal only.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How many bytes are read before the bar is told.
const STEP: u64 = 64 * 1024;

/// A bar on standard error, where that is a terminal.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    pending: u64,
}

impl Progress {
    /// A bar over the bytes of some files; none when `hidden`, as when the terminal shows the verdicts themselves.
    pub(super) fn over(files: &[PathBuf], hidden: bool) -> Self {
        let bar = (!hidden && io::stderr().is_terminal()).then(|| {
            let lengths = files.iter().map(|file| length(file));
            let bar = ProgressBar::with_draw_target(lengths.sum(), ProgressDrawTarget::stderr());
            let style = "{wide_bar} {bytes}/{total_bytes} {eta}";
            match ProgressStyle::with_template(style) {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        Self { bar, pending: 0 }
    }

    pub(super) fn advance(&mut self, bytes: u64) {
        self.pending += bytes;
        if self.pending >= STEP {
            if let Some(bar) = &self.bar {
                bar.inc(self.pending);
            }
            self.pending = 0;
        }
    }

    /// Writes something to the terminal without disturbing the bar.
    pub(super) fn above(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The length of a file, where it has one.
fn length(file: &Path) -> Option<u64> {
    let metadata = file.metadata().ok()?;
    metadata.is_file().then_some(metadata.len())
}
