//! Passphrases: from the terminal or a file that only its owner reads, never from an argument.

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use super::failure::Failure;

/// No passphrase is longer.
const MOST_BYTES: u64 = 4096;

#[derive(Args, Debug)]
pub(super) struct Passphrase {
    /// File whose first line is the passphrase of the authority's key; only its owner may read it [default: the terminal is asked]
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Passphrase {
    /// Whether the terminal is asked, and no file read.
    pub(super) fn is_asked_for(&self) -> bool {
        self.passphrase_file.is_none()
    }

    /// The passphrase of a key that is there.
    pub(super) fn ask(&self, prompt: &str) -> Result<Zeroizing<String>, Failure> {
        match &self.passphrase_file {
            Some(file) => from_file(file),
            None => from_terminal(prompt),
        }
    }

    /// A new passphrase, asked for twice.
    pub(super) fn choose(&self) -> Result<Zeroizing<String>, Failure> {
        if let Some(file) = &self.passphrase_file {
            return from_file(file);
        }
        let text = from_terminal("New passphrase of the authority's key: ")?;
        let again = from_terminal("The same again: ")?;
        if *text != *again {
            return Err(Failure::new("the two passphrases differ; nothing was changed"));
        }
        Ok(text)
    }
}

fn from_terminal(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| {
        Failure::new(format!(
            "no passphrase can be asked for ({error}): run this on a terminal, or name a --passphrase-file"
        ))
    })
}

fn from_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let fail = |error: std::io::Error| Failure::of_file(path, error);
    let file = std::fs::File::open(path).map_err(fail)?;
    // asked of the open file, which cannot be exchanged any more
    let metadata = file.metadata().map_err(fail)?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::mode(&metadata) & 0o077 != 0 {
        let why = "others can read it; take that away with `chmod go=`";
        return Err(Failure::of_file(path, why));
    }
    if !metadata.is_file() {
        return Err(Failure::of_file(path, "it is no file"));
    }
    let mut text = Zeroizing::new(String::with_capacity(4096));
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(fail)?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

/// Whether a person sits at the keyboard.
pub(super) fn is_attended() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
