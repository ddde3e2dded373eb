//! A configuration in words.

use std::fmt::Write as _;
use std::time::Duration;

use super::Config;
use super::tools::kind_word;
use crate::call::{Reversibility, Risk, ToolMeta};
#[cfg(feature = "screen")]
use crate::verdict::Decision;

impl Config {
    /// What the configuration does, in words, a line for each thing.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut out = String::new();
        // writing to a string cannot fail
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        match &self.agent {
            Some(agent) => writeln!(out, "The agent is `{agent}`, unless code or environment name another.")?,
            None => writeln!(out, "No agent is named: code or MANAGED_AGENTS_AGENT_ID must name one.")?,
        }
        self.write_scopes(out)?;
        if self.tools.is_empty() {
            writeln!(
                out,
                "No tool is declared: every call by a name that code does not declare either waits for a person."
            )?;
        }
        for tool in &self.tools {
            self.write_tool(out, tool)?;
        }
        self.write_modes(out)?;
        match &self.remote {
            Some(remote) => writeln!(
                out,
                "Verdicts come from the governance service at {}, its key from MANAGED_AGENTS_API_KEY.",
                remote.value.endpoint.as_deref().unwrap_or("its published address"),
            )?,
            None => writeln!(
                out,
                "Verdicts come from the embedded engine, unless code or MANAGED_AGENTS_ENDPOINT say otherwise."
            )?,
        }
        #[cfg(feature = "screen")]
        self.write_screen(out)?;
        if let Some(roots) = &self.workspace_roots {
            let roots: Vec<_> = roots
                .value
                .iter()
                .map(|root| shown(&root.display().to_string()))
                .collect();
            writeln!(out, "Agents work in {}.", roots.join(", "))?;
        }
        if let Some(shadow) = &self.shadow {
            let files: Vec<_> = shadow.value.iter().map(|file| shown(file)).collect();
            writeln!(
                out,
                "Those in {} judge beside them and decide nothing.",
                files.join(", ")
            )?;
        }
        for limit in self.limits.iter().flat_map(|limits| &limits.value) {
            writeln!(out, "At most {limit}.")?;
        }
        if let Some(policies) = &self.policies {
            let files: Vec<_> = policies.value.iter().map(|file| shown(file)).collect();
            writeln!(out, "Policies are read from {}.", files.join(", "))?;
        }
        Ok(())
    }

    #[cfg(feature = "screen")]
    fn write_screen(&self, out: &mut String) -> std::fmt::Result {
        let default = super::ScreenSettings::default();
        let settings = self.screen.as_ref().map_or(&default, |placed| &placed.value);
        let profile = &settings.profile;
        writeln!(
            out,
            "Arguments are screened with the profile `{}`; {} recipients, {} files or {} calendar entries on one call are too many.",
            profile.level.word(),
            profile.bulk.email,
            profile.bulk.file,
            profile.bulk.calendar,
        )?;
        for (code, decision) in &profile.rules {
            let verdict = match decision {
                Decision::Allow => "is allowed",
                Decision::Escalate => "waits for a person",
                Decision::Deny => "is denied",
            };
            writeln!(
                out,
                "What the rule `{code}` finds {verdict}, whatever the profile says."
            )?;
        }
        for own in &profile.patterns {
            let tools = own
                .tools()
                .map_or_else(String::new, |tools| format!(" of {}", shown(tools)));
            let verdict = if own.decision() == Decision::Deny {
                "is denied"
            } else {
                "waits for a person"
            };
            writeln!(
                out,
                "A call{tools} in which {} is found {verdict}.",
                shown(own.pattern())
            )?;
        }
        for (hosts, what) in [
            (&profile.allow_hosts, "Internal hosts that may be asked"),
            (&profile.only_hosts, "The only public hosts that URLs may lead to"),
            (&profile.deny_hosts, "Hosts that may not be asked"),
            (&settings.scratch, "Scratch places"),
            (&settings.protected, "Never changed by an agent"),
        ] {
            if !hosts.is_empty() {
                let hosts: Vec<_> = hosts.iter().map(|host| shown(host)).collect();
                writeln!(out, "{what}: {}.", hosts.join(", "))?;
            }
        }
        Ok(())
    }

    fn write_scopes(&self, out: &mut String) -> std::fmt::Result {
        let Some(scopes) = &self.scopes else {
            return writeln!(out, "Every agent may try every tool.");
        };
        for (agent, tools) in &scopes.value {
            let tools: Vec<_> = tools.iter().map(|tool| shown(tool)).collect();
            match tools.as_slice() {
                [] => writeln!(out, "`{agent}` may use no tool.")?,
                tools => writeln!(out, "`{agent}` may use only {}.", tools.join(", "))?,
            }
        }
        if let Some(agent) = &self.agent
            && !scopes.value.contains_key(agent)
        {
            writeln!(out, "`{agent}` has no scope, so it may use no tool.")?;
        }
        writeln!(out, "Any other agent may use no tool.")
    }

    fn write_tool(&self, out: &mut String, tool: &ToolMeta) -> std::fmt::Result {
        let verdict = if tool.risk() >= Risk::High {
            format!("waits for a person: its risk is {}", tool.risk())
        } else if tool.reversibility() == Reversibility::Irreversible {
            "waits for a person: it cannot be undone".to_owned()
        } else {
            format!("is allowed: its risk is {}", tool.risk())
        };
        write!(out, "A call of {} {verdict}", shown(tool.name()))?;
        for argument in tool.arguments() {
            if let Some(kind) = argument.kind {
                write!(out, "; {} is read as {}", shown(argument.name), kind_word(kind))?;
            }
        }
        let redacted: Vec<_> = self
            .redacted
            .iter()
            .filter(|(name, _)| name == tool.name())
            .map(|(_, pointer)| shown(pointer))
            .collect();
        if !redacted.is_empty() {
            write!(out, "; {} is never shown", redacted.join(", "))?;
        }
        writeln!(out, ".")
    }

    fn write_modes(&self, out: &mut String) -> std::fmt::Result {
        let modes = &self.modes;
        let proceeds = modes.block_on_escalate == Some(false);
        match modes.wait_for_approval {
            Some(time) => writeln!(
                out,
                "An escalated call waits {} for a person, and is refused then.",
                words(time)
            )?,
            None => writeln!(out, "An escalated call is refused until a person has approved it.")?,
        }
        match (modes.fail_open == Some(true), proceeds) {
            (true, true) => writeln!(
                out,
                "DANGER: what the governor escalates runs unapproved, unless its risk is high or it cannot be undone, and \
                 calls run without a verdict while the governance service cannot be reached.",
            )?,
            (true, false) => writeln!(
                out,
                "DANGER: calls run without a verdict while the governance service cannot be reached.",
            )?,
            (false, _) => writeln!(out, "A call for which no verdict can be had is denied.")?,
        }
        if let Some(time) = modes.timeout {
            writeln!(
                out,
                "A governor that has not answered after {} counts as silent.",
                words(time)
            )?;
        }
        Ok(())
    }
}

fn words(time: Duration) -> String {
    let (number, unit) = match time.as_millis() {
        millis if millis % 3_600_000 == 0 => (millis / 3_600_000, "hours"),
        millis if millis % 60_000 == 0 => (millis / 60_000, "minutes"),
        millis if millis % 1_000 == 0 => (millis / 1_000, "seconds"),
        millis => (millis, "milliseconds"),
    };
    let unit = if number == 1 { unit.trim_end_matches('s') } else { unit };
    format!("{number} {unit}")
}

fn shown(name: &str) -> String {
    format!("`{}`", name.escape_debug())
}
