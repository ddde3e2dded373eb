"""Drives the official client's session runner against a server of Managed Agents, with somebody who confirms beside it."""
import asyncio
import sys

from anthropic import AsyncAnthropic, beta_async_tool


@beta_async_tool
async def lookup(order: str) -> str:
    """Look up an order."""
    return f"order {order} was paid"


async def confirm(client, session):
    async for event in await client.beta.sessions.events.stream(session):
        if event.type in ("agent.tool_use", "agent.mcp_tool_use") and event.evaluated_permission == "ask":
            answer = {"type": "user.tool_confirmation", "tool_use_id": event.id, "result": "allow"}
            if event.name == "bash":
                answer.update(result="deny", deny_message="not here")
            await client.beta.sessions.events.send(session, events=[answer])


async def main(url):
    client = AsyncAnthropic(base_url=url, api_key="k", max_retries=0)
    custom = {"type": "custom", "name": "lookup", "description": "Look up.", "input_schema": {"type": "object"}}
    agent = await client.beta.agents.create(name="shop", model="claude-opus-5-5", tools=[custom])
    environment = await client.beta.environments.create(name="here", config={"type": "cloud"})
    session = await client.beta.sessions.create(agent=agent.id, environment_id=environment.id)
    print("session", session.id)
    confirming = asyncio.create_task(confirm(client, session.id))
    await asyncio.sleep(0.3)
    message = {"type": "user.message", "content": [{"type": "text", "text": "go"}]}
    await client.beta.sessions.events.send(session.id, events=[message])
    async for call in client.beta.sessions.events.tool_runner(session.id, tools=[lookup], max_idle=1.0):
        print("call", call.name, call.posted)
    confirming.cancel()


asyncio.run(main(sys.argv[1]))
