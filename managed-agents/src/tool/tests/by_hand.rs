//! Tools as the expansion of `#[governed]` writes them, written by hand.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::call::{ArgumentMeta, Cancel, Judged, MetaParts, Reversibility, ToolMeta};
use crate::tool::{ArgRow, Parts, RangeRow, Tool, ToolArg, Vtable, finish, json};

pub(crate) const fn meta(name: &'static str, arguments: &'static [ArgumentMeta]) -> ToolMeta {
    ToolMeta::from_macro(MetaParts {
        name,
        description: "Does it.",
        action: None,
        compensate: None,
        risk: None,
        reversibility: Reversibility::Reversible,
        read_only: false,
        idempotent: true,
        arguments,
        target_redacted: false,
        timeout: None,
        cancel: Cancel::Drop,
        blocking: false,
        exact: false,
        declared: true,
        definition: [0; 32],
    })
}

/// A tool without arguments and state, named after its body.
macro_rules! tool {
    ($name:ident, $states:ident, $needs:expr, $body:expr) => {{
        const META: &ToolMeta = &meta(stringify!($name), &[]);
        Tool::from_vtable(&Vtable {
            meta: META,
            arguments: &[],
            needs: || $needs,
            call: |_this, $states, raw| {
                Box::pin(async move {
                    Parts::split(raw, &[])?;
                    let _ = $states;
                    finish($body)
                })
            },
        })
    }};
    ($name:ident, $body:expr) => {
        tool!($name, states, vec![], $body)
    };
}

#[derive(Deserialize, schemars::JsonSchema)]
#[expect(dead_code, reason = "read by serde")]
struct Card {
    number: String,
}

const fn argument(name: &'static str, redact: &'static [&'static str]) -> ArgumentMeta {
    ArgumentMeta {
        name,
        judged: Judged::Yes,
        kind: None,
        redact,
    }
}

pub(crate) use tool;

/// `pay(to: &str, cents: u64, card: Card, note: Option<&str>, labels: BTreeMap<..>)`.
pub(crate) fn pay() -> Tool {
    const NAMES: &[&str] = &["to", "cents", "card", "note", "labels"];
    const META: &ToolMeta = &meta("bank.pay", &[argument("to", &[]), argument("card", &["/number"])]);
    Tool::from_vtable(&Vtable {
        meta: META,
        arguments: &[
            ArgRow {
                name: "to",
                doc: "Who is paid.",
                schema: <Box<str> as ToolArg<'static>>::schema,
                required: <Box<str> as ToolArg<'static>>::required,
                range: None,
            },
            ArgRow {
                name: "cents",
                doc: "",
                schema: <u64 as ToolArg<'static>>::schema,
                required: <u64 as ToolArg<'static>>::required,
                range: Some(RangeRow {
                    minimum: || json(&1),
                    maximum: || json(&100),
                    exclusive_maximum: true,
                }),
            },
            ArgRow {
                name: "card",
                doc: "The card.",
                schema: <Card as ToolArg<'static>>::schema,
                required: <Card as ToolArg<'static>>::required,
                range: None,
            },
            ArgRow {
                name: "note",
                doc: "",
                schema: <Option<Box<str>> as ToolArg<'static>>::schema,
                required: <Option<Box<str>> as ToolArg<'static>>::required,
                range: None,
            },
            ArgRow {
                name: "labels",
                doc: "Anything.",
                schema: <BTreeMap<String, Value> as ToolArg<'static>>::schema,
                required: <BTreeMap<String, Value> as ToolArg<'static>>::required,
                range: None,
            },
        ],
        needs: Vec::new,
        call: |_this, _states, raw| {
            Box::pin(async move {
                let parts = Parts::split(raw, NAMES)?;
                let to: Box<str> = ToolArg::take(&parts, 0)?;
                let cents: u64 = ToolArg::take(&parts, 1)?;
                let _card: Card = ToolArg::take(&parts, 2)?;
                let note: Option<Box<str>> = ToolArg::take(&parts, 3)?;
                let _labels: BTreeMap<String, Value> = ToolArg::take(&parts, 4)?;
                finish(Ok::<_, String>(format!("{to} {cents} {note:?}")))
            })
        },
    })
}
