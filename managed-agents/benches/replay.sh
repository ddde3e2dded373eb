#!/bin/sh
# Judges recorded calls in one process and prints two rows of Markdown: calls a second and peak memory.
#
#     managed-agents/benches/replay.sh CALLS.jsonl...
#
# The rows say what the summary of `managed-agents replay` says, of the run with the median time of five.
set -eu

if [ $# -eq 0 ]; then
    echo "usage: $0 CALLS.jsonl..." >&2
    exit 1
fi

manifest=$(dirname "$0")/../Cargo.toml
cargo build --quiet --release --manifest-path "$manifest" --features cli --bin managed-agents
target=$(cargo metadata --manifest-path "$manifest" --format-version 1 --no-deps |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/')

runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT
for run in 1 2 3 4 5; do
    "$target/release/managed-agents" replay "$@" > "$runs/$run"
done

# the summary ends with "N calls in S s: R calls a second, A counting the verdicts alone"
file=$(awk '/ calls in / { print $4, FILENAME }' "$runs"/? | sort -n | sed -n '3s/^[^ ]* //p')

awk '
    / calls in / { calls = $1; wall = $4; rate = $6; alone = $10 }
    /^\| median/ { median = $4 }
    /^\| 99 %/ { p99 = $5 }
    /^peak memory/ { memory = $3 " " $4 }
    END {
        printf "| replay, %d recorded calls in one process | %s calls/s | %s s wall; verdicts alone %s calls/s; median %s µs, p99 %s µs |\n", calls, rate, wall, alone, median, p99
        printf "| replay, peak memory | %s | the whole process |\n", memory
    }' "$file"
