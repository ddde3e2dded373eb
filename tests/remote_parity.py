"""Posts calls with the published Python client: reads JSON lines, one call each, and says `done` after each."""

import asyncio
import json
import sys

from managed_agents import NomoticHarness
from managed_agents.policies import ToolPolicy


async def post(endpoint, call):
    policy = getattr(ToolPolicy, call["policy"].upper()) if call.get("policy") else None
    harness = NomoticHarness(
        api_key="nm_test_1",
        agent_id=call["agent"],
        endpoint=endpoint,
        platform=call.get("platform", "custom"),
        session_id=call.get("session"),
        org_context=call.get("org_context", {}),
        policy=policy,
        tool_name_map=call.get("verbs"),
        fail_open=False,
        local_log=False,
    )
    async with harness:
        await harness.govern(
            call["tool"], call["input"], target=call.get("target"), context=call.get("context")
        )


def main():
    endpoint = sys.argv[1]
    for line in sys.stdin:
        asyncio.run(post(endpoint, json.loads(line)))


main()
