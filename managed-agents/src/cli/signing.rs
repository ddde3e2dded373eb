//! An approver's key, unlocked from the controlling terminal and from nowhere else.

use clap::Args;
use zeroize::Zeroizing;

use super::failure::Failure;
use super::table::plain;
use crate::approval::ApproverKey;
use crate::home::Home;
use crate::identity::{KeyDir, PrivateKey};

/// What the root approver's key file is called.
pub(super) const ROOT_KEY: &str = "root";

/// The key that signs.
#[derive(Args, Debug)]
pub(super) struct Signer {
    /// Name of the key file that signs, `keys/approver-NAME.locked`; its passphrase is asked for on the terminal
    #[arg(long = "as", value_name = "NAME", default_value = ROOT_KEY)]
    signer: String,
}

impl Signer {
    pub(super) fn of(name: &str) -> Self {
        Self {
            signer: name.to_owned(),
        }
    }

    /// The key, where there is a root approver, so that an approver must sign; else none is asked for.
    pub(super) fn unlock_where_needed(&self, home: &Home) -> Result<Option<ApproverKey>, Failure> {
        match home.root()? {
            Some(_) => self.unlock(home.keys()).map(Some),
            None => Ok(None),
        }
    }

    /// Asks for the passphrase. An agent that runs this has no person at its terminal, and nothing else is read: no standard
    /// input, no argument, no environment.
    pub(super) fn unlock(&self, keys: &KeyDir) -> Result<ApproverKey, Failure> {
        let names = keys.approver_names()?;
        if !names.contains(&self.signer) {
            return Err(Failure::new(format!(
                "there is no key `{}` in {}: name one with --as{}",
                plain(&self.signer),
                super::failure::shown_path(keys.path()),
                listed(&names)
            )));
        }
        let prompt = format!("Passphrase of approver key `{}`: ", plain(&self.signer));
        let text = from_terminal(&prompt)?;
        let key = keys.unlock_approver(&self.signer, &text)?;
        Ok(ApproverKey::from_bytes(&key.reveal()))
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => ", or make the root approver with `managed-agents approver init`".to_owned(),
        names => format!(" ({})", plain(&names.join(", "))),
    }
}

/// Makes a key under a new passphrase, asked for twice.
pub(super) fn make(keys: &KeyDir, name: &str) -> Result<ApproverKey, Failure> {
    let key = PrivateKey::generate()?;
    let text = from_terminal(&format!("New passphrase of approver key `{}`: ", plain(name)))?;
    let again = from_terminal("The same again: ")?;
    if *text != *again {
        return Err(Failure::new("the two passphrases differ; nothing was changed"));
    }
    keys.lock_approver(name, &key, &text)?;
    Ok(ApproverKey::from_bytes(&key.reveal()))
}

fn from_terminal(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| {
        Failure::new(format!(
            "an approver's passphrase is asked for on a terminal, and there is none ({error})"
        ))
    })
}
