//! The program `managed-agents`: judges calls and checks configurations from a shell.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    managed_agents::cli::main()
}
