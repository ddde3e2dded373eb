"""Decisions of `StandardPrescreener` (PyPI `managed-agents` 0.2.0) on recorded calls: prescreener.py OUT CALLS.jsonl...

Writes one {"id","decision","micros"} a line into OUT, the time being the median of five.
"""

import json
import statistics
import sys
import time

from managed_agents.prescreening import StandardPrescreener

out, *files = sys.argv[1:]
check = StandardPrescreener().check
calls = [json.loads(line) for file in files for line in open(file, encoding="utf-8")]
with open(out, "w", encoding="utf-8") as lines:
    for call in calls:
        times = []
        for _ in range(5):
            began = time.perf_counter_ns()
            result = check(call["tool_name"], call["tool_input"])
            times.append((time.perf_counter_ns() - began) / 1000)
        decision = "deny" if result.blocked else "escalate" if result.should_escalate else "allow"
        lines.write(json.dumps({"id": call["id"], "decision": decision, "micros": statistics.median(times)}) + "\n")
