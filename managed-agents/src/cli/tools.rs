//! `tools`: what is known of tools, in files and as a table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::failure::{Failure, shown, shown_path};
use super::judging::configuration;
use super::output::{Output, table};
use crate::call::{Reversibility, Risk, ToolMeta};
use crate::config::{kind_word, read_tools, write_tools};

#[derive(Debug, Subcommand)]
pub(super) enum ToolsCommand {
    /// Prints a file of tools as a table
    List {
        /// The file, as a program wrote it with `config::write_tools`
        file: PathBuf,
    },
    /// Checks a file of tools, and names what it leaves open
    #[command(after_help = "Exit code: 0 when the file can be used, 1 when not.")]
    Check {
        /// The file, as a program wrote it with `config::write_tools`
        file: PathBuf,
    },
    /// Writes the tools of a configuration, and of further files, as one file of tools
    #[command(after_help = "\
A program writes its own: `managed_agents::config::write_tools(toolbox.tools().map(|tool| tool.meta()), file)`.
Where two files say something of the same tool, the last one counts; a configuration makes it stricter, never laxer.")]
    Export {
        /// Files of tools to add
        files: Vec<PathBuf>,

        /// Configuration file [default: ./managed-agents.toml, else $MANAGED_AGENTS_HOME/managed-agents.toml, where there is one]
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

impl ToolsCommand {
    pub(super) fn run(&self, out: &mut Output) -> Result<u8, Failure> {
        match self {
            Self::List { file } => list(&tools_of(file)?, out)?,
            Self::Check { file } => check(file, &tools_of(file)?, out)?,
            Self::Export { files, config } => export(files, config.as_ref(), out)?,
        }
        out.flush()?;
        Ok(0)
    }
}

pub(super) fn tools_of(file: &Path) -> Result<Vec<ToolMeta>, Failure> {
    let open = std::fs::File::open(file).map_err(|error| Failure::of_file(file, error))?;
    read_tools(open).map_err(|error| Failure::of_tools(file, &error))
}

fn list(tools: &[ToolMeta], out: &mut Output) -> Result<(), Failure> {
    let header = [
        "tool",
        "risk",
        "reversible",
        "reads only",
        "arguments",
        "unless policy says otherwise",
    ];
    let mut table = table(header, header.len());
    for tool in tools {
        table.add_row([
            shown(tool.name()),
            if tool.is_declared() {
                tool.risk().to_string()
            } else {
                "undeclared".to_owned()
            },
            reversible(tool.reversibility()).to_owned(),
            if tool.is_read_only() { "yes" } else { "" }.to_owned(),
            arguments(tool),
            verdict(tool).to_owned(),
        ]);
    }
    out.line(table)
}

fn check(file: &Path, tools: &[ToolMeta], out: &mut Output) -> Result<(), Failure> {
    out.line(format_args!("{} can be used: {} tools.", shown_path(file), tools.len()))?;
    for tool in tools {
        let name = shown(tool.name());
        if !tool.is_declared() {
            out.line(format_args!(
                "`{name}` declares nothing: it counts as medium risk, and is allowed."
            ))?;
        }
        for part in tool.not_judged() {
            out.line(format_args!("`{name}` takes `{}`, which is not judged.", shown(part)))?;
        }
    }
    Ok(())
}

fn export(files: &[PathBuf], config: Option<&PathBuf>, out: &mut Output) -> Result<(), Failure> {
    let mut by_name = BTreeMap::new();
    let configured = configuration(config)?.unwrap_or_default().tools;
    for tool in &configured {
        by_name.insert(tool.name().to_owned(), tool.clone());
    }
    for file in files {
        for tool in tools_of(file)? {
            // as the program judges it
            let entry = configured.iter().find(|entry| entry.name() == tool.name());
            let tightened = entry.and_then(|entry| tool.tightened_by(entry));
            by_name.insert(tool.name().to_owned(), tightened.unwrap_or(tool));
        }
    }
    match write_tools(by_name.values(), &mut *out) {
        Err(_) if out.is_closed() => Ok(()),
        result => result.map_err(|error| Failure::new(error.to_string())),
    }
}

fn reversible(reversibility: Reversibility) -> &'static str {
    match reversibility {
        Reversibility::Unknown => "",
        Reversibility::Reversible => "yes",
        Reversibility::Irreversible => "no",
        Reversibility::Compensable => "compensable",
    }
}

fn arguments(tool: &ToolMeta) -> String {
    let arguments = tool.arguments().iter().map(|argument| {
        let name = shown(argument.name);
        match argument.kind {
            Some(kind) => format!("{name}: {}", kind_word(kind)),
            None => name,
        }
    });
    arguments.collect::<Vec<_>>().join(", ")
}

fn verdict(tool: &ToolMeta) -> &'static str {
    if tool.risk() >= Risk::High || tool.reversibility() == Reversibility::Irreversible {
        "escalate"
    } else {
        "allow"
    }
}
