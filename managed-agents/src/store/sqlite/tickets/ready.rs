//! What of a ticket is made ready while its decision is on its way: what people are shown of the call, encrypted.

use std::sync::Arc;

use super::Binding;
use super::key::{self, StoreKey};
use crate::approval::{Opening, ShownCall};
use crate::store::sqlite::error::{StoreError, StoreErrorKind};
use crate::store::sqlite::keys::{SubjectKey, SubjectKeys};
use crate::store::sqlite::seal::{self, SealedBox};

/// All of a ticket that does not depend on where its decision comes to stand.
pub(in crate::store::sqlite) struct Ready {
    opening: Arc<Opening>,
    subject: SubjectKey,
    pub(super) binding: Binding,
    pub(super) sealed: SealedBox,
}

impl Ready {
    pub(in crate::store::sqlite) fn of(
        opening: &Arc<Opening>,
        keys: &SubjectKeys,
        store: &StoreKey,
    ) -> Result<Self, StoreError> {
        let call = &opening.call;
        let subject = subject(opening, keys)?;
        let shown = serde_json::to_vec(&ShownCall::of(call, &opening.reasons))
            .map_err(|error| StoreError::new(StoreErrorKind::Refused, error.to_string()))?;
        Ok(Self {
            opening: Arc::clone(opening),
            subject,
            binding: Binding {
                binding: call.binding(&store.of_subject(&subject)),
                salt: key::salt()?,
            },
            sealed: seal::seal(subject, &shown)?,
        })
    }

    /// Whether it was made for this ticket, under the key that its data subject has now: an erasure may have come between.
    pub(in crate::store::sqlite) fn fits(
        &self,
        opening: &Arc<Opening>,
        keys: &SubjectKeys,
    ) -> Result<bool, StoreError> {
        Ok(Arc::ptr_eq(&self.opening, opening) && subject(opening, keys)?.number == self.subject.number)
    }

    pub(super) fn opening(&self) -> &Opening {
        &self.opening
    }

    /// What the ticket is bound to.
    pub(in crate::store::sqlite) fn binding(&self) -> &[u8; 32] {
        &self.binding.binding
    }
}

fn subject(opening: &Opening, keys: &SubjectKeys) -> Result<SubjectKey, StoreError> {
    let call = &opening.call;
    keys.find_or_make(call.subject().unwrap_or(call.agent().as_str()))
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::answer::wait;
    use crate::approval::TicketClaim;
    use crate::audit::entry::tests::{call, record};
    use crate::audit::{Committed, Disposition, Recorder as _};
    use crate::governor::Claims;
    use crate::store::sqlite::message::Message;
    use crate::store::{Store, StoreOptions};
    use crate::verdict::Decision;

    pub(in crate::store::sqlite::tickets) fn opening(id: &str, cents: u32) -> Arc<Opening> {
        let now = SystemTime::now();
        Arc::new(Opening {
            id: id.into(),
            call: call("pay", &serde_json::json!({ "cents": cents }), &[]),
            reasons: Vec::new(),
            needed: 1,
            rules: None,
            opened: now,
            expires: now + Duration::from_secs(60),
            most_pending: 20,
            replaces: None,
        })
    }

    pub(in crate::store::sqlite::tickets) fn store(name: &str) -> (Store, std::path::PathBuf) {
        let dir = std::env::temp_dir().join(format!("managed-agents-ready-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let store = Store::open(StoreOptions::new(&dir).high_water(dir.join("mark"))).unwrap();
        (store, dir)
    }

    #[test]
    fn what_was_made_ready_fits_the_same_opening_under_the_key_that_its_subject_has_now_and_nothing_else() {
        let (store, dir) = store("fits");
        let (keys, ticket_key) = (&store.0.shared.keys, &store.0.shared.ticket_key);
        let (one, same_call) = (opening("tkt_a", 1), opening("tkt_a", 1));
        let ready = Ready::of(&one, keys, ticket_key).unwrap();
        assert!(ready.fits(&one, keys).unwrap());
        assert!(ready.fits(&Arc::clone(&one), keys).unwrap());
        assert!(!ready.fits(&same_call, keys).unwrap(), "another that says the same");
        assert!(!ready.fits(&opening("tkt_b", 2), keys).unwrap());
        let number = keys.erase("support-bot").unwrap().unwrap();
        assert!(!ready.fits(&one, keys).unwrap(), "its key is destroyed");
        let anew = Ready::of(&one, keys, ticket_key).unwrap();
        assert!(anew.fits(&one, keys).unwrap());
        keys.confirm(number).unwrap();
        assert_ne!(ready.binding(), anew.binding());
        drop(store);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    /// Others' openings come between a call's own and its decision, as they do when many ask at once.
    #[test]
    fn a_ticket_is_opened_with_what_its_own_call_says_whatever_was_made_ready_last() {
        let (store, dir) = store("own");
        let to_writer = store.0.to_writer.clone();
        let (ends, ended) = std::sync::mpsc::channel::<()>();
        let others = std::thread::spawn(move || {
            let other = opening("tkt_other", 1_000);
            while let Err(std::sync::mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(Duration::from_micros(20)) {
                to_writer.send(Message::Opening(Arc::clone(&other))).unwrap();
            }
        });
        for round in 0..200 {
            let one = opening(&format!("tkt_{round}"), round);
            let claims = Claims {
                ticket: TicketClaim::Open(Arc::clone(&one)),
                ..Claims::default()
            };
            let record = record(&one.call, Decision::Escalate, Disposition::Queued, &[]);
            let made = store.commit(record, Some(&one.call), claims);
            assert!(matches!(wait(made), Ok(Committed::Done(_))));
            let ticket = store.reader().unwrap().ticket(&one.id).unwrap().unwrap();
            let shown = format!("{:?}", ticket.shown().unwrap());
            assert!(shown.contains(&round.to_string()), "{shown}");
            let binding = ticket.binding().unwrap().binding;
            assert_eq!(Some(binding), store.0.shared.binding(&one.call));
            let close = Claims {
                ticket: TicketClaim::Close(Arc::clone(&one.id), crate::approval::TicketState::Cancelled),
                ..Claims::default()
            };
            let record = self::record(&one.call, Decision::Deny, Disposition::Refused, &[]);
            wait(store.commit(record, Some(&one.call), close)).unwrap();
        }
        drop(ends);
        others.join().unwrap();
        drop(store);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
