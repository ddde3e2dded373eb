//! Whether a person who approves calls still decides as they did, computed from the record.

use std::collections::{BTreeSet, HashMap};

use crate::approval::{OperatorStatement, StatementKind};
use crate::audit::entry::Entry;
use crate::call::{Effect, TargetKind};
use crate::drift::{Alert, Call, Detector};
use crate::verdict::Decision;

/// So many tickets are remembered; of those that came before, how long the decision took is not known.
const MOST_TICKETS: usize = 100_000;
const DAY_MICROS: i64 = 86_400_000_000;

/// The types of statements about a person's decisions: an alarm, that somebody has seen it, and a new beginning.
pub(crate) const REVIEWER_ALARM: &str = "reviewer_drift";
pub(crate) const REVIEWER_ACKNOWLEDGED: &str = "reviewer_drift_ack";
pub(crate) const REVIEWER_REBASELINED: &str = "reviewer_drift_rebaseline";

/// One approver's decisions, as calls of a detector: which tool, what the call would do, approved, edited or rejected, how long it took, and
/// how long after the last one. A day is a session.
pub(crate) struct Reviewer {
    key: String,
    detector: Detector,
    tickets: HashMap<String, Ticket>,
    pub(crate) decisions: u64,
    pub(crate) alerts: Vec<Alert>,
    /// The alarms that entries state already.
    stated: BTreeSet<u64>,
}

struct Ticket {
    opened: i64,
    tool: String,
    effect: Effect,
}

impl Reviewer {
    /// Of the key that signs.
    pub(crate) fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            detector: Detector::new(),
            tickets: HashMap::new(),
            decisions: 0,
            alerts: Vec::new(),
            stated: BTreeSet::new(),
        }
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The alarms that no entry states, as the bodies of entries that do.
    pub(crate) fn unstated(&self) -> impl Iterator<Item = String> + '_ {
        let alerts = self.alerts.iter().filter(|alert| !self.stated.contains(&alert.place()));
        alerts.map(|alert| {
            let mut body: serde_json::Value = serde_json::from_str(&alert.to_json()).unwrap_or_default();
            if let Some(body) = body.as_object_mut() {
                body.insert("approver".to_owned(), self.key.as_str().into());
            }
            body.to_string()
        })
    }

    pub(crate) fn detector(&self) -> &Detector {
        &self.detector
    }

    /// Takes in one entry; entries come in the order of the log. Gives the alarm that it raises.
    pub(crate) fn take(&mut self, entry: &Entry) -> Option<&Alert> {
        match entry.kind() {
            "decision" => {
                self.opened(entry);
                None
            }
            "approval" => self.decided(entry),
            kind @ (REVIEWER_ALARM | REVIEWER_ACKNOWLEDGED | REVIEWER_REBASELINED) => {
                self.said(kind, entry);
                None
            }
            _ => None,
        }
    }

    /// What is stated of the approver.
    fn said(&mut self, kind: &str, entry: &Entry) {
        #[derive(serde::Deserialize)]
        struct Body {
            approver: String,
            alarm: Option<u64>,
        }
        let body = entry
            .raw("body")
            .and_then(|body| serde_json::from_str::<Body>(body).ok());
        let Some(body) = body.filter(|body| body.approver == self.key) else {
            return;
        };
        match kind {
            REVIEWER_ALARM => self.stated.extend(body.alarm),
            REVIEWER_ACKNOWLEDGED => self.detector.acknowledge(),
            _ => self.detector.rebaseline(),
        }
    }

    fn opened(&mut self, entry: &Entry) {
        let (Some(ticket), Some(tool)) = (entry.untrusted("ticket"), entry.tool()) else {
            return;
        };
        if self.tickets.len() >= MOST_TICKETS {
            self.tickets.clear();
        }
        let effect = entry
            .untrusted("effect")
            .and_then(|effect| Effect::from_code(effect.reveal()));
        self.tickets
            .entry(ticket.reveal().to_owned())
            .or_insert_with(|| Ticket {
                opened: entry.at_micros(),
                tool: tool.reveal().to_owned(),
                effect: effect.unwrap_or(Effect::Change),
            });
    }

    fn decided(&mut self, entry: &Entry) -> Option<&Alert> {
        let stated = OperatorStatement::parse(entry.raw("body")?).ok()?;
        let decision = match stated.kind() {
            StatementKind::Approve => Decision::Allow,
            StatementKind::Edit => Decision::Escalate,
            StatementKind::Reject => Decision::Deny,
            _ => return None,
        };
        if stated.signer().to_string() != self.key {
            return None;
        }
        let ticket = self.tickets.get(stated.about("ticket")?)?;
        let at_micros = entry.at_micros();
        let day = at_micros.div_euclid(DAY_MICROS).to_string();
        self.decisions += 1;
        let call = Call {
            at_micros,
            tool: &ticket.tool,
            session: Some(&day),
            effect: ticket.effect,
            target: TargetKind::None,
            // in tenths of a second
            size: u32::try_from(at_micros.saturating_sub(ticket.opened) / 100_000).unwrap_or(u32::MAX),
            decision,
        };
        let alert = self.detector.call(entry.sequence(), &call).cloned();
        // the same decisions give the same thresholds, so that they need not stand in the log
        if let Some(calibration) = self.detector.calibration() {
            self.detector.arm(&calibration.run());
        }
        self.alerts.extend(alert);
        self.alerts.last().filter(|alert| alert.place() == entry.sequence())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::approval::ApproverKey;
    use crate::drift::{Phase, Stream};
    use crate::identity::Moment;

    /// An entry as the log has it.
    fn entry(seq: u64, at_micros: i64, rest: &serde_json::Value) -> Entry {
        let at = crate::calendar::rfc3339(at_micros);
        let mut all = json!({ "at": String::from_utf8_lossy(&at), "seq": seq, "v": "ma-entry/1" });
        let members = rest.as_object().unwrap().iter();
        members.for_each(|(key, value)| all[key] = value.clone());
        Entry::parse(serde_json_canonicalizer::to_string(&all).unwrap()).unwrap()
    }

    #[test]
    fn a_reviewer_who_begins_to_approve_everything_at_once_is_told() {
        let key = ApproverKey::generate().unwrap();
        let stated = |ticket: &str, approves: bool| {
            let kind = if approves {
                StatementKind::Approve
            } else {
                StatementKind::Reject
            };
            OperatorStatement::sign(kind, [("ticket", ticket)], "log", Moment::now(), &key).unwrap()
        };
        let signed = |ticket: &str, approves: bool| {
            serde_json::from_str::<serde_json::Value>(stated(ticket, approves).as_json()).unwrap()
        };
        let mut reviewer = Reviewer::new(&stated("any", true).signer().to_string());
        let (mut seq, mut at) = (0, 1_767_600_000_000_000);
        let mut decide = |reviewer: &mut Reviewer, number: u64, seconds: i64, approves: bool| {
            let ticket = format!("t{number}");
            let decision = json!({
                "type": "decision", "agent": "bot", "tool": "pay", "effect": "grave", "ticket": ticket,
                "decision": "escalate", "disposition": "queued"
            });
            reviewer.take(&entry(seq, at, &decision));
            at += seconds * 1_000_000;
            let found = reviewer
                .take(&entry(
                    seq + 1,
                    at,
                    &json!({ "type": "approval", "body": signed(&ticket, approves) }),
                ))
                .cloned();
            seq += 2;
            // twenty a day
            at += if number % 20 == 19 { DAY_MICROS / 2 } else { 600_000_000 };
            found
        };
        for number in 0..620 {
            let seconds = 40 + i64::try_from(number * 7_919 % 200).unwrap();
            assert_eq!(
                decide(&mut reviewer, number, seconds, number % 4 != 0),
                None,
                "{number}"
            );
        }
        assert_eq!(
            (reviewer.decisions, reviewer.detector().phase()),
            (620, Phase::Watching)
        );
        let alert = (620..700).find_map(|number| decide(&mut reviewer, number, 1, true));
        let alert = alert.expect("every call is approved within a second");
        assert!(matches!(alert.stream(), Stream::Shape | Stream::Verdict), "{alert:?}");

        // the alarm is to be stated, once; then somebody has seen it, and then it is learnt anew
        let bodies: Vec<String> = reviewer.unstated().collect();
        let [body] = bodies.as_slice() else {
            panic!("one alarm: {bodies:?}")
        };
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["alarm"], alert.place());
        let mut say = |kind: &str, body: &serde_json::Value| {
            reviewer.take(&entry(
                9_000,
                1_800_000_000_000_000,
                &json!({ "type": kind, "body": body }),
            ));
            (reviewer.unstated().count(), reviewer.detector().alert().is_some())
        };
        let another = json!({ "alarm": alert.place(), "approver": "another" });
        for kind in [REVIEWER_ALARM, REVIEWER_ACKNOWLEDGED, REVIEWER_REBASELINED] {
            assert_eq!(say(kind, &another), (1, true), "{kind} of another's");
        }
        assert_eq!(say(REVIEWER_ALARM, &body), (0, true));
        assert_eq!(
            say(REVIEWER_ACKNOWLEDGED, &json!({ "approver": body["approver"] })),
            (0, false)
        );
        assert_eq!(reviewer.detector().phase(), Phase::Watching);
        let again = json!({ "approver": body["approver"] });
        reviewer.take(&entry(
            9_001,
            1_800_000_000_000_000,
            &json!({ "type": REVIEWER_REBASELINED, "body": again }),
        ));
        assert_eq!(reviewer.detector().phase(), Phase::Learning { calls: 0, sessions: 0 });
    }
}
