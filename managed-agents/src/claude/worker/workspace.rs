//! A directory in which built-in tools work on files.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, OpenOptions};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fault::WorkerFault;
use super::{search, shell};

/// A directory in which the built-in tools of a self-hosted environment work.
///
/// The tools for files open what is beneath it and nothing else: no `..`, no absolute path and no link leads out, whoever
/// changes it meanwhile. `bash` is not held back by that, nor by anything but the harness's judgement: **this is no sandbox**.
/// A command runs with all rights of the program's account; it has an environment of its own, without the program's variables,
/// and a session of its own, without a terminal, whose process group is killed when the call ends, is cancelled or takes too
/// long. Run workers in a container or under an account that may be lost.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    dir: Arc<Dir>,
    bash: bool,
    path: String,
}

impl Workspace {
    /// A workspace in a directory that exists.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn open(root: impl AsRef<Path>) -> io::Result<Self> {
        let root = root.as_ref().canonicalize()?;
        Ok(Self {
            dir: Arc::new(Dir::open_ambient_dir(&root, ambient_authority())?),
            root,
            bash: cfg!(unix),
            path: DEFAULT_PATH.to_owned(),
        })
    }

    /// Leaves `bash` out: its calls are then left to whoever else answers them.
    #[must_use]
    pub fn without_bash(mut self) -> Self {
        self.bash = false;
        self
    }

    /// Where commands look for programs; `/usr/local/bin:/usr/bin:/bin` when not said.
    #[must_use]
    pub fn search_path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether a tool runs here.
    pub(in crate::claude) fn has(&self, tool: &str) -> bool {
        match tool {
            "bash" => self.bash,
            "read" | "write" | "edit" | "glob" | "grep" => true,
            _ => false,
        }
    }

    /// Runs a tool with the arguments that were judged.
    pub(in crate::claude) async fn run(&self, tool: &str, arguments: Value) -> Result<String, WorkerFault> {
        if tool == "bash" && self.bash {
            return shell::run(&self.root, &self.path, read_arguments(arguments)?).await;
        }
        let stop = Arc::new(AtomicBool::new(false));
        // a thread is not cancelled; it is told, also where this future is dropped
        let _tells = Tells(Arc::clone(&stop));
        let files = Files {
            root: self.root.clone(),
            dir: Arc::clone(&self.dir),
            stop,
        };
        let tool = tool.to_owned();
        let work = move || match tool.as_str() {
            "read" => files.read(&read_arguments(arguments)?),
            "write" => files.write(&read_arguments(arguments)?),
            "edit" => files.edit(&read_arguments(arguments)?),
            "glob" => search::glob(&files, &read_arguments(arguments)?),
            "grep" => search::grep(&files, &read_arguments(arguments)?),
            _ => Err(WorkerFault::new(format!("the tool `{tool}` does not run here"))),
        };
        match tokio::time::timeout(LONGEST, tokio::task::spawn_blocking(work)).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(WorkerFault::new("the tool failed unexpectedly")),
            Err(_) => Err(WorkerFault::new(format!(
                "the tool did not end within {} seconds",
                LONGEST.as_secs()
            ))),
        }
    }
}

/// Tells a thread to end when it is dropped.
struct Tells(Arc<AtomicBool>);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The files of a workspace, for a thread that may block.
pub(super) struct Files {
    root: PathBuf,
    pub(super) dir: Arc<Dir>,
    /// Whether the call was cancelled, or took too long.
    stop: Arc<AtomicBool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadArguments {
    file_path: String,
    #[serde(default)]
    view_range: Option<(i64, i64)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WriteArguments {
    file_path: String,
    content: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditArguments {
    file_path: String,
    old_string: String,
    new_string: String,
    #[serde(default)]
    replace_all: Option<bool>,
}

impl Files {
    /// Ends what nobody waits for any more.
    pub(super) fn goes_on(&self) -> Result<(), WorkerFault> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(WorkerFault::new("the call was cancelled"));
        }
        Ok(())
    }

    /// A path as the workspace knows it: relative, or absolute and beneath the root.
    pub(super) fn inside(&self, path: &str) -> Result<PathBuf, WorkerFault> {
        let path = Path::new(path);
        let inside = if path.is_absolute() {
            path.strip_prefix(&self.root).map_err(|_| WorkerFault::outside(path))?
        } else {
            path
        };
        Ok(if inside.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            inside.to_owned()
        })
    }

    pub(super) fn text(&self, path: &Path) -> Result<String, WorkerFault> {
        let fault = |error: &io::Error| WorkerFault::io(path, error);
        let file = self.open(path, OpenOptions::new().read(true))?;
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| fault(&error))?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(WorkerFault::new(format!(
                "{}: larger than {MOST_BYTES} bytes",
                path.display()
            )));
        }
        String::from_utf8(bytes).map_err(|_| WorkerFault::new(format!("{}: not a text", path.display())))
    }

    fn read(&self, arguments: &ReadArguments) -> Result<String, WorkerFault> {
        let text = self.text(&self.inside(&arguments.file_path)?)?;
        let Some((first, last)) = arguments.view_range else {
            return Ok(text);
        };
        let lines: Vec<_> = text.lines().collect();
        let first = usize::try_from(first).unwrap_or(0).max(1);
        let last = usize::try_from(last).unwrap_or(lines.len()).min(lines.len());
        match lines.get(first - 1..last) {
            Some(lines) => Ok(lines.join("\n")),
            None => Err(WorkerFault::new(format!("the file has {} lines", lines.len()))),
        }
    }

    fn write(&self, arguments: &WriteArguments) -> Result<String, WorkerFault> {
        let path = self.inside(&arguments.file_path)?;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            let made = self.dir.create_dir_all(parent);
            made.map_err(|error| WorkerFault::io(&path, &error))?;
        }
        self.replace(&path, &arguments.content)?;
        Ok(format!("wrote {} bytes to {}", arguments.content.len(), path.display()))
    }

    fn edit(&self, arguments: &EditArguments) -> Result<String, WorkerFault> {
        let path = self.inside(&arguments.file_path)?;
        let text = self.text(&path)?;
        if arguments.old_string.is_empty() {
            return Err(WorkerFault::new("`old_string` is empty"));
        }
        let found = text.matches(&arguments.old_string).count();
        let all = arguments.replace_all.unwrap_or(false);
        match (found, all) {
            (0, _) => return Err(WorkerFault::new("`old_string` is not in the file")),
            (1, _) | (_, true) => {}
            (many, false) => {
                return Err(WorkerFault::new(format!(
                    "`old_string` is {many} times in the file: give more of what surrounds it, or say `replace_all`"
                )));
            }
        }
        self.replace(&path, &text.replace(&arguments.old_string, &arguments.new_string))?;
        Ok(format!("replaced {found} times in {}", path.display()))
    }

    fn replace(&self, path: &Path, text: &str) -> Result<(), WorkerFault> {
        self.goes_on()?;
        let mut file = self.open(path, OpenOptions::new().write(true).create(true).truncate(true))?;
        file.write_all(text.as_bytes())
            .map_err(|error| WorkerFault::io(path, &error))
    }

    /// Opens a file, and nothing that is none: a pipe would wait for ever, whoever puts one in the file's place and when.
    fn open(&self, path: &Path, options: &mut OpenOptions) -> Result<File, WorkerFault> {
        let fault = |error: &io::Error| WorkerFault::io(path, error);
        #[cfg(unix)]
        {
            use cap_std::fs::OpenOptionsExt as _;
            options.custom_flags(i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default());
        }
        let not_a_file = || WorkerFault::new(format!("{}: not a file", path.display()));
        let file = match self.dir.open_with(path, options) {
            Ok(file) => file,
            Err(_) if self.dir.metadata(path).is_ok_and(|about| !about.is_file()) => return Err(not_a_file()),
            Err(error) => return Err(fault(&error)),
        };
        // of what was opened, and not of what is there now
        if file.metadata().map_err(|error| fault(&error))?.is_file() {
            return Ok(file);
        }
        Err(not_a_file())
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Files").field(&self.root).finish()
    }
}

fn read_arguments<T: DeserializeOwned>(arguments: Value) -> Result<T, WorkerFault> {
    serde_json::from_value(arguments)
        .map_err(|error| WorkerFault::new(format!("the arguments do not fit the tool: {error}")))
}

/// The largest file that is read.
pub(super) const MOST_BYTES: u64 = 10 << 20;

/// How long a tool that works on files may take.
const LONGEST: Duration = Duration::from_secs(60);

const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Place {
        above: PathBuf,
        workspace: Workspace,
    }

    impl Place {
        fn new(name: &str) -> Self {
            let above = std::env::temp_dir().join(format!("ma-workspace-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&above);
            std::fs::create_dir_all(above.join("inside/sub")).unwrap();
            std::fs::write(above.join("secret"), "CANARY").unwrap();
            std::fs::write(above.join("inside/a.txt"), "one\ntwo\nthree\n").unwrap();
            std::fs::write(above.join("inside/sub/b.txt"), "two too\n").unwrap();
            let workspace = Workspace::open(above.join("inside")).unwrap();
            Self { above, workspace }
        }

        async fn run(&self, tool: &str, arguments: Value) -> Result<String, String> {
            let done = self.workspace.run(tool, arguments).await;
            done.map_err(|error| error.to_string())
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.above);
        }
    }

    #[tokio::test]
    async fn files_beneath_the_workspace_are_read_written_and_edited() {
        let place = Place::new("files");
        assert_eq!(
            place.run("read", json!({"file_path": "a.txt"})).await.unwrap(),
            "one\ntwo\nthree\n"
        );
        let absolute = place.workspace.root().join("a.txt");
        let lines = place
            .run("read", json!({"file_path": absolute, "view_range": [2, -1]}))
            .await;
        assert_eq!(lines.unwrap(), "two\nthree");
        place
            .run("write", json!({"file_path": "new/c.txt", "content": "x x"}))
            .await
            .unwrap();
        let twice = json!({"file_path": "new/c.txt", "old_string": "x", "new_string": "y"});
        assert!(place.run("edit", twice.clone()).await.unwrap_err().contains("2 times"));
        let mut all = twice;
        all["replace_all"] = true.into();
        place.run("edit", all).await.unwrap();
        assert_eq!(
            place.run("read", json!({"file_path": "new/c.txt"})).await.unwrap(),
            "y y"
        );
    }

    #[tokio::test]
    async fn files_are_found_by_name_and_by_content() {
        let place = Place::new("search");
        assert_eq!(
            place.run("glob", json!({"pattern": "**/*.txt"})).await.unwrap(),
            "a.txt\nsub/b.txt"
        );
        assert_eq!(place.run("glob", json!({"pattern": "*.txt"})).await.unwrap(), "a.txt");
        assert_eq!(
            place
                .run("glob", json!({"pattern": "*.txt", "path": "sub"}))
                .await
                .unwrap(),
            "sub/b.txt"
        );
        let found = place.run("grep", json!({"pattern": "^tw[o]"})).await.unwrap();
        assert_eq!(found, "a.txt:2:two\nsub/b.txt:1:two too");
        assert_eq!(
            place.run("grep", json!({"pattern": "nowhere"})).await.unwrap(),
            "no matches"
        );
        assert!(place.run("grep", json!({"pattern": "("})).await.is_err());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nothing_leads_out_of_the_workspace() {
        use std::os::unix::fs::symlink;
        let place = Place::new("out");
        let inside = place.above.join("inside");
        symlink("../secret", inside.join("link")).unwrap();
        symlink(place.above.join("secret"), inside.join("absolute")).unwrap();
        symlink("..", inside.join("up")).unwrap();
        symlink("sub/../../secret", inside.join("winding")).unwrap();
        let secret = place.above.join("secret");
        let ways = [
            "../secret",
            "link",
            "absolute",
            "up/secret",
            "winding",
            "sub/../../secret",
            secret.to_str().unwrap(),
        ];
        for way in ways {
            for (tool, arguments) in [
                ("read", json!({"file_path": way})),
                ("write", json!({"file_path": way, "content": "gone"})),
                (
                    "edit",
                    json!({"file_path": way, "old_string": "CANARY", "new_string": "gone"}),
                ),
                ("grep", json!({"pattern": "CANARY", "path": way})),
                ("glob", json!({"pattern": "*", "path": way})),
            ] {
                let done = place.run(tool, arguments).await;
                assert!(!format!("{done:?}").contains("CANARY"), "{tool} {way}: {done:?}");
                assert!(
                    done.is_err() || done.as_deref() == Ok("no matches"),
                    "{tool} {way}: {done:?}"
                );
            }
        }
        assert_eq!(std::fs::read_to_string(&secret).unwrap(), "CANARY");
        assert!(
            !place
                .run("grep", json!({"pattern": "CANARY"}))
                .await
                .unwrap()
                .contains("secret")
        );
        assert!(
            !place
                .run("glob", json!({"pattern": "**"}))
                .await
                .unwrap()
                .contains("secret")
        );
        // a link that stays inside is followed
        symlink("sub/b.txt", inside.join("fine")).unwrap();
        assert_eq!(
            place.run("read", json!({"file_path": "fine"})).await.unwrap(),
            "two too\n"
        );
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_that_changes_while_it_is_used_leads_nowhere_else() {
        use std::os::unix::fs::symlink;
        let place = Place::new("race");
        let inside = place.above.join("inside");
        let swap = std::thread::spawn({
            let inside = inside.clone();
            move || {
                for turn in 0..400 {
                    let target = if turn % 2 == 0 { "a.txt" } else { "../secret" };
                    let new = inside.join(".new");
                    symlink(target, &new).unwrap();
                    std::fs::rename(&new, inside.join("race")).unwrap();
                }
            }
        });
        while !swap.is_finished() {
            if let Ok(text) = place.run("read", json!({"file_path": "race"})).await {
                assert!(!text.contains("CANARY"));
            }
        }
        swap.join().unwrap();
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_command_has_a_cleaned_environment_and_says_how_it_ended() {
        let place = Place::new("bash");
        let shown = place.run("bash", json!({"command": "env; pwd; ls"})).await.unwrap();
        assert!(!shown.contains("CARGO"), "{shown}");
        assert!(
            shown.contains(place.workspace.root().to_str().unwrap()) && shown.contains("a.txt"),
            "{shown}"
        );
        let failed = place
            .run("bash", json!({"command": "echo no >&2; exit 3"}))
            .await
            .unwrap_err();
        assert_eq!(failed, "no\nexit status 3");
        assert_eq!(place.run("bash", json!({"command": "true"})).await.unwrap(), "");
        let long = place
            .run("bash", json!({"command": "head -c 3000000 /dev/zero | tr '\\0' x"}))
            .await
            .unwrap();
        assert!(long.len() < 300_000 && long.ends_with("cut off"), "{}", long.len());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_a_command_began_is_killed_with_it() {
        let place = Place::new("group");
        let alive = |name: &str| place.above.join("inside").join(name).exists();
        // in the background of a command that ended
        place
            .run("bash", json!({"command": "(sleep 0.6; touch late1) >/dev/null 2>&1 &"}))
            .await
            .unwrap();
        // of one that takes too long
        let slow = json!({"command": "(sleep 0.6; touch late2) & sleep 60", "timeout_ms": 100});
        assert!(place.run("bash", slow).await.unwrap_err().contains("100 ms"));
        // of one whose call was cancelled
        let cancelled = place.run("bash", json!({"command": "(sleep 0.6; touch late3) & sleep 60"}));
        assert!(
            tokio::time::timeout(Duration::from_millis(150), cancelled)
                .await
                .is_err()
        );
        tokio::time::sleep(Duration::from_millis(900)).await;
        assert_eq!(["late1", "late2", "late3"].map(alive), [false; 3]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_command_leads_a_session_of_its_own_and_has_no_terminal() {
        let place = Place::new("session");
        // the fifth word after the command's name is its session, the sixth its terminal
        let script = "echo $$; sed 's/.*) //' /proc/$$/stat; : 2>&- >/dev/tty || echo none";
        let shown = place.run("bash", json!({"command": script})).await.unwrap();
        let lines: Vec<_> = shown.lines().collect();
        let stat: Vec<_> = lines[1].split(' ').collect();
        assert_eq!((stat[2], stat[3]), (lines[0], lines[0]), "group and session: {shown}");
        assert_eq!((stat[4], lines.last()), ("0", Some(&"none")), "{shown}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_left_the_session_does_not_keep_a_call_waiting() {
        let place = Place::new("daemon");
        let began = std::time::Instant::now();
        let shown = place
            .run("bash", json!({"command": "setsid sleep 20 & echo ready"}))
            .await
            .unwrap();
        assert_eq!(shown, "ready");
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_pipe_in_a_files_place_makes_nobody_wait() {
        let place = Place::new("pipe");
        place.run("bash", json!({"command": "mkfifo pipe"})).await.unwrap();
        for (tool, arguments) in [
            ("read", json!({"file_path": "pipe"})),
            ("write", json!({"file_path": "pipe", "content": "x"})),
            (
                "edit",
                json!({"file_path": "pipe", "old_string": "x", "new_string": "y"}),
            ),
            ("read", json!({"file_path": "sub"})),
            ("write", json!({"file_path": "sub", "content": "x"})),
        ] {
            let done = tokio::time::timeout(Duration::from_secs(5), place.run(tool, arguments)).await;
            let error = done.expect(tool).unwrap_err();
            assert!(error.ends_with("not a file"), "{tool}: {error}");
        }
        // one that is put there between a look and the opening
        let files = Files {
            root: place.workspace.root.clone(),
            dir: Arc::clone(&place.workspace.dir),
            stop: Arc::default(),
        };
        assert!(files.open(Path::new("pipe"), OpenOptions::new().read(true)).is_err());
    }

    #[tokio::test]
    async fn a_cancelled_search_ends_and_a_cancelled_change_is_not_begun() {
        let place = Place::new("stopped");
        let files = Files {
            root: place.workspace.root.clone(),
            dir: Arc::clone(&place.workspace.dir),
            stop: Arc::new(AtomicBool::new(true)),
        };
        let search = |pattern: &str| serde_json::from_value(json!({"pattern": pattern})).unwrap();
        assert!(search::grep(&files, &search("two")).is_err());
        assert!(search::glob(&files, &search("**")).is_err());
        let arguments = json!({"file_path": "a.txt", "content": "gone"});
        assert!(files.write(&serde_json::from_value(arguments).unwrap()).is_err());
        assert_eq!(
            std::fs::read_to_string(place.above.join("inside/a.txt")).unwrap(),
            "one\ntwo\nthree\n"
        );
        // and dropping a call tells its thread
        let stop = Arc::new(AtomicBool::new(false));
        drop(Tells(Arc::clone(&stop)));
        assert!(stop.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn a_pattern_that_would_take_for_ever_is_refused() {
        let place = Place::new("pattern");
        let long = json!({"pattern": "*a".repeat(200_000)});
        assert!(place.run("glob", long).await.unwrap_err().contains("too long"));
    }
}
