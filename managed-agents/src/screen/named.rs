//! The places that the operator names: workspaces, scratch places, and what governance rests on.

use super::glob;
use super::place::Place;
use super::shell::data::ALL;

/// The places that the operator names.
#[derive(Clone, Debug, Default)]
pub(in crate::screen) struct Places {
    /// Where the agent works; absolute, without a slash at their ends. Relative paths begin in the first.
    pub(super) workspaces: Vec<String>,
    /// As they were named; what they are called after all workspaces are known stands in `normals`.
    named: Vec<(String, Named)>,
    normals: Vec<(String, Named)>,
    /// Hosts that commands may not ask; those of the profile.
    pub(in crate::screen) denied_hosts: Vec<String>,
}

/// What the operator says of a place that is no workspace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::screen) enum Named {
    /// Nobody misses what lies there.
    Scratch,
    /// Governance rests on it: it may be read and never changed.
    Protected,
    /// The same, and it may not be read.
    Secret,
}

impl Places {
    pub(in crate::screen) fn with_denied_hosts(denied_hosts: Vec<String>) -> Self {
        Self {
            denied_hosts,
            ..Self::default()
        }
    }

    /// Adds a place; whether it means something.
    pub(in crate::screen) fn add(&mut self, path: &str, named: Named) -> bool {
        let normal = self.normal(path, "");
        let own = match named {
            Named::Scratch => matches!(self.place_of(&normal), Place::InHome | Place::Outside | Place::Scratch),
            // protecting all there is would protect nothing in particular
            Named::Protected | Named::Secret => !matches!(&*normal, "" | "." | "/" | "~"),
        };
        if own {
            self.named.push((path.to_owned(), named));
            self.settle();
        }
        own
    }

    /// Adds a directory in which the agent works; whether it can be one.
    pub(in crate::screen) fn add_workspace(&mut self, root: &str) -> bool {
        let root = self.normal(root, "").into_owned();
        // the root of the file system is nobody's workspace
        let own = root.len() > 1 && root.starts_with('/');
        if own {
            self.workspaces.push(root);
            self.settle();
        }
        own
    }

    /// Each place by the name that it has from the workspace, and by its whole name: where capitals do not count, the way
    /// to the workspace may be spelled otherwise.
    fn settle(&mut self) {
        let whole = Self::default();
        let names = |(path, named): &(String, Named)| {
            [self.normal(path, ""), whole.normal(path, "")].map(|name| (name.into_owned(), *named))
        };
        self.normals = self.named.iter().flat_map(names).collect();
        self.normals.dedup();
    }

    /// Whether a path that is already normal is one on which governance rests, or may be one.
    pub(in crate::screen) fn is_protected(&self, normal: &str) -> bool {
        self.is_in(normal, &[Named::Protected, Named::Secret])
    }

    /// Whether a path that is already normal may not even be read.
    pub(in crate::screen) fn is_secret(&self, normal: &str) -> bool {
        self.is_in(normal, &[Named::Secret])
    }

    /// Whether any path may not even be read.
    pub(in crate::screen) fn has_secrets(&self) -> bool {
        self.named.iter().any(|(_, named)| *named == Named::Secret)
    }

    /// Whether a directory holds what governance rests on.
    pub(in crate::screen) fn holds_protected(&self, normal: &str) -> bool {
        self.normals.iter().any(|(path, named)| {
            *named != Named::Scratch
                && match normal {
                    "." => !path.starts_with(['/', '~']),
                    _ => is_inside(path, normal),
                }
        })
    }

    /// Surely: where a glob may lead out of it, it does.
    pub(super) fn is_scratch(&self, normal: &str) -> bool {
        let mut own = self.normals.iter().filter(|(_, named)| *named == Named::Scratch);
        own.any(|(path, _)| is_inside(normal, path))
    }

    fn is_in(&self, normal: &str, which: &[Named]) -> bool {
        let mut pattern = None;
        // what begins in the workspace leads nowhere else; and some of the files below a directory are not just these
        let begins = |path: &str| path.starts_with(['/', '~']);
        self.normals.iter().any(|(path, named)| {
            which.contains(named)
                && (is_inside(normal, path)
                    || begins(normal) == begins(path) && {
                        let pattern = pattern.get_or_insert_with(|| normal.replace(ALL, "*"));
                        glob::is_pattern(pattern)
                            && (glob::fits(pattern, path) || glob::fits(head(pattern, path), path))
                    })
        })
    }
}

/// As many parts of a path as another one has.
fn head<'p>(path: &'p str, other: &str) -> &'p str {
    let parts = other.matches('/').count();
    path.match_indices('/')
        .nth(parts)
        .and_then(|(end, _)| path.get(..end))
        .unwrap_or(path)
}

/// Whether a normal path is another one, or lies below it. Capitals do not count: on some systems they do not.
fn is_inside(path: &str, directory: &str) -> bool {
    path.get(..directory.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(directory))
        && matches!(path.as_bytes().get(directory.len()), None | Some(b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_places_are_known_by_every_name() {
        let mut places = Places::default();
        assert!(places.add("/srv/app/policies", Named::Protected));
        assert!(places.add("/mnt/build", Named::Scratch) && places.add("~/scratch", Named::Scratch));
        // a workspace that is named later changes what the others are called
        assert!(places.add_workspace("/srv/app"));
        for path in [
            "/srv/app/policies",
            "policies/a.cedar",
            "./x/../policies",
            "/SRV/APP/Policies/a",
            "polic*",
            "p*s/a",
            "*",
        ] {
            let normal = places.normal(path, "");
            assert!(places.is_protected(&normal) && !places.is_secret(&normal), "{path}");
        }
        for path in ["policies-old", "/policies", "docs"] {
            assert!(!places.is_protected(&places.normal(path, "")), "{path}");
        }
        assert!(places.holds_protected(".") && !places.holds_protected("docs"));
        assert_eq!(places.place("/mnt/build/x", ""), Place::Scratch);
        assert_eq!(places.place("~/scratch/x", ""), Place::Scratch);
        assert_eq!(places.place("/mnt/build/../x", ""), Place::Outside);
        assert_eq!(places.place("/mnt/builds", ""), Place::Outside);
        for path in ["/", "/etc", "/usr/bin", "~", "/home/x", "/dev/sda"] {
            assert!(!places.add(path, Named::Scratch), "{path}");
        }
        assert!(!places.add_workspace("/") && !places.add_workspace("relative"));
    }
}
