"""The published Python client's time for the same decision, printed as a line of the table."""

import asyncio
import json
import sys
import time

from managed_agents import NomoticHarness

ROUNDS = 500


async def main(endpoint, tool_input):
    harness = NomoticHarness(api_key="nm_test_1", agent_id="nmc-7f3a", endpoint=endpoint, local_log=False)
    async with harness:
        wall = []
        cpu = time.process_time()
        for _ in range(ROUNDS):
            start = time.perf_counter()
            await harness.govern("send_email", tool_input)
            wall.append(time.perf_counter() - start)
        cpu = (time.process_time() - cpu) / ROUNDS
    median = sorted(wall)[ROUNDS // 2]
    print(f"{'Python client (judged only)':<40} {median * 1e6:>8.1f} µs  {cpu * 1e6:>8.1f} µs")


asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
