"""Plays the official client's `tool_runner` against a server of the Messages API: what it sends is what is expected of the loop."""
import sys

import anthropic
from anthropic import beta_tool


@beta_tool
def lookup(order: str) -> str:
    """Look up an order."""
    return f"order {order} was paid"


@beta_tool
def close(order: str) -> str:
    """Close an order."""
    raise anthropic.lib.tools.ToolError(f"order {order} cannot be closed")


client = anthropic.Anthropic(base_url=sys.argv[1], api_key="k", max_retries=0)
runner = client.beta.messages.tool_runner(
    model="claude-opus-5-5",
    max_tokens=4096,
    tools=[close, lookup],
    messages=[{"role": "user", "content": "Look up order 7."}],
)
for _ in runner:
    pass
