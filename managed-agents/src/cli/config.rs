//! `config check`: what a configuration does.

use std::path::PathBuf;

use clap::Subcommand;

use super::failure::{Failure, shown, shown_path};
use super::output::Output;
use super::place::Place;
use super::tools::tools_of;
use crate::config::{Config, FILE_NAME};
use crate::harness::Rejudge;

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Reads a configuration and says what it does, in words
    #[command(after_help = "Exit code: 0 when the file can be used, 1 when not; the error names file and line.")]
    Check {
        /// The file [default: ./managed-agents.toml, else $MANAGED_AGENTS_HOME/managed-agents.toml]
        file: Option<PathBuf>,

        /// Say also which keys have no effect on these tools, as a program wrote them with `config::write_tools`
        #[arg(long, value_name = "FILE")]
        tools: Option<PathBuf>,
    },
    Sign(super::sign::Sign),
}

impl ConfigCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let (file, tools) = match self {
            Self::Check { file, tools } => (file, tools),
            Self::Sign(sign) => {
                sign.run(place, out)?;
                out.flush()?;
                return Ok(0);
            }
        };
        let file = match file {
            Some(file) => file.clone(),
            None => Config::find()?
                .ok_or_else(|| Failure::new(format!("there is no {FILE_NAME} here nor in $MANAGED_AGENTS_HOME")))?,
        };
        let config = Config::load(&file)?;
        let tools = tools.as_deref().map(tools_of).transpose()?.unwrap_or_default();
        // what a program would do with it at its start: the policies it names are read as well
        Rejudge::new(&config, tools.clone(), None)?;
        out.line(format_args!("{} can be used.", shown_path(&file)))?;
        for line in config.describe().lines() {
            out.line(line)?;
        }
        for tool in tools {
            for key in config.without_effect(&tool) {
                let (tool, key) = (shown(tool.name()), shown(&key));
                out.line(format_args!(
                    "`{key}` has no effect on the function `{tool}`: it is no stricter there."
                ))?;
            }
        }
        out.flush()?;
        Ok(0)
    }
}
