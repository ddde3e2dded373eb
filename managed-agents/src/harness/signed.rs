//! With an operator set, no file is judged by that no approver signed: an agent may be able to write files. And where the log has a
//! root approver, an entry says of all rules that are put into force by which order they were, before anything is judged by them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::BuildError;
use super::rules::OwnRules;
use crate::answer::wait;
use crate::approval::{InForce, OperatorStatement, OrderedFile, RULES_ENTRY, Roots, StatementKind};
use crate::audit::Sequence;
use crate::audit::entry::{Statement, statement};
use crate::call::Digest;
use crate::governor::{Governor, SourceGuard};
use crate::home::{HomeError, orders, root, roster};
use crate::identity::KeyId;
use crate::store::{Reader, Store};

/// How often it is looked anew for an order, where others sign meanwhile.
const TRIES: usize = 4;
/// How long it takes at most until policies that were let in are judged by, most often.
const A_MOMENT: Duration = Duration::from_millis(5);

/// Files, by what they are called.
type Files = [(&'static str, Option<Digest>); 2];

/// Lets in what an approver signed last, and writes down what it lets in.
pub(super) struct Ordered {
    store: Store,
    roots: Roots,
    /// Whether code names the operator: else what nobody signed is let in, and the record says so.
    enforced: bool,
    own: OwnRules,
    /// Held while the record is read and written, and by nobody else.
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    /// What was let in last.
    in_force: Option<InForce>,
    /// The policies that nobody signed, and were tried last.
    tried: Option<Digest>,
}

impl Ordered {
    /// None where there is nobody who could sign; then nothing is asked and nothing written down.
    pub(super) fn begin(
        store: Option<&Store>,
        operator: Option<KeyId>,
        own: OwnRules,
        files: Files,
    ) -> Result<Option<Arc<Self>>, BuildError> {
        let Some(store) = store else {
            let file = files.into_iter().find(|(_, digest)| digest.is_some());
            return match file.filter(|_| operator.is_some()) {
                Some((what, _)) => Err(unsigned(what, "and in memory no signature is recorded")),
                None => Ok(None),
            };
        };
        let named = match operator {
            Some(operator) => Some(operator),
            None => root(&store.reader().map_err(HomeError::from)?).map_err(HomeError::from)?,
        };
        // whoever code names may approve calls, and orders nothing
        let roots = Roots {
            operator: named,
            named: Vec::new(),
        };
        Ok(named.map(|_| {
            Arc::new(Self {
                store: store.clone(),
                roots,
                enforced: operator.is_some(),
                own,
                last: Mutex::default(),
            })
        }))
    }

    /// At the start: each file must be the one that was signed last; what is not leaves a trace in the record. The governor must ask
    /// already before it judges by other files, and may do so at any moment.
    pub(super) fn start(&self, config: Option<Digest>, governor: &dyn Governor) -> Result<(), BuildError> {
        let mut tries = 0;
        loop {
            let (policies, rules) = judged_by(governor);
            let files = [("config", config), ("policies", policies)];
            let files: Vec<_> = files
                .into_iter()
                .filter_map(|(what, digest)| Some((what, digest?)))
                .collect();
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let (what, digest) = match self.put_in_force(&mut last, &files, rules) {
                Err(Refused::Unsigned(what, digest)) => (what, digest),
                other => return other.map_err(BuildError::from),
            };
            // others were let in since these were read, and are judged by in a moment
            let is_outdated = last.in_force.is_some() && what == "policies";
            drop(last);
            if !is_outdated || tries == TRIES {
                self.refused(what, digest)?;
                return Err(unsigned(what, "by their digest"));
            }
            tries += 1;
            std::thread::sleep(A_MOMENT);
        }
    }

    /// While the program runs; what is refused leaves a trace in the record, once while the same is tried.
    fn again(&self, policies: Digest, governor: Digest) -> Result<(), BuildError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match self.put_in_force(&mut last, &[("policies", policies)], Some(governor)) {
            Ok(()) => {
                last.tried = None;
                Ok(())
            }
            Err(Refused::Unsigned(what, digest)) => {
                if last.tried.replace(digest) != Some(digest) {
                    self.refused(what, digest)?;
                }
                Err(unsigned(what, "by their digest"))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Lets files in, and those that were let in before and are not among them. When it says so, an entry stands in the log that names
    /// the last order about each of them.
    fn put_in_force(
        &self,
        last: &mut Last,
        files: &[(&'static str, Digest)],
        governor: Option<Digest>,
    ) -> Result<(), Refused> {
        for _ in 0..TRIES {
            let reader = self.store.reader().map_err(HomeError::from)?;
            let signed = self.signed(&reader)?;
            let mut of = BTreeMap::new();
            for &(what, digest) in files {
                let digest_text = digest.to_string();
                let order = last_about(&signed, what).filter(|(_, stated)| stated.about(what) == Some(&*digest_text));
                if order.is_none() && self.enforced {
                    return Err(Refused::Unsigned(what, digest));
                }
                let file = OrderedFile {
                    digest: digest_text,
                    order: order.map(|(place, _)| place.get()),
                };
                of.insert(what.to_owned(), file);
            }
            // records of what a governor judges that says nothing of its rules say nothing of them either
            let Some(governor) = governor else { return Ok(()) };
            let in_force = self.with_kept(last.in_force.as_ref(), of, self.own.with(governor));
            if !is_recorded(&reader, &in_force)? {
                drop(reader);
                self.record(&in_force)?;
                // what was signed meanwhile is the last before that entry
                let reader = self.store.reader().map_err(HomeError::from)?;
                let now = self.signed(&reader)?;
                if now.last().map(|(place, _)| *place) != signed.last().map(|(place, _)| *place) {
                    continue;
                }
            }
            last.in_force = Some(in_force);
            return Ok(());
        }
        Err(Refused::Other(
            "rules are signed anew faster than they can be put into force",
        ))
    }

    fn with_kept(&self, before: Option<&InForce>, mut files: BTreeMap<String, OrderedFile>, rules: Digest) -> InForce {
        let mut replaces = None;
        for (what, file) in before.iter().flat_map(|before| &before.files) {
            if !files.contains_key(what) {
                replaces = before.map(|before| before.rules.clone());
                files.insert(what.clone(), file.clone());
            }
        }
        InForce {
            files,
            replaces,
            rules: rules.to_string(),
        }
    }

    /// Orders about rules, oldest first.
    fn signed(&self, reader: &Reader) -> Result<Vec<(Sequence, OperatorStatement)>, HomeError> {
        Ok(orders(reader, StatementKind::Rules, &roster(reader, &self.roots)?)?)
    }

    fn record(&self, in_force: &InForce) -> Result<(), Refused> {
        let body = serde_json::to_string(in_force).map_err(|_| Refused::Other("they cannot be written down"))?;
        let entry = statement(&Statement::new(RULES_ENTRY, SystemTime::now(), &body)).map_err(HomeError::from)?;
        wait(self.store.append(entry, true)).map_err(HomeError::from)?;
        Ok(())
    }

    fn refused(&self, what: &str, digest: Digest) -> Result<(), HomeError> {
        let body = serde_json::json!({ "code": "rules_unsigned", "digest": digest.to_string(), "what": what });
        let body = body.to_string();
        let entry = statement(&Statement::new("refusal", SystemTime::now(), &body))?;
        wait(self.store.append(entry, true))?;
        Ok(())
    }
}

/// With an operator set, no policies are put into force while the program runs that no approver signed.
impl SourceGuard for Ordered {
    fn admits_sources(&self, sources: Digest, rules: Digest) -> Result<(), String> {
        self.again(sources, rules).map_err(|error| error.to_string())
    }
}

/// Why files are not let in.
enum Refused {
    Unsigned(&'static str, Digest),
    Failed(HomeError),
    Other(&'static str),
}

impl From<HomeError> for Refused {
    fn from(error: HomeError) -> Self {
        Self::Failed(error)
    }
}

impl From<Refused> for BuildError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unsigned(what, _) => unsigned(what, "by their digest"),
            Refused::Failed(error) => error.into(),
            Refused::Other(what) => Self::RulesUnsigned(what.to_owned()),
        }
    }
}

/// An earlier one may have been laxer: only the last counts.
fn last_about<'a>(
    signed: &'a [(Sequence, OperatorStatement)],
    what: &str,
) -> Option<&'a (Sequence, OperatorStatement)> {
    signed.iter().rev().find(|(_, stated)| stated.about(what).is_some())
}

/// The files and the rules by which a governor judges at one moment.
fn judged_by(governor: &dyn Governor) -> (Option<Digest>, Option<Digest>) {
    let mut read = (governor.sources(), governor.rules());
    for _ in 0..TRIES {
        let again = (governor.sources(), governor.rules());
        if read == again {
            break;
        }
        // read anew in between, they may not be of each other
        read = again;
    }
    read
}

/// Whether the last entry about these rules says the same already, and came after the orders that it names: a program that is
/// started often does not fill the log.
fn is_recorded(reader: &Reader, in_force: &InForce) -> Result<bool, HomeError> {
    let ordered = in_force.files.values().filter_map(|file| file.order).max();
    for entry in reader.stated(RULES_ENTRY)?.iter().rev() {
        let said = entry.raw("body").map(serde_json::from_str::<InForce>);
        if let Some(Ok(said)) = said
            && said.rules == in_force.rules
        {
            return Ok(said == *in_force && ordered.is_none_or(|order| order < entry.sequence()));
        }
    }
    Ok(false)
}

fn unsigned(what: &str, why: &str) -> BuildError {
    let what = if what == "config" {
        "the configuration is"
    } else {
        "the policies are"
    };
    BuildError::RulesUnsigned(format!("{what} not what an approver signed last, {why}"))
}
