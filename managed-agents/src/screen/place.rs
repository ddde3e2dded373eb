//! Where a path leads: the system, a home, the workspace, a scratch place (hier(7), file-hierarchy(7)).
//!
//! Lexically only: nothing is looked up.

use std::borrow::Cow;

pub(in crate::screen) use super::named::{Named, Places};
use super::shell::data::{ALL, SOME, UNKNOWN};
use super::text;

/// Where a path leads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::screen) enum Place {
    /// The root of the file system, or everything in it.
    Root,
    /// A directory that the system consists of.
    System,
    /// A file or directory inside one of those.
    InSystem,
    /// A raw disk or partition.
    Device,
    /// A device that swallows or gives data, or a terminal.
    Sink,
    /// A whole home directory.
    Home,
    /// Something inside a home directory.
    InHome,
    /// The whole workspace.
    Workspace,
    /// Something inside the workspace.
    InWorkspace,
    /// A directory above or beside the workspace.
    Above,
    /// Known places for files that nobody misses.
    Scratch,
    /// Any other absolute path.
    Outside,
    /// Only known at run time.
    Unknown,
}

/// Directories at the root without which a system does not run, or in which other people's data lies.
const TOP: [&str; 34] = [
    "bin",
    "boot",
    "dev",
    "etc",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "proc",
    "root",
    "run",
    "sbin",
    "sys",
    "usr",
    "var",
    "opt",
    "srv",
    "home",
    "mnt",
    "media",
    "system",
    "library",
    "applications",
    "users",
    "volumes",
    "private",
    "cores",
    "windows",
    "nix",
    "snap",
    "efi",
    "rpool",
    "data",
    "c:",
];

/// Those of them whose contents belong to the system, too.
const DEEP: [&str; 16] = [
    "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "sbin", "sys", "usr", "system", "library",
    "windows", "efi",
];

const DISKS: [&str; 16] = [
    "sd", "hd", "vd", "xvd", "nvme", "mmcblk", "disk", "rdisk", "dm-", "md", "mapper/", "loop", "sr", "nst", "zvol/",
    "vg",
];

impl Places {
    /// A path without `.`, `..`, doubled slashes and detours through `/proc`; relative ones begin in the workspace, and
    /// keep a leading `..` where they lead out of it.
    pub(in crate::screen) fn normal<'p>(&self, path: &'p str, cwd: &str) -> Cow<'p, str> {
        let path = path.strip_prefix("file://").unwrap_or(path);
        let stays = cwd.is_empty() && !path.starts_with('/') || path.starts_with('~');
        let rooted = path.starts_with('/') && self.workspaces.is_empty() && !path.starts_with("/proc/");
        if (stays || rooted) && is_normal(path) {
            return Cow::Borrowed(path);
        }
        // a plain path from a directory that is as plain
        let joins = cwd.starts_with('/') && !path.starts_with(['/', '~', UNKNOWN]);
        if joins && self.workspaces.is_empty() && !cwd.starts_with("/proc") && is_normal(cwd) && is_normal(path) {
            return Cow::Owned([cwd, "/", path].concat());
        }
        Cow::Owned(self.made_normal(path, cwd))
    }

    fn made_normal(&self, path: &str, cwd: &str) -> String {
        let absolute = path.starts_with('/') || path.starts_with('~') || path.starts_with(UNKNOWN);
        let joined = if absolute || cwd.is_empty() {
            path.to_owned()
        } else {
            format!("{cwd}/{path}")
        };
        let home = joined.starts_with('~');
        let rooted = joined.starts_with('/');
        let mut parts: Vec<&str> = Vec::new();
        for part in joined.split('/') {
            match part {
                "" | "." => {}
                ".." => match parts.last() {
                    Some(&"..") => parts.push(".."),
                    // what lies above a home directory is other people's homes
                    Some(last) if last.starts_with('~') && parts.len() == 1 => parts = vec!["..home"],
                    Some(_) => {
                        parts.pop();
                    }
                    None if rooted => {}
                    None => parts.push(".."),
                },
                _ => parts.push(part),
            }
            // the root as a process sees it is the root
            if rooted
                && let ["proc", process, "root" | "cwd"] = parts.as_slice()
                && (process.bytes().all(|byte| byte.is_ascii_digit()) || matches!(*process, "self" | "thread-self"))
            {
                parts.clear();
            }
        }
        if parts.first() == Some(&"..home") {
            parts.remove(0);
            return format!("/home/{}", parts.join("/")).trim_end_matches('/').to_owned();
        }
        let text = parts.join("/");
        if rooted {
            let text = format!("/{text}");
            for root in &self.workspaces {
                match text.strip_prefix(root.as_str()) {
                    Some("") => return ".".to_owned(),
                    Some(rest) if rest.starts_with('/') => return rest.trim_start_matches('/').to_owned(),
                    _ => {}
                }
            }
            return text;
        }
        if home || !text.is_empty() {
            return match self.workspaces.first() {
                Some(root) if text.starts_with("..") && !home => self.made_normal(&format!("{root}/{text}"), ""),
                _ => text,
            };
        }
        ".".to_owned()
    }

    /// Where a path leads.
    pub(in crate::screen) fn place(&self, path: &str, cwd: &str) -> Place {
        let normal = self.normal(path, cwd);
        self.place_of(&normal)
    }

    /// Where a path that is already normal leads.
    pub(in crate::screen) fn place_of(&self, normal: &str) -> Place {
        if normal.starts_with(UNKNOWN) {
            return Place::Unknown;
        }
        if let Some(rest) = normal.strip_prefix('~') {
            if self.is_scratch(normal) {
                return Place::Scratch;
            }
            let rest = rest.split_once('/').map_or("", |(_, rest)| rest);
            return if is_everything(rest) {
                Place::Home
            } else {
                Place::InHome
            };
        }
        let Some(rest) = normal.strip_prefix('/') else {
            return relative(normal);
        };
        if self.is_scratch(normal) {
            return Place::Scratch;
        }
        let lower = text::lower(rest);
        let (top, below) = lower.split_once('/').unwrap_or((&lower, ""));
        if is_everything(top) {
            return Place::Root;
        }
        match top {
            "tmp" | "scratch" => return Place::Scratch,
            // where agents' containers usually put their work
            "workspace" | "workspaces" | "testbed" if self.workspaces.is_empty() => return relative(below),
            "dev" => return device(below),
            "var" if below == "tmp" || below.starts_with("tmp/") => return Place::Scratch,
            "private"
                if below.starts_with("tmp") || below.starts_with("var/folders") || below.starts_with("var/tmp") =>
            {
                return Place::Scratch;
            }
            "home" | "users" if !is_everything(below) => {
                let inside = below.split_once('/').map_or("", |(_, rest)| rest);
                return if is_everything(inside) {
                    Place::Home
                } else {
                    Place::InHome
                };
            }
            "root" => {
                return if is_everything(below) {
                    Place::Home
                } else {
                    Place::InHome
                };
            }
            "usr" if below.starts_with("local/") || below.starts_with("src/") => return Place::Outside,
            _ => {}
        }
        if is_everything(below) {
            return if TOP.contains(&top) {
                Place::System
            } else {
                Place::Outside
            };
        }
        if DEEP.contains(&top) {
            return Place::InSystem;
        }
        if top == "var" && matches!(below, "lib" | "log" | "spool" | "cache" | "db" | "www" | "mail" | "run") {
            return Place::System;
        }
        Place::Outside
    }
}

/// Whether a path has no part that is empty, `.` or `..`.
fn is_normal(path: &str) -> bool {
    let inside = path.strip_prefix('/').unwrap_or(path);
    let mut part = 0;
    let mut dots = true;
    for byte in inside.bytes() {
        if byte == b'/' {
            if dots && part <= 2 {
                return false;
            }
            (part, dots) = (0, true);
        } else {
            dots &= byte == b'.';
            part += 1;
        }
    }
    !(dots && part <= 2)
}

/// Nothing, or what stands for all there is.
fn is_everything(rest: &str) -> bool {
    rest.is_empty()
        || rest
            .chars()
            .all(|c| matches!(c, '*' | '?' | '.' | '/' | ALL | UNKNOWN) || c == '{' || c == '}')
            && !rest.contains(SOME)
}

fn relative(normal: &str) -> Place {
    if normal == ".." || normal.starts_with("../") {
        return Place::Above;
    }
    if is_everything(normal) {
        return Place::Workspace;
    }
    Place::InWorkspace
}

fn device(below: &str) -> Place {
    match below {
        "null" | "zero" | "full" | "stdout" | "stderr" | "stdin" | "tty" | "console" | "random" | "urandom"
        | "ptmx" => Place::Sink,
        "" => Place::System,
        _ if below.starts_with("fd/") || below.starts_with("tty") || below.starts_with("pts/") => Place::Sink,
        _ if below.starts_with("shm") || below.starts_with("mqueue") => Place::Scratch,
        _ if DISKS.iter().any(|disk| below.starts_with(disk)) => Place::Device,
        _ if below.starts_with("mem") || below.starts_with("kmem") || below.starts_with("port") => Place::Device,
        _ => Place::InSystem,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_paths_are_made_normal_as_all_others_are(
            path in "(/|~|)([a.~]{1,3}|/|proc/|self/|root/){0,5}",
            cwd in "(|/|~|/a|/proc|/proc/1|[/.a]{0,5})",
        ) {
            let places = Places::default();
            let slowly = places.made_normal(&path, &cwd);
            prop_assert_eq!(places.normal(&path, &cwd), slowly);
        }
    }

    #[test]
    fn detours_do_not_hide_where_a_path_leads() {
        let places = Places::default();
        for path in [
            "/",
            "//",
            "/.",
            "/etc/..",
            "/proc/self/root",
            "/proc/1/root/",
            "/*",
            "/tmp/../*",
        ] {
            assert_eq!(places.place(path, ""), Place::Root, "{path}");
        }
        for path in ["/etc", "//etc//", "/tmp/../etc", "/ETC", "/usr/../etc/*"] {
            assert_eq!(places.place(path, ""), Place::System, "{path}");
        }
        for path in ["~", "~/", "~/.", "~/x/..", "/home/somebody", "/root", "~/*", "~other"] {
            assert_eq!(places.place(path, ""), Place::Home, "{path}");
        }
    }

    #[test]
    fn relative_paths_follow_the_working_directory() {
        let places = Places::default();
        assert_eq!(places.place("*", "/"), Place::Root);
        assert_eq!(places.place("x", "/etc"), Place::InSystem);
        assert_eq!(places.place("target", ""), Place::InWorkspace);
        assert_eq!(places.place("../x", ""), Place::Above);
        assert_eq!(places.place("a/../..", ""), Place::Above);
    }

    #[test]
    fn the_workspace_root_makes_absolute_paths_its_own() {
        let mut places = Places::default();
        assert!(places.add_workspace("/srv/app") && places.add_workspace("/srv/lib"));
        assert_eq!(places.place("/srv/app/target", ""), Place::InWorkspace);
        assert_eq!(places.place("/srv/app", ""), Place::Workspace);
        assert_eq!(places.place("/srv/apple", ""), Place::Outside);
        assert_eq!(places.place("../../etc", ""), Place::System);
    }
}
