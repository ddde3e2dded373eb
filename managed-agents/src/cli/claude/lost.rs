//! `claude lost`.

use std::time::SystemTime;

use clap::Args;
use serde::Serialize;

use crate::claude::LostCall;
use crate::cli::BAD;
use crate::cli::failure::{Failure, shown};
use crate::cli::output::Output;
use crate::cli::place::Place;
use crate::identity::Moment;

/// Shows the calls of sessions of which nobody knows how they ended: the process that ran them died
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when there are none, 2 when there are, 1 on errors.

Such a call was answered with an error that says so, and is not run again. Whether it took effect only its tool's own records tell.")]
pub(in crate::cli) struct Lost {
    /// Print each as one line of JSON
    #[arg(long)]
    json: bool,
}

/// The keys are stable.
#[derive(Serialize)]
struct Line<'a> {
    session: &'a str,
    event: &'a str,
    tool: &'a str,
    taken: String,
}

impl Lost {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let lost = LostCall::all(&place.dir()?).map_err(|error| Failure::of(&error))?;
        for call in &lost {
            let line = Line {
                session: call.session(),
                event: call.event(),
                tool: call.tool(),
                taken: moment(call.taken()),
            };
            if self.json {
                out.json(&line)?;
            } else {
                let (tool, session, event) = (shown(line.tool), shown(line.session), shown(line.event));
                out.line(format_args!("{} {tool} ({session}, {event})", line.taken))?;
            }
        }
        Ok(if lost.is_empty() { 0 } else { BAD })
    }
}

fn moment(at: SystemTime) -> String {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Moment::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)).to_string()
}
