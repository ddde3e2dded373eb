//! Commands, each in a shell, a session and a process group of its own.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::fault::WorkerFault;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BashArguments {
    #[serde(default)]
    command: Option<String>,
    #[serde(default)]
    restart: Option<bool>,
    #[serde(default)]
    timeout_ms: Option<u64>,
}

/// Runs a command to its end; dropping the future kills it, with everything that it began and did not put into a group of
/// its own.
#[cfg(unix)]
pub(super) async fn run(root: &Path, search_path: &str, arguments: BashArguments) -> Result<String, WorkerFault> {
    use std::pin::pin;
    use std::process::Stdio;

    let Some(command) = arguments.command else {
        return match arguments.restart {
            Some(true) => Ok("each command has a shell of its own; there is none to restart".to_owned()),
            _ => Err(WorkerFault::new("there is no command")),
        };
    };
    let limit = arguments
        .timeout_ms
        .map_or(DEFAULT_LIMIT, Duration::from_millis)
        .min(LONGEST_LIMIT);
    let mut child = session()
        .args(["--noprofile", "--norc", "-c", &command])
        .current_dir(root)
        .env_clear()
        .env("PATH", search_path)
        .env("HOME", root)
        .env("LANG", "C.UTF-8")
        .env("TERM", "dumb")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| WorkerFault::new(format!("the shell cannot be started: {error}")))?;
    let group = Group::of(&child);
    let (mut out, mut err) = (Kept::default(), Kept::default());
    let pipes = (child.stdout.take(), child.stderr.take());
    let ended = async {
        let mut gathered = pin!(async { tokio::join!(out.gather(pipes.0), err.gather(pipes.1)) });
        let mut status = pin!(async {
            let status = child.wait().await;
            drop(group);
            status
        });
        tokio::select! {
            biased;
            _ = gathered.as_mut() => status.await,
            status = status.as_mut() => {
                // what put itself into another session may hold the pipes: what it writes is not waited for
                let _ = tokio::time::timeout(AFTERWARDS, gathered).await;
                status
            }
        }
    };
    let Ok(status) = tokio::time::timeout(limit, ended).await else {
        return Err(WorkerFault::new(format!(
            "the command did not end within {} ms and was killed",
            limit.as_millis()
        )));
    };
    let (out, err) = (out.text(), err.text());
    let shown = [out, err]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("\n");
    let shown = shown.trim_end_matches('\n').to_owned();
    let said = |how: String| {
        if shown.is_empty() {
            how
        } else {
            format!("{shown}\n{how}")
        }
    };
    match status {
        Ok(status) if status.success() => Ok(shown),
        Ok(status) => Err(WorkerFault::new(match status.code() {
            Some(code) => said(format!("exit status {code}")),
            None => said(status.to_string()),
        })),
        Err(error) => Err(WorkerFault::new(said(format!(
            "the command's end is not known: {error}"
        )))),
    }
}

#[cfg(not(unix))]
pub(super) async fn run(_: &Path, _: &str, arguments: BashArguments) -> Result<String, WorkerFault> {
    let BashArguments {
        command: _,
        restart: _,
        timeout_ms: _,
    } = arguments;
    std::future::ready(Err(WorkerFault::new("there is no `bash` on this system"))).await
}

/// A process group; killed when this is dropped.
#[cfg(unix)]
struct Group(Option<rustix::process::Pid>);

#[cfg(unix)]
impl Group {
    fn of(child: &tokio::process::Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(rustix::process::Pid::from_raw))
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // nobody may be left in it
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// The beginning of what a command writes.
#[cfg(unix)]
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    cut: bool,
}

#[cfg(unix)]
impl Kept {
    /// Reads to the end, and keeps the beginning.
    async fn gather(&mut self, pipe: Option<impl tokio::io::AsyncRead + Unpin>) {
        use tokio::io::AsyncReadExt as _;

        let Some(mut pipe) = pipe else { return };
        let mut buffer = vec![0; 8 << 10];
        while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
            let room = MOST_BYTES.saturating_sub(self.bytes.len());
            self.cut |= read > room;
            self.bytes
                .extend_from_slice(buffer.get(..read.min(room)).unwrap_or_default());
        }
    }

    fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.bytes).into_owned();
        if self.cut {
            text.push_str("\n… cut off");
        }
        text
    }
}

/// A shell in a session of its own, which has no terminal: what runs in it can neither write on the operator's terminal nor
/// put words into its input. Where there is no `setsid`, in a process group of its own.
#[cfg(unix)]
fn session() -> tokio::process::Command {
    use tokio::process::Command;

    match SETSID.iter().find(|program| Path::new(program).exists()) {
        Some(program) => {
            // it makes its own process the session's first, and that becomes the shell
            let mut command = Command::new(program);
            command.arg(SHELL);
            command
        }
        None => {
            let mut command = Command::new(SHELL);
            command.process_group(0);
            command
        }
    }
}

const DEFAULT_LIMIT: Duration = Duration::from_secs(120);

const LONGEST_LIMIT: Duration = Duration::from_secs(600);

/// The most that is kept of what a command writes.
#[cfg(unix)]
const MOST_BYTES: usize = 128 << 10;

/// How long is waited for the rest of what a command wrote when it has ended.
#[cfg(unix)]
const AFTERWARDS: Duration = Duration::from_millis(500);

#[cfg(unix)]
const SHELL: &str = "/bin/bash";

#[cfg(unix)]
const SETSID: [&str; 2] = ["/usr/bin/setsid", "/bin/setsid"];
