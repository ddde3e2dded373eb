"""ADWIN of `river` over the streams that `benches/drift` writes, at a given number of calls to a false alarm; prints rows of its table.

It sees how surprising each call's tool is (-log of its share in the reference), after the calls of the reference.
"""

import math
import random
import statistics
import sys

from river import drift

CLOCK = 4


def alarms(learnt, stream, delta):
    detector = drift.ADWIN(delta=delta, clock=CLOCK)
    for value in learnt:
        detector.update(value)
    found = []
    for at, value in enumerate(stream, 1):
        detector.update(value)
        if detector.drift_detected:
            found.append(at)
    return found


def first_after(learnt, stream, delta, begin):
    return next((at - begin for at in alarms(learnt, stream, delta) if at > begin), len(stream) - begin + 1)


def read(file):
    references = []
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            name, *values = line.split()
            values = [float(value) for value in values]
            if name == "learnt":
                references.append({"learnt": values, "moved": {}})
            elif name == "usual":
                references[-1]["usual"] = values
            else:
                references[-1]["moved"].setdefault(name, []).append(values)
    return references


def main():
    references, wanted = read(sys.argv[1]), float(sys.argv[2])
    some = references[:20]
    low, high = math.log(1e-12), math.log(0.9)
    for _ in range(12):
        middle = (low + high) / 2
        found = sum(len(alarms(one["learnt"], one["usual"], math.exp(middle))) for one in some)
        if sum(len(one["usual"]) for one in some) / max(found, 1) < wanted:
            high = middle
        else:
            low = middle
    delta = math.exp(low)
    counts = [len(alarms(one["learnt"], one["usual"], delta)) for one in references]
    calls = sum(len(one["usual"]) for one in references)
    drawn = random.Random(5)
    lengths = sorted(calls / max(sum(drawn.choice(counts) for _ in counts), 1) for _ in range(2_000))
    cells = []
    for moved in ["0.4", "0.2", "0.1"]:
        delays = sorted(first_after(one["learnt"], stream, delta, 250) for one in references for stream in one["moved"][moved])
        late = delays[len(delays) * 95 // 100]
        most = len(references[0]["moved"][moved][0]) - 250
        cells.append(f"{statistics.median_high(delays)} ({late if late <= most else f'> {most}'})")
    run_length = calls / max(sum(counts), 1)
    print(f"| ADWIN of `river`, delta {delta:.2g} | {run_length:.0f} ({lengths[100]:.0f} to {lengths[1900]:.0f}) | {' | '.join(cells)} |")


main()
