//! `init`: makes a data directory.

use clap::Args;
use serde::Serialize;

use super::failure::{Failure, shown_path};
use super::output::Output;
use super::passphrase::Passphrase;
use super::place::Place;
use crate::home::Home;
use crate::identity::{KeyDir, Moment};

/// Makes a data directory: keys, and an empty record
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when the directory is there and can be used, 1 when not.

A directory that is there stays as it is, but for --operator, which puts its authority's key under a passphrase.

Examples:
  managed-agents init
  managed-agents init --operator --data-dir /var/lib/bots")]
pub(super) struct Init {
    /// Keep the authority's key under a passphrase: programs then cannot register agents or change their states
    #[arg(long)]
    operator: bool,

    #[command(flatten)]
    passphrase: Passphrase,

    /// Name of the log, best an address without a scheme, such as `example.com/bots` [default: a random one]
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,

    /// Print what was made as one line of JSON
    #[arg(long)]
    json: bool,
}

/// The keys are stable.
#[derive(Serialize)]
struct Line<'a> {
    data_dir: &'a str,
    origin: &'a str,
    trust_domain: Option<&'a str>,
    operator: bool,
    new: bool,
}

impl Init {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let mut options = place.options()?;
        let new = crate::store::Reader::open(options.dir()).is_err();
        if let Some(origin) = &self.origin {
            if !new {
                return Err(Failure::new("the log has its name already: --origin is for a new one"));
            }
            options = options.origin(origin);
        }
        let keys = options.dir().join("keys");
        let locked = keys.join("authority.locked").exists();
        let home = if self.operator && !locked {
            let text = self.passphrase.choose()?;
            KeyDir::open(&keys)?.lock_authority(&text, None, Moment::now())?;
            Home::unlock(options, &text)?
        } else if locked && new {
            // an earlier `init --operator` did not come to its end
            Home::unlock(options, &self.passphrase.ask("Passphrase of the authority's key: ")?)?
        } else {
            Home::open(options)?
        };
        self.print(&home, new, out)?;
        if self.operator && home.root()?.is_none() {
            self.root(&home, out)?;
        }
        out.flush()?;
        Ok(0)
    }

    /// The root approver beside the authority. Its passphrase comes from the terminal and from no file.
    fn root(&self, home: &Home, out: &mut Output) -> Result<(), Failure> {
        if self.json || !self.passphrase.is_asked_for() {
            return if self.json {
                Ok(())
            } else {
                out.line("Nobody may approve calls yet: make the root approver on a terminal with `managed-agents approver init`.")
            };
        }
        out.flush()?;
        let fingerprint = super::approver::init(home)?;
        super::approver::tell_root(fingerprint, out)
    }

    fn print(&self, home: &Home, new: bool, out: &mut Output) -> Result<(), Failure> {
        let operator = home.keys().is_locked();
        let head = home.store().reader()?.head()?;
        let dir = shown_path(home.dir());
        if self.json {
            return out.json(&Line {
                data_dir: &dir,
                origin: head.origin(),
                trust_domain: home.trust().map(|trust| trust.trust_domain().as_str()),
                operator,
                new,
            });
        }
        if new {
            out.line(format_args!("{dir} is ready."))?;
        } else {
            out.line(format_args!("{dir} was there already, with {} records.", head.size()))?;
        }
        let keys = shown_path(home.keys().path());
        if operator {
            out.line(format_args!(
                "The authority's key lies in {keys}/authority.locked, under your passphrase: without it no agent can be registered, \
                 suspended or revoked, and nobody can recover it."
            ))?;
        } else if home.is_new() {
            out.line(format_args!(
                "The authority's key lies in {keys}/authority.key (0600). Whoever can read that file can register agents and change \
                 what they may do: also an agent that runs as this user. `managed-agents init --operator` puts it under a passphrase."
            ))?;
        }
        if new {
            out.line("Back up the keys apart from the record: `managed-agents backup` copies the record alone.")?;
        }
        Ok(())
    }
}
