//! `stop` and `resume`: ending what agents do, now.

use clap::Args;
use serde::Serialize;

use super::failure::Failure;
use super::output::{Output, table};
use super::passphrase::Passphrase;
use super::place::Place;
use super::signing::Signer;
use super::table::plain;
use crate::identity::Moment;
use crate::interrupt::{InterruptError, Stop as Stopping, StopRecord, Target};

/// Stops calls: no process admits them any more, and what runs is cancelled or told
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when it is recorded, which every process sees at its next call and, while calls run, within 100 ms; 1 when not.

Needs no key: whoever may write the record may stop. It holds until `resume`; of one call, until the call ends. Bodies are
cancelled at their next await; those with `cancel = finish` and synchronous ones are told and run to their end.

Examples:
  managed-agents stop --everything --reason runaway
  managed-agents stop --agent support-bot
  managed-agents stop --list")]
pub(super) struct Stop {
    #[command(flatten)]
    what: What,

    /// Why, as a code of your own in snake case
    #[arg(long, value_name = "CODE", default_value = "operator")]
    reason: String,

    /// It is a drill: it stops all the same, and every record of it says that it was one
    #[arg(long)]
    drill: bool,

    /// Print what is stopped, and stop nothing
    #[arg(long, conflicts_with_all = ["everything", "agent", "session", "call", "drill"])]
    list: bool,

    /// With --list: print each as one line of JSON
    #[arg(long, requires = "list")]
    json: bool,
}

/// Ends a stop
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when calls may begin again, 1 when not: nothing of exactly this is stopped, or a key that this needs is not here.

Needs the authority's key. Where there is a root approver (`approver init`), an approver signs the order as well, with the key that --as
names.")]
pub(super) struct Resume {
    #[command(flatten)]
    what: What,

    /// Why, as a code of your own in snake case
    #[arg(long, value_name = "CODE", default_value = "operator")]
    reason: String,

    #[command(flatten)]
    signer: Signer,

    #[command(flatten)]
    passphrase: Passphrase,
}

#[derive(Args, Debug)]
#[group(multiple = false)]
struct What {
    /// Every call of the record
    #[arg(long)]
    everything: bool,

    /// Calls of this agent
    #[arg(long, value_name = "ID")]
    agent: Option<String>,

    /// Calls of this session
    #[arg(long, value_name = "ID")]
    session: Option<String>,

    /// One call that runs, by its evaluation
    #[arg(long, value_name = "EVALUATION")]
    call: Option<String>,
}

/// The keys are stable.
#[derive(Serialize)]
struct Line<'a> {
    target: String,
    reason: &'a str,
    drill: bool,
    at: String,
    record: Option<u64>,
}

impl What {
    fn target(&self) -> Result<Target, Failure> {
        let text = match (self.everything, &self.agent, &self.session, &self.call) {
            (true, ..) => "everything".to_owned(),
            (_, Some(agent), ..) => format!("agent/{agent}"),
            (_, _, Some(session), _) => format!("session/{session}"),
            (_, _, _, Some(call)) => format!("call/{call}"),
            _ => {
                return Err(Failure::new("say what: --everything, --agent, --session or --call"));
            }
        };
        text.parse().map_err(|error: InterruptError| Failure::of(&error))
    }
}

impl Stop {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        if self.list {
            return self.list(place, out);
        }
        let stop = Stopping::of(self.what.target()?).because(self.reason.clone());
        let stop = if self.drill { stop.as_drill() } else { stop };
        let recorded = place.home()?.stop(&stop)?;
        let target = plain(&stop.target().to_string());
        let drill = if self.drill { " It is a drill." } else { "" };
        out.line(format_args!("{target} is stopped: record {}.{drill}", recorded.get()))?;
        out.flush()?;
        Ok(0)
    }

    fn list(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let stops = place.reader()?.stops()?;
        let at = |record: &StopRecord| Moment::from(record.at()).to_string();
        let header = ["stopped", "reason", "drill", "since", "record"];
        let mut table = table(header, header.len() - 1);
        for record in &stops {
            let (stop, place) = (record.stop(), record.place().map(crate::audit::Sequence::get));
            if self.json {
                out.json(&Line {
                    target: stop.target().to_string(),
                    reason: stop.reason(),
                    drill: stop.is_drill(),
                    at: at(record),
                    record: place,
                })?;
                continue;
            }
            table.add_row([
                plain(&stop.target().to_string()),
                plain(stop.reason()),
                stop.is_drill().to_string(),
                at(record),
                place.map(|place| place.to_string()).unwrap_or_default(),
            ]);
        }
        if !self.json {
            out.line(table)?;
        }
        out.flush()?;
        Ok(0)
    }
}

impl Resume {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let target = self.what.target()?;
        let home = place.home_of_operator(&self.passphrase)?;
        let shown = plain(&target.to_string());
        let ended = match self.signer.unlock_where_needed(&home)? {
            Some(key) => home.resume_signed(&target, &self.reason, &key)?,
            None => home.resume(&target, &self.reason)?,
        };
        match ended {
            Some(ended) => out.line(format_args!("{shown} may go on from {} on.", ended.at()))?,
            None => return Err(Failure::new(format!("{shown} is not stopped"))),
        }
        out.flush()?;
        Ok(0)
    }
}
