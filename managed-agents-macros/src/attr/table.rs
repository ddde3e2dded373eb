//! The keys by name, and how each is written.

/// Keys of a function: name and use.
pub(crate) const FUNCTION: &[(&str, &str)] = &[
    ("name", "name = \"mail.send\""),
    ("description", "description = \"…\""),
    ("action", "action = \"send\""),
    ("target", "target = expression"),
    ("risk", "risk = low | medium | high | critical"),
    ("read_only", "read_only"),
    ("reversible", "reversible"),
    ("irreversible", "irreversible"),
    ("compensate", "compensate = path"),
    ("idempotent", "idempotent"),
    ("redact", "redact(argument, argument.field)"),
    ("skip", "skip(argument)"),
    ("include", "include(self) or include(self = expression)"),
    ("subject", "subject = expression"),
    ("timeout", "timeout = \"5s\""),
    ("cancel", "cancel = drop | finish"),
    ("exact", "exact"),
    ("blocking", "blocking"),
    ("no_tool", "no_tool"),
    ("tool", "tool = name"),
    ("harness", "harness = expression"),
    ("crate", "crate = path"),
];

/// Keys of an `impl` block.
pub(crate) const BLOCK: &[(&str, &str)] = &[
    ("tools", "tools = name"),
    ("no_tool", "no_tool"),
    ("crate", "crate = path"),
];

/// Keys of a parameter.
pub(crate) const PARAMETER: &[(&str, &str)] = &[
    ("state", "state or state(id = expression)"),
    ("range", "range = 1..=10"),
    ("kind", "kind = shell | sql | path | url"),
];

/// Pairs that contradict each other, and why.
pub(crate) const CONFLICTS: &[(&str, &str, &str)] = &[
    (
        "read_only",
        "irreversible",
        "what changes nothing cannot be irreversible",
    ),
    ("read_only", "compensate", "what changes nothing needs no undoing"),
    ("reversible", "irreversible", "it is one or the other"),
    (
        "irreversible",
        "compensate",
        "what another function undoes is not irreversible",
    ),
    (
        "reversible",
        "compensate",
        "`compensate` already says that it can be undone, and how",
    ),
    ("blocking", "timeout", "a synchronous body cannot be stopped"),
    ("blocking", "cancel", "a synchronous body always runs to its end"),
    ("no_tool", "tool", "there is no descriptor to name"),
    ("no_tool", "tools", "there is no list to name"),
];

/// How `key` is written, wherever it belongs.
pub(crate) fn usage(key: &str) -> &'static str {
    [FUNCTION, BLOCK, PARAMETER]
        .into_iter()
        .flatten()
        .find(|(name, _)| *name == key)
        .map_or("", |(_, usage)| usage)
}
