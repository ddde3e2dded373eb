//! `approver`: who may approve.

use clap::Subcommand;
use serde::Serialize;

use super::failure::Failure;
use super::output::{Output, table};
use super::place::Place;
use super::signing::{ROOT_KEY, Signer, make};
use super::table::plain;
use crate::approval::{Approver, ApproverKey, ApproverPublicKey};
use crate::home::Home;
use crate::identity::{KeyId, PublicKey};

#[derive(Debug, Subcommand)]
pub(super) enum ApproverCommand {
    /// Makes the root approver's key, which enrols all others
    #[command(after_help = "\
Exit code: 0 when there is a root approver now, 1 when not.

Its fingerprint is for the program's code: Harness::builder().operator(\"FINGERPRINT\").")]
    Init,
    /// Enrols an approver
    #[command(after_help = "\
Exit code: 0 when the key is enrolled, 1 when not.

Examples:
  managed-agents approver add ann@example.com
  managed-agents approver add bob --key 5866666666666666666666666666666666666666666666666666666666666666")]
    Add {
        /// Name to enrol the key under
        name: String,

        /// Public key, 64 hexadecimal digits, whose holder keeps the private half [default: a key is made here, under a passphrase]
        #[arg(long, value_name = "HEX")]
        key: Option<String>,

        /// The approver may enrol and remove others
        #[arg(long)]
        may_enrol: bool,

        #[command(flatten)]
        signer: Signer,
    },
    /// Prints who may approve as a table
    #[command(after_help = "Exit code: 0, or 1 when the record cannot be read.")]
    List {
        /// Print each approver as one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Removes an approver: what it approved and nobody has used yet is worth nothing any more
    #[command(after_help = "Exit code: 0 when the key is enrolled no more, 1 when not.")]
    Remove {
        /// Name or key id
        approver: String,

        #[command(flatten)]
        signer: Signer,
    },
}

/// The keys are stable.
#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    key: String,
    public: String,
    may_enrol: bool,
    root: bool,
    enrolled_by: Option<String>,
    since: Option<String>,
}

impl ApproverCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let home = place.home()?;
        match self {
            Self::Init => {
                let fingerprint = init(&home)?;
                tell_root(fingerprint, out)?;
            }
            Self::Add {
                name,
                key,
                may_enrol,
                signer,
            } => {
                let enrolled = add(&home, name, key.as_deref(), *may_enrol, signer)?;
                out.line(format_args!(
                    "{} may approve from now on, with key {}.",
                    plain(enrolled.name()),
                    enrolled.key().id()
                ))?;
            }
            Self::List { json } => list(&home, *json, out)?,
            Self::Remove { approver, signer } => {
                let found = find(&home, approver)?;
                home.remove_approver(found.key().id(), &signer.unlock(home.keys())?)?;
                out.line(format_args!("{} may not approve any more.", plain(found.name())))?;
            }
        }
        out.flush()?;
        Ok(0)
    }
}

/// Makes the root approver; needs a terminal.
pub(super) fn init(home: &Home) -> Result<KeyId, Failure> {
    if home.root()?.is_some() {
        return Err(Failure::new("there is a root approver already"));
    }
    let there = home.keys().approver_names()?.contains(&ROOT_KEY.to_owned());
    let key = if there {
        // an earlier run did not come to its end
        let signer = Signer::of(ROOT_KEY);
        signer.unlock(home.keys())?
    } else {
        make(home.keys(), ROOT_KEY)?
    };
    Ok(home.enrol_root(&key)?)
}

pub(super) fn tell_root(fingerprint: KeyId, out: &mut Output) -> Result<(), Failure> {
    out.line(format_args!(
        "The root approver's key is under your passphrase. Give its fingerprint to your program in code, never in a file:\n\n    \
         Harness::builder().operator(\"{fingerprint}\")\n"
    ))
}

fn add(home: &Home, name: &str, key: Option<&str>, may_enrol: bool, signer: &Signer) -> Result<Approver, Failure> {
    let by = signer.unlock(home.keys())?;
    let public = match key {
        Some(key) => ApproverPublicKey::from_bytes(&PublicKey::parse(key)?.to_bytes())
            .map_err(|error| Failure::new(error.to_string()))?,
        None => ApproverKey::public(&make(home.keys(), name)?),
    };
    Ok(home.enrol_approver(name, public, may_enrol, &by)?)
}

fn list(home: &Home, json: bool, out: &mut Output) -> Result<(), Failure> {
    let roster = home.approvers()?;
    let lines = roster.members().iter().map(|member| Line {
        name: member.name(),
        key: member.key().id().to_string(),
        public: member.key().to_string(),
        may_enrol: member.may_enrol(),
        root: roster.operator() == Some(member.key().id()),
        enrolled_by: member.enrolled_by().map(|key| key.to_string()),
        since: member.since().map(|since| since.to_string()),
    });
    if json {
        return lines.into_iter().try_for_each(|line| out.json(&line));
    }
    let mut table = table(["name", "key", "may enrol", "since", "enrolled by"], 5);
    for line in lines {
        table.add_row([
            plain(line.name),
            line.key,
            if line.may_enrol { "yes" } else { "no" }.to_owned(),
            line.since.unwrap_or_default(),
            line.enrolled_by.unwrap_or_default(),
        ]);
    }
    out.line(table)
}

fn find(home: &Home, approver: &str) -> Result<Approver, Failure> {
    let roster = home.approvers()?;
    let mut found = roster
        .members()
        .iter()
        .filter(|member| member.name() == approver || member.key().id().to_string() == approver);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.clone()),
        (Some(_), Some(_)) => Err(Failure::new("several keys have this name: say the key id")),
        _ => Err(Failure::new(format!("`{}` is no approver", plain(approver)))),
    }
}
