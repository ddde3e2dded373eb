"""The server of `open-managed-agents` with turns that were written down in place of a model.

The turns are the JSON list that OMA_SCRIPT names: {"tools": [events without an id], "text": "..."}.
"""
import asyncio
import json
import os
import sys

import app.db.models.domain  # noqa: F401  (its import registers the tables)
import uvicorn
from app.db.engine import get_engine
from app.db.models._base import Base
from app.factory import create_app
from app.runtime import runner

with open(os.environ["OMA_SCRIPT"]) as script:
    TURNS = json.load(script)


async def play(version, history, environment_config=None, *, runtime_context=None):
    played = sum(event.type == "session.status_running" for event in history) - 1
    turn = TURNS[min(played, len(TURNS) - 1)]
    calls = []
    for call in turn.get("tools", []):
        waits = call["type"] == "agent.custom_tool_use" or call.get("evaluated_permission") == "ask"
        calls.append({**call, "requires_confirmation": True} if waits else dict(call))
    return runner.RuntimeResult(
        final_text=turn.get("text", ""),
        tool_events=calls,
        requires_action=any("requires_confirmation" in call for call in calls),
        run_state={"backend": "scripted"},
        sandbox_state={},
    )


runner._execute_local = play


async def main(port):
    async with get_engine().begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    config = uvicorn.Config(create_app(), host="127.0.0.1", port=port, log_level="warning")
    await uvicorn.Server(config).serve()


asyncio.run(main(int(sys.argv[1])))
