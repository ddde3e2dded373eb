//! One table of all programs that rules know: a name is looked up once, and only what knows the program looks at it.

use super::{effect, shell, tamper};

/// A function that matches on a program's name, and the list of the names it knows, from one list of arms.
macro_rules! by_name {
    (
        $(#[$doc:meta])*
        $names:ident: $vis:vis fn $function:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? where $subject:ident $(. $field:ident)? is {
            $( $($name:literal)|+ $(if $guard:expr)? => $body:expr, )*
        } else $otherwise:block
    ) => {
        pub(in crate::screen) const $names: &[&str] = &[$($($name),+),*];

        $(#[$doc])*
        $vis fn $function($($argument: $type),*) $(-> $result)? {
            match $subject $(. $field)? {
                $( $($name)|+ $(if $guard)? => $body, )*
                _ => $otherwise
            }
        }
    };
}

/// What knows a program; a set.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::screen) struct Known(u64);

impl Known {
    /// Bits below this are judges of [`effect::JUDGES`], in their order.
    const OTHERS: u32 = 32;
    /// Runs the program that is named in its arguments.
    pub(in crate::screen) const WRAPPER: Self = Self(1 << Self::OTHERS);
    /// Runs commands that are given in some other way.
    pub(in crate::screen) const NESTED: Self = Self(1 << (Self::OTHERS + 1));
    /// A shell or interpreter.
    pub(in crate::screen) const INTERPRETER: Self = Self(1 << (Self::OTHERS + 2));
    /// Prints files that it is given.
    pub(in crate::screen) const PRINTER: Self = Self(1 << (Self::OTHERS + 3));
    /// Never shows what is in a file.
    pub(in crate::screen) const LOOKS_ONLY: Self = Self(1 << (Self::OTHERS + 4));
    /// A shell among its arguments is only a name.
    pub(in crate::screen) const ONLY_NAMES: Self = Self(1 << (Self::OTHERS + 5));
    /// Published to look for ways to gain rights or credentials.
    pub(in crate::screen) const PROBE: Self = Self(1 << (Self::OTHERS + 6));
    /// What it prints can be told.
    pub(in crate::screen) const OUTPUT: Self = Self(1 << (Self::OTHERS + 7));
    /// What it prints comes from elsewhere, or holds what others should not see.
    pub(in crate::screen) const SOURCE: Self = Self(1 << (Self::OTHERS + 9));
    /// Has options that name a program to run, though a shell among its arguments is only a name.
    pub(in crate::screen) const HELPED: Self = Self(1 << (Self::OTHERS + 10));
    /// Can do something beside its purpose.
    pub(in crate::screen) const ABLE: Self = Self(1 << (Self::OTHERS + 11));
    /// May change or stop what governs.
    pub(in crate::screen) const GOVERNS: Self = Self(1 << (Self::OTHERS + 8));
    /// Bits from here on are groups of [`effect::GROUPS`], in their order.
    const GROUPED: u32 = Self::OTHERS + 16;

    pub(in crate::screen) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(in crate::screen) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether no rule is about what the program is for.
    pub(in crate::screen) const fn is_unknown(self) -> bool {
        self.0 & ((1 << Self::GROUPED) - 1) & !Self::ABLE.0 == 0
    }

    /// Whether any rule knows the program.
    pub(in crate::screen) const fn is_something(self) -> bool {
        self.0 != 0
    }

    /// The groups that say what the program can do beside its purpose, by their place in [`effect::GROUPS`].
    pub(in crate::screen) const fn groups(self) -> Bits {
        Bits(self.0 >> Self::GROUPED)
    }

    /// The judges that know the program, by their place in [`effect::JUDGES`].
    pub(in crate::screen) const fn judges(self) -> Bits {
        Bits(self.0 & ((1 << Self::OTHERS) - 1))
    }
}

/// The places of the bits that are set, from the lowest on.
#[derive(Clone, Copy)]
pub(in crate::screen) struct Bits(u64);

impl Iterator for Bits {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let next = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (next < u64::BITS).then_some(next as usize)
    }
}

/// A power of two, at least twice as many as there are names.
const SLOTS: usize = 8192;

struct Table {
    names: [&'static str; SLOTS],
    known: [Known; SLOTS],
}

static TABLE: Table = table();

/// What knows a program of this name.
pub(in crate::screen) fn known(name: &str) -> Known {
    let mut at = place(name.as_bytes());
    loop {
        match (TABLE.names.get(at), TABLE.known.get(at)) {
            (Some(own), Some(known)) if !own.is_empty() => {
                // names are short: a loop is there sooner than a call
                if same(own.as_bytes(), name.as_bytes()) {
                    return *known;
                }
            }
            _ => return Known(0),
        }
        at = (at + 1) % SLOTS;
    }
}

/// FNV-1a, folded to a place in the table.
const fn place(name: &[u8]) -> usize {
    let mut hash = 0x811c_9dc5_u32;
    let mut rest = name;
    while let [first, others @ ..] = rest {
        hash = (hash ^ *first as u32).wrapping_mul(0x0100_0193);
        rest = others;
    }
    (hash ^ (hash >> 15)) as usize % SLOTS
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    let (mut one, mut other) = (one, other);
    loop {
        match (one, other) {
            ([], []) => return true,
            ([a, x @ ..], [b, y @ ..]) if *a == *b => (one, other) = (x, y),
            _ => return false,
        }
    }
}

const fn table() -> Table {
    let mut table = Table {
        names: [""; SLOTS],
        known: [Known(0); SLOTS],
    };
    let mut judge = 0;
    let mut rest = effect::JUDGES;
    while let [(names, _), others @ ..] = rest {
        table = with(table, names, Known(1 << judge));
        judge += 1;
        rest = others;
    }
    table = with(table, shell::wrappers::NAMES, Known::WRAPPER);
    table = with(table, shell::nested::NAMES, Known::NESTED);
    table = with(table, shell::interpreters::NAMES, Known::INTERPRETER);
    table = with(table, shell::flow::PRINTERS, Known::PRINTER);
    table = with(table, shell::flow::NAMES, Known::OUTPUT);
    table = with(table, effect::LOOKS_ONLY, Known::LOOKS_ONLY);
    table = with(table, effect::ONLY_NAMES, Known::ONLY_NAMES);
    table = with(table, effect::TAKES_HELPERS, Known::HELPED);
    let (mut groups, mut group) = (effect::GROUPS, Known::GROUPED);
    while let [names, others @ ..] = groups {
        table = with(table, names, Known(Known::ABLE.0 | 1 << group));
        (groups, group) = (others, group + 1);
    }
    table = with(table, tamper::NAMES, Known::GOVERNS);
    let [from_network, of_credentials] = effect::SOURCES;
    table = with(table, from_network, Known::SOURCE);
    table = with(table, of_credentials, Known::SOURCE);
    with(table, effect::PROBES, Known::PROBE)
}

#[expect(
    clippy::indexing_slicing,
    reason = "it runs when the program is compiled, where a bad index is an error"
)]
const fn with(mut table: Table, names: &[&'static str], known: Known) -> Table {
    let mut next = 0;
    while next < names.len() {
        let name = names[next];
        let mut at = place(name.as_bytes());
        while !table.names[at].is_empty() && !same(table.names[at].as_bytes(), name.as_bytes()) {
            at = (at + 1) % SLOTS;
        }
        table.names[at] = name;
        table.known[at] = Known(table.known[at].0 | known.0);
        next += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_is_found_by_its_name_and_no_other_is() {
        for (index, (names, _)) in effect::JUDGES.iter().enumerate() {
            for name in *names {
                assert!(known(name).judges().any(|judge| judge == index), "{name}");
            }
        }
        assert!(known("sudo").has(Known::WRAPPER) && known("xargs").has(Known::NESTED));
        assert_eq!(known("cargo-nextest"), Known(0));
        assert_eq!(known(""), Known(0));
    }

    #[test]
    fn the_table_has_room() {
        let used = TABLE.names.iter().filter(|name| !name.is_empty()).count();
        assert!(
            used * 2 < SLOTS && effect::JUDGES.len() <= Known::OTHERS as usize,
            "{used}"
        );
        assert!(effect::GROUPS.len() <= (u64::BITS - Known::GROUPED) as usize);
    }
}
