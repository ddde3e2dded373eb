//! Tools as the interfaces of models describe them.

use serde_json::{Value, json};

use super::Tool;
use crate::call::Reversibility;

/// Whose way of describing tools.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Dialect {
    /// Claude's Messages API: `name`, `description`, `input_schema`.
    Claude,
    /// OpenAI's function tools: `type`, `function` with `name`, `description`, `parameters`.
    OpenAi,
    /// The Model Context Protocol: `name`, `description`, `inputSchema`, `annotations`.
    Mcp,
}

impl Dialect {
    /// The name under which a model is shown a tool: Claude and OpenAI do not take a dot.
    pub(super) fn name(self, tool: &str) -> String {
        match self {
            Self::Claude | Self::OpenAi => tool.replace('.', "_"),
            Self::Mcp => tool.to_owned(),
        }
    }

    pub(super) fn define(self, tool: &Tool, schema: &Value) -> Value {
        let name = self.name(tool.name());
        let description = tool.description();
        match self {
            Self::Claude => {
                json!({ "name": name, "description": description, "input_schema": schema })
            }
            Self::OpenAi => json!({
                "type": "function",
                "function": { "name": name, "description": description, "parameters": schema },
            }),
            Self::Mcp => json!({
                "name": name,
                "description": description,
                "inputSchema": schema,
                "annotations": {
                    "readOnlyHint": tool.meta().is_read_only(),
                    // what nobody declared harmless counts as destructive, as the protocol's own default does
                    "destructiveHint": !tool.meta().is_read_only()
                        && !matches!(
                            tool.meta().reversibility(),
                            Reversibility::Reversible | Reversibility::Compensable
                        ),
                    "idempotentHint": tool.meta().is_idempotent(),
                },
            }),
        }
    }
}
