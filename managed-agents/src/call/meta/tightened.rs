//! What an operator's entry in the configuration makes of what a function declares of itself: only ever stricter (law 5).

use sha2::{Digest as _, Sha256};

use super::{ArgumentMeta, Judged, Reversibility, ToolMeta};
use crate::call::Digest;

impl ToolMeta {
    /// This metadata with all that is stricter in an entry: a higher risk, that it is irreversible, what an argument is
    /// also to be read as. Nothing when nothing is.
    ///
    /// It is another definition: a person approved the tool as it was declared then. Whether the tool says something of
    /// itself stays what it was.
    pub(crate) fn tightened_by(&self, entry: &Self) -> Option<Self> {
        let risk = entry.risk.filter(|risk| *risk > self.risk());
        let irreversible =
            entry.reversibility == Reversibility::Irreversible && self.reversibility != entry.reversibility;
        let kinds: Vec<ArgumentMeta> = entry
            .arguments
            .iter()
            .filter(|added| self.judges(added.name) && added.kind.is_some() && !self.has_kind(added))
            .copied()
            .collect();
        if risk.is_none() && !irreversible && kinds.is_empty() {
            return None;
        }
        let mut hash = Sha256::new();
        let mut part = |part: &str| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        part("ma-tightened/1");
        part(&self.definition.to_string());
        part(&risk.map_or_else(String::new, |risk| risk.to_string()));
        part(if irreversible { "irreversible" } else { "" });
        for added in &kinds {
            part(added.name);
            part(&format!("{:?}", added.kind));
        }
        let mut tightened = self.clone();
        tightened.definition = Digest::new(hash.finalize().into());
        tightened.risk = risk.or(self.risk);
        if irreversible {
            tightened.reversibility = Reversibility::Irreversible;
        }
        // beside what the argument is already: a second reading never replaces the first
        tightened.arguments.to_mut().extend(kinds);
        Some(tightened)
    }

    /// The keys of an entry that have no effect on this tool, since it is as strict by itself or has no such argument; as
    /// they stand in the configuration.
    pub(crate) fn without_effect(&self, entry: &Self) -> Vec<String> {
        let mut keys = Vec::new();
        if entry.risk.is_some_and(|risk| risk < self.risk()) {
            keys.push("risk".to_owned());
        }
        if entry.reversibility == Reversibility::Reversible && self.reversibility != entry.reversibility {
            keys.push("reversible".to_owned());
        }
        if entry.read_only && !self.read_only {
            keys.push("read_only".to_owned());
        }
        if entry.action.is_some() && entry.action != self.action {
            keys.push("action".to_owned());
        }
        if !entry.description.is_empty() && entry.description != self.description {
            keys.push("description".to_owned());
        }
        let unknown = entry.arguments.iter().filter(|added| !self.judges(added.name));
        keys.extend(unknown.map(|added| format!("arguments.{}", added.name)));
        keys
    }

    fn judges(&self, name: &str) -> bool {
        let mut arguments = self.arguments.iter();
        arguments.any(|own| own.name == name && own.judged == Judged::Yes)
    }

    fn has_kind(&self, added: &ArgumentMeta) -> bool {
        let mut arguments = self.arguments.iter();
        arguments.any(|own| own.name == added.name && own.kind == added.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{ArgKind, Risk};

    fn function() -> ToolMeta {
        ToolMeta::new("run")
            .with_risk(Risk::Medium)
            .with_argument("command", ArgKind::Shell)
    }

    #[test]
    fn what_is_stricter_counts_and_is_another_definition() {
        let entry = ToolMeta::new("run").with_risk(Risk::High).irreversible();
        let tightened = function().tightened_by(&entry).unwrap();
        assert_eq!(
            (tightened.risk(), tightened.reversibility()),
            (Risk::High, Reversibility::Irreversible)
        );
        assert_ne!(tightened.definition(), function().definition());
        assert!(tightened.tightened_by(&entry).is_none(), "once is enough");
    }

    #[test]
    fn what_is_laxer_changes_nothing_and_is_named() {
        let entry = ToolMeta::new("run")
            .with_risk(Risk::Low)
            .reversible()
            .read_only()
            .with_action("look")
            .with_argument("typo", ArgKind::Sql);
        assert!(function().tightened_by(&entry).is_none());
        let keys = function().without_effect(&entry);
        assert_eq!(keys, ["risk", "reversible", "read_only", "action", "arguments.typo"]);
    }

    #[test]
    fn a_kind_is_added_and_replaces_none() {
        let entry = ToolMeta::new("run").with_argument("command", ArgKind::Path);
        let tightened = function().tightened_by(&entry).unwrap();
        let kinds: Vec<_> = tightened.arguments().iter().map(|argument| argument.kind).collect();
        assert_eq!(kinds, [Some(ArgKind::Shell), Some(ArgKind::Path)]);
    }
}
