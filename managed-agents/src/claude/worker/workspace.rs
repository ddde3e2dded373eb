//! A directory in which built-in tools work on files.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
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
/// and a process group of its own, which is killed when the call ends, is cancelled or takes too long. Run workers in a
/// container or under an account that may be lost.
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
        let files = Files {
            root: self.root.clone(),
            dir: Arc::clone(&self.dir),
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
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done,
            Err(_) => Err(WorkerFault::new("the tool failed unexpectedly")),
        }
    }
}

/// The files of a workspace, for a thread that may block.
pub(super) struct Files {
    root: PathBuf,
    pub(super) dir: Arc<Dir>,
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
        // what is opened below is looked at again: a pipe in its place could make the opening wait for ever
        let about = self.dir.metadata(path).map_err(|error| fault(&error))?;
        if !about.is_file() {
            return Err(WorkerFault::new(format!("{}: not a file", path.display())));
        }
        let file = self.dir.open(path).map_err(|error| fault(&error))?;
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
        let fault = |error: &io::Error| WorkerFault::io(path, error);
        if self.dir.metadata(path).is_ok_and(|about| !about.is_file()) {
            return Err(WorkerFault::new(format!("{}: not a file", path.display())));
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut file = self.dir.open_with(path, &options).map_err(|error| fault(&error))?;
        file.write_all(text.as_bytes()).map_err(|error| fault(&error))
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
            tokio::time::timeout(std::time::Duration::from_millis(150), cancelled)
                .await
                .is_err()
        );
        tokio::time::sleep(std::time::Duration::from_millis(900)).await;
        assert_eq!(["late1", "late2", "late3"].map(alive), [false; 3]);
    }
}
