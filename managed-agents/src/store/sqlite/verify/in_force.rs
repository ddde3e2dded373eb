//! Whether every decision was made by rules that an order let in: where a root approver is enrolled, decisions by others are named, also
//! if who made them holds the log's key.
//!
//! Held to this is what comes after the first entry that says which rules are in force, or the first order whose signer says that such
//! entries are written: a log of programs that wrote none is sound as it was.

use std::collections::{BTreeMap, HashMap};

use super::report::Report;
use crate::approval::{InForce, OperatorStatement, OrderedFile, RECORDED};
use crate::call::Digest;
use crate::identity::encoding::hex;

#[derive(Default)]
pub(super) struct Rules {
    held: bool,
    /// Orders about rules, each at its first place.
    orders: Vec<(u64, OperatorStatement)>,
    /// Rules that were let in, by the digest that decisions name.
    let_in: HashMap<Digest, Standing>,
    /// Where rules that nobody let in were first judged by, and how often.
    others: BTreeMap<Digest, (u64, u64)>,
    /// Decisions by rules that an order has replaced since.
    replaced: u64,
    /// The last decision's, if nothing is to be said of it: most decisions are made by the rules of the one before.
    last: Option<Digest>,
}

#[derive(Default)]
struct Standing {
    /// Each that was let in, the last one last: rules of the same digest may be made of files of other bytes.
    files: Vec<BTreeMap<String, OrderedFile>>,
    /// Whether an order is about other files than the last of these by now.
    is_replaced: bool,
}

impl Standing {
    fn last(&self) -> Option<&BTreeMap<String, OrderedFile>> {
        self.files.last()
    }

    fn let_in(&mut self, files: BTreeMap<String, OrderedFile>) {
        self.files.retain(|before| *before != files);
        self.files.push(files);
    }

    /// Whether files of the same bytes were let in, by whichever order.
    fn knows(&self, said: &BTreeMap<String, OrderedFile>) -> bool {
        let of = |(what, file): (&String, &OrderedFile)| (what.clone(), file.digest.clone());
        self.files
            .iter()
            .any(|files| files.iter().map(of).eq(said.iter().map(of)))
    }
}

impl Rules {
    /// The log goes on under another name: orders are for one.
    pub(super) fn begin(&mut self) {
        self.orders.clear();
        self.last = None;
        for standing in self.let_in.values_mut() {
            standing.is_replaced = standing.last().is_some_and(|files| !files.is_empty());
        }
    }

    /// An approver ordered it.
    pub(super) fn ordered(&mut self, place: u64, stated: OperatorStatement) {
        let (name, value) = RECORDED;
        self.held |= stated.about(name) == Some(value);
        self.last = None;
        self.orders.push((place, stated));
        for standing in self.let_in.values_mut() {
            standing.is_replaced = standing.last().is_some_and(|files| is_replaced(&self.orders, files));
        }
    }

    /// An entry says which rules are in force from here on.
    pub(super) fn stated(&mut self, body: &str, believes: impl Fn(&OperatorStatement) -> bool) {
        self.held = true;
        self.last = None;
        let Ok(said) = serde_json::from_str::<InForce>(body) else {
            return;
        };
        let Some(rules) = digest_of(&said.rules) else { return };
        let before = said.replaces.as_deref().and_then(digest_of);
        let before = before.and_then(|before| self.let_in.get(&before));
        let is_kept = |what: &str, file| {
            before.is_some_and(|before| before.files.iter().any(|files| files.get(what) == Some(file)))
        };
        let is_ordered = |what: &str, file: &OrderedFile| {
            let last = self.orders.iter().rev();
            let mut last = last.filter(|(_, stated)| stated.about(what).is_some() && believes(stated));
            let is_last = |(place, stated): &(u64, OperatorStatement)| {
                file.order == Some(*place) && stated.about(what) == Some(&*file.digest)
            };
            last.next().is_some_and(is_last)
        };
        let mut all = said.files.iter();
        if all.all(|(what, file)| is_ordered(what, file) || is_kept(what, file)) {
            // what was kept may have been replaced before
            let is_replaced = is_replaced(&self.orders, &said.files);
            let standing = self.let_in.entry(rules).or_default();
            standing.let_in(said.files);
            standing.is_replaced = is_replaced;
        } else if !self
            .let_in
            .get(&rules)
            .is_some_and(|standing| standing.knows(&said.files))
        {
            // who says so of files that no order is about takes back what another said of the same; but not who came too late with
            // what was let in before, since an order about others was signed while he wrote
            self.let_in.remove(&rules);
        }
    }

    /// A decision was made by these rules.
    pub(super) fn decided(&mut self, place: u64, rules: Digest) {
        if !self.held || self.last == Some(rules) {
            return;
        }
        match self.let_in.get(&rules) {
            Some(standing) if standing.is_replaced => self.replaced += 1,
            Some(_) => self.last = Some(rules),
            None => self.others.entry(rules).or_insert((place, 0)).1 += 1,
        }
    }

    pub(super) fn finish(self, report: &mut Report) {
        report.replaced = self.replaced;
        let mut others: Vec<_> = self.others.into_values().collect();
        others.sort_unstable();
        for (first, count) in others {
            let more = match count - 1 {
                0 => String::new(),
                1 => ", and 1 decision after it".to_owned(),
                more => format!(", and {more} decisions after it"),
            };
            let what = format!("it was judged by rules that no order of an approver's put into force{more}");
            report.add("rules_unsigned", Some(first), what);
        }
    }
}

/// Whether the last order about one of the files is about another version of it.
fn is_replaced(orders: &[(u64, OperatorStatement)], files: &BTreeMap<String, OrderedFile>) -> bool {
    files.iter().any(|(what, file)| {
        let last = orders.iter().rev().find_map(|(_, stated)| stated.about(what));
        last.is_some_and(|digest| digest != file.digest)
    })
}

/// Reads a digest as it stands in an entry.
pub(super) fn digest_of(text: &str) -> Option<Digest> {
    hex(text).map(Digest::new)
}
