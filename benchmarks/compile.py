#!/usr/bin/env python3
"""What `#[governed]` costs to compile, in CPU seconds, beside a floor and beside what others' attributes cost.

    benchmarks/compile.py              both tables, as Markdown
    benchmarks/compile.py functions    one hundred functions of three small arguments: clean, and after an edit of one body
    benchmarks/compile.py builds       the library itself: crates and CPU seconds of a clean debug build

CPU seconds are user and system time of cargo and of all that it starts. The crates of functions are generated below
`target/benchmarks` and never kept; they are built in turns, so that a busy machine does as much to one as to another.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = Path(os.environ.get("MANAGED_AGENTS_BENCHMARKS", ROOT / "target" / "benchmarks")).resolve()
FUNCTIONS = 100
EDITED = 50
BUDGET_SECONDS = 1.5

# features, crates allowed, CPU seconds allowed
BUILDS = [("macros", 40, 25), ("macros,remote", 115, None), ("default", 160, 120)]

RECEIPT = """
fn receipt(from: &str, to: &str, cents: u64, number: u64) -> String {
    format!("{from} {to} {cents} {number}")
}
"""
BOXED = """
/// What a caller of the functions holds.
pub type Boxed = std::pin::Pin<Box<dyn Future<Output = Result<String, Error>> + Send>>;

/// Each function, boxed: else nothing of an `async fn` would be compiled.
pub static ALL: [fn(String, String, u64) -> Boxed; {count}] = [{boxes}
];
"""
LISTS = {
    "{boxes}": "\n    |from, to, cents| Box::pin(transfer_{i}(from, to, cents)),",
    "{tools}": "\n        transfer_{i}::tool(),",
    "{erased}": "\n        Box::new(Transfer{i}),",
}
OWN_ERROR = """
/// Why a transfer failed.
#[derive(Debug)]
pub struct Error;
"""


class Subject:
    """A way to write the same function, one hundred times."""

    def __init__(self, name, title, dependencies, head, function, foot):
        self.name = name
        self.title = title
        self.dependencies = dependencies
        self.head = head
        self.function = function
        self.foot = foot

    @property
    def directory(self):
        return WORK / "compile" / self.name

    @property
    def package(self):
        return f"compile-{self.name}"

    def source(self, edit):
        functions = "".join(
            self.function.replace("{i}", str(i)).replace("{number}", str(1000 + i + (edit if i == EDITED else 0)))
            for i in range(FUNCTIONS)
        )
        foot = self.foot.replace("{count}", str(FUNCTIONS))
        for place, pattern in LISTS.items():
            foot = foot.replace(place, "".join(pattern.replace("{i}", str(i)) for i in range(FUNCTIONS)))
        return f"//! One hundred functions.\n{self.head}{functions}{foot}{RECEIPT}"

    def write(self, edit=0):
        (self.directory / "src").mkdir(parents=True, exist_ok=True)
        manifest = (
            f'[package]\nname = "{self.package}"\nversion = "0.0.0"\nedition = "2024"\nrust-version = "1.95"\npublish = false\n\n'
            f"[dependencies]\n{self.dependencies}\n[workspace]\nresolver = \"3\"\n"
        )
        path = self.directory / "Cargo.toml"
        if not path.exists() or path.read_text() != manifest:
            path.write_text(manifest)
        (self.directory / "src" / "lib.rs").write_text(self.source(edit))

    def cargo(self, *arguments):
        return spent(
            ["cargo", *arguments, "--manifest-path", str(self.directory / "Cargo.toml")],
            {"CARGO_TARGET_DIR": str(WORK / "compile" / "target")},
        )

    def version(self):
        crate = {"instrument": "tracing", "tool": "rmcp", "rig-tool": "rig-core"}.get(self.name)
        if crate is None:
            return ""
        lines = (self.directory / "Cargo.lock").read_text().splitlines()
        return lines[lines.index(f'name = "{crate}"') + 1].split('"')[1]


OURS = f'managed-agents = {{ path = "{ROOT}/managed-agents", default-features = false, features = ["macros", "toolbox"] }}\n'
PLAIN = """
/// Transfers money.
{attribute}async fn transfer_{i}(from: String, to: String, cents: u64) -> Result<String, Error> {
    Ok(receipt(&from, &to, cents, {number}))
}
"""
GOVERNED = "use managed_agents::{{{0}governed, GovernanceDenied as Error}};\n"
SUBJECTS = [
    Subject("plain", "plain `async fn`, boxed (the floor)", "", OWN_ERROR, PLAIN.replace("{attribute}", ""), BOXED),
    Subject(
        "governed",
        "`#[governed]`: gate and tool",
        OURS,
        GOVERNED.format("Tool, "),
        PLAIN.replace("{attribute}", "#[governed(risk = low)]\n"),
        "\n/// Each function's tool.\npub fn tools() -> Vec<Tool> {\n    vec![{tools}\n    ]\n}\n",
    ),
    Subject(
        "governed-gate",
        "`#[governed(no_tool)]`, boxed: gate alone",
        OURS,
        GOVERNED.format(""),
        PLAIN.replace("{attribute}", "#[governed(risk = low, no_tool)]\n"),
        BOXED,
    ),
    Subject(
        "instrument",
        "tracing {version}, `#[instrument]`, boxed: no tool",
        'tracing = "0.1"\n',
        OWN_ERROR,
        PLAIN.replace("{attribute}", "#[tracing::instrument]\n"),
        BOXED,
    ),
    Subject(
        "tool",
        "rmcp {version}, `#[tool]`: tool",
        'rmcp = { version = "3", default-features = false, features = ["macros", "server"] }\n'
        'schemars = "1"\nserde = { version = "1", features = ["derive"] }\n',
        "use rmcp::{handler::server::wrapper::Parameters, tool, tool_router};\n"
        + "".join(
            f"""
/// The arguments of a transfer.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
pub struct Transfer{i} {{
    from: String,
    to: String,
    cents: u64,
}}
"""
            for i in range(FUNCTIONS)
        )
        + "\n/// Serves the functions.\n#[derive(Clone, Debug)]\npub struct Server;\n\n#[tool_router(vis = \"pub\")]\nimpl Server {",
        """
    /// Transfers money.
    #[tool]
    async fn transfer_{i}(&self, Parameters(arguments): Parameters<Transfer{i}>) -> Result<String, String> {
        let Transfer{i} { from, to, cents } = arguments;
        Ok(receipt(&from, &to, cents, {number}))
    }
""",
        "}\n",
    ),
    Subject(
        "rig-tool",
        "rig {version}, `#[rig_tool]`: tool",
        'rig-core = { version = "0.44", default-features = false, features = ["derive"] }\n',
        "use rig_core::rig_tool;\nuse rig_core::tool::{ErasedTool, ToolExecutionError};\n",
        """
/// Transfers money.
#[rig_tool]
async fn transfer_{i}(from: String, to: String, cents: u64) -> Result<String, ToolExecutionError> {
    Ok(receipt(&from, &to, cents, {number}))
}
""",
        "\n/// Each function's tool.\npub fn tools() -> Vec<Box<dyn ErasedTool>> {\n    vec![{erased}\n    ]\n}\n",
    ),
]


def spent(command, environment=(), quiet=True):
    """Runs a command, and gives the CPU seconds of it and of its children."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("RUSTC", "RUSTFLAGS", "CARGO_"))}
    for kept in ("CARGO_HOME", "CARGO_NET_OFFLINE", "CARGO_HTTP_CAINFO"):
        if kept in os.environ:
            clean[kept] = os.environ[kept]
    clean.update(environment)
    process = subprocess.Popen(command, env=clean, cwd=ROOT, stdout=subprocess.DEVNULL if quiet else None)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"failed: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime


def functions(rounds, names):
    subjects = [subject for subject in SUBJECTS if not names or subject.name in names]
    for subject in subjects:
        note(f"{subject.name}: building what it depends on")
        subject.write()
        subject.cargo("build", "--quiet")
    seconds = {subject.name: {"clean": [], "edit": [], "nothing": []} for subject in subjects}
    edit = 0
    for turn in range(rounds):
        for subject in subjects:
            edit += 1
            took = seconds[subject.name]
            subject.cargo("clean", "--quiet", "-p", subject.package)
            took["clean"].append(subject.cargo("build", "--quiet"))
            subject.write(edit)
            took["edit"].append(subject.cargo("build", "--quiet"))
            took["nothing"].append(subject.cargo("build", "--quiet"))
            note(f"round {turn + 1} of {rounds}: {subject.name} " + ", ".join(f"{k} {v[-1]:.2f}" for k, v in took.items()))
    medians = {name: {k: statistics.median(v) for k, v in took.items()} for name, took in seconds.items()}
    floor = medians[subjects[0].name]
    print(f"One hundred functions of three small arguments in one module, debug with debuginfo, median of {rounds} turns, CPU seconds:\n")
    print("| | clean | after an edit of one body | over the floor | of these cargo's own (nothing to do) |")
    print("|---|--:|--:|--:|--:|")
    for subject in subjects:
        took = medians[subject.name]
        ratio = f"{took['edit'] / floor['edit']:.1f}×"
        print(
            f"| {subject.title.format(version=subject.version())} | {took['clean']:.2f} | {took['edit']:.2f} | {ratio} | {took['nothing']:.2f} |"
        )
    if "governed" in medians:
        took = medians["governed"]["edit"]
        print(f"\nBudget: `#[governed]` after an edit ≤ {BUDGET_SECONDS} CPU seconds: {kept(took <= BUDGET_SECONDS)}.")


def builds():
    print("A clean debug build of the library (debuginfo), with what it depends on:\n")
    print("| features | crates | budget | CPU seconds | budget |")
    print("|---|--:|--:|--:|--:|")
    target = WORK / "builds"
    for features, crates_allowed, seconds_allowed in BUILDS:
        note(f"building the library with {features}")
        shutil.rmtree(target, ignore_errors=True)
        chosen = [] if features == "default" else ["--no-default-features", "--features", features]
        command = ["cargo", "build", "--quiet", "-p", "managed-agents", *chosen]
        environment = {"CARGO_TARGET_DIR": str(target)}
        seconds = spent(command, environment)
        artifacts = subprocess.run(
            [*command, "--message-format=json"],
            env={**os.environ, **environment},
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout.splitlines()
        messages = map(json.loads, artifacts)
        crates = len({message["package_id"] for message in messages if message["reason"] == "compiler-artifact"})
        crates_kept = f"≤ {crates_allowed}: {kept(crates <= crates_allowed)}"
        seconds_kept = f"≤ {seconds_allowed}: {kept(seconds <= seconds_allowed)}" if seconds_allowed else ""
        print(f"| `{features}` | {crates} | {crates_kept} | {seconds:.1f} | {seconds_kept} |")
    shutil.rmtree(target, ignore_errors=True)


def kept(is_kept):
    return "kept" if is_kept else "**not kept**"


def note(text):
    print(text, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", help="functions, builds; both when left out")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--only", action="append", metavar="NAME", help=", ".join(subject.name for subject in SUBJECTS))
    arguments = parser.parse_args()
    tables = arguments.tables or ["functions", "builds"]
    if unknown := set(tables) - {"functions", "builds"}:
        parser.error(f"no such table: {', '.join(unknown)}")
    if "functions" in tables:
        functions(arguments.rounds, arguments.only)
    if tables == ["functions", "builds"]:
        print()
    if "builds" in tables:
        builds()


main()
