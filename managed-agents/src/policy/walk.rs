//! What a policy reads, and in which direction trust may move it.
//!
//! Both work on Cedar's JSON form of policies.

use std::collections::BTreeSet;

use serde_json::Value;

/// What policies read of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Reads {
    /// `context.X`.
    top: BTreeSet<String>,
    /// `context.X.Y`, as `X.Y`.
    inner: BTreeSet<String>,
    /// The context, or one of its records, as a whole.
    whole: BTreeSet<String>,
    everything: bool,
    pub(super) resource: bool,
}

impl Reads {
    /// Whether `context.X` is read at all.
    pub(super) fn reads(&self, top: &str) -> bool {
        self.everything || self.top.contains(top)
    }

    /// Whether `context.X.Y` is read.
    pub(super) fn reads_inner(&self, top: &str, inner: &str) -> bool {
        self.everything || self.whole.contains(top) || self.inner.contains(&format!("{top}.{inner}"))
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.top.extend(other.top.iter().cloned());
        self.inner.extend(other.inner.iter().cloned());
        self.whole.extend(other.whole.iter().cloned());
        self.everything |= other.everything;
        self.resource |= other.resource;
    }

    /// What one policy reads.
    pub(super) fn of(policy: &Value) -> Self {
        let mut reads = Self::default();
        let scope = policy
            .get("resource")
            .and_then(|scope| scope.get("op"))
            .and_then(Value::as_str);
        reads.resource = !matches!(scope, Some("All" | "is"));
        for condition in conditions(policy) {
            reads.walk(condition.body);
        }
        reads
    }

    fn walk(&mut self, expression: &Value) {
        if let Some(read) = path(expression) {
            return self.note(&read);
        }
        match expression {
            Value::Object(node) => {
                if let Some(has) = node.get("has")
                    && let Some(mut read) = has.get("left").and_then(path)
                    && let Some(attribute) = has.get("attr").and_then(Value::as_str)
                {
                    read.push(attribute);
                    return self.note(&read);
                }
                match node.get("Var").and_then(Value::as_str) {
                    Some("resource") => self.resource = true,
                    Some(_) => {}
                    None => node
                        .iter()
                        .filter(|(key, _)| *key != "Value")
                        .for_each(|(_, inside)| self.walk(inside)),
                }
            }
            Value::Array(items) => items.iter().for_each(|inside| self.walk(inside)),
            _ => {}
        }
    }

    fn note(&mut self, path: &[&str]) {
        match path {
            [] => self.everything = true,
            [top] => {
                self.top.insert((*top).to_owned());
                self.whole.insert((*top).to_owned());
            }
            [top, inner, ..] => {
                self.top.insert((*top).to_owned());
                self.inner.insert(format!("{top}.{inner}"));
            }
        }
    }
}

struct Condition<'a> {
    unless: bool,
    body: &'a Value,
}

fn conditions(policy: &Value) -> impl Iterator<Item = Condition<'_>> {
    let conditions = policy.get("conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().filter_map(|condition| {
        Some(Condition {
            unless: condition.get("kind")?.as_str()? == "unless",
            body: condition.get("body")?,
        })
    })
}

/// The attributes of `context.a.b`; none where the expression is no such thing.
fn path(expression: &Value) -> Option<Vec<&str>> {
    let node = expression.as_object()?;
    if node.get("Var").and_then(Value::as_str) == Some("context") {
        return Some(Vec::new());
    }
    let access = node.get(".")?;
    let mut path = path(access.get("left")?)?;
    path.push(access.get("attr")?.as_str()?);
    Some(path)
}

/// In which direction a condition must move for its policy to become more permissive.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Sense {
    /// The condition holding permits more.
    Permits,
    /// The condition holding permits less.
    Restricts,
    /// Nobody can tell.
    Either,
}

impl Sense {
    fn flipped(self) -> Self {
        match self {
            Self::Permits => Self::Restricts,
            Self::Restricts => Self::Permits,
            Self::Either => Self::Either,
        }
    }
}

/// Why lower trust could make this policy more permissive; none where it cannot (law 5).
pub(super) fn wrong_direction(policy: &Value, escalates: bool) -> Option<&'static str> {
    let permit = policy.get("effect").and_then(Value::as_str) == Some("permit");
    if permit && escalates {
        // it turns a denial into a question, and an allowance of another permit into one too
        return conditions(policy)
            .any(|condition| scored(condition.body))
            .then_some(ASKING);
    }
    let sense = if permit { Sense::Permits } else { Sense::Restricts };
    conditions(policy).find_map(|condition| {
        let sense = if condition.unless { sense.flipped() } else { sense };
        direction(condition.body, sense)
    })
}

const WRONG: &str = "trust and ucs may only be compared with a constant: in a permit as a lower bound \
                     (`.greaterThan(decimal(\"0.6\"))`), in a forbid as an upper bound, so that less trust never permits more";

const ASKING: &str = "trust and ucs may not stand in a permit with @decision(\"escalate\"): where they fall, it would hold no more, and \
                      another permit could allow without asking; say it in a forbid";

fn direction(expression: &Value, sense: Sense) -> Option<&'static str> {
    let node = expression.as_object()?;
    let both = |pair: &Value, sense: Sense| {
        let side = |side| direction(pair.get(side)?, sense);
        side("left").or_else(|| side("right"))
    };
    for (key, inside) in node {
        let found = match key.as_str() {
            "&&" | "||" => both(inside, sense),
            "!" => inside.get("arg").and_then(|arg| direction(arg, sense.flipped())),
            "if-then-else" => {
                let part = |part, sense| inside.get(part).and_then(|part| direction(part, sense));
                part("if", Sense::Either)
                    .or_else(|| part("then", sense))
                    .or_else(|| part("else", sense))
            }
            "greaterThan" | "greaterThanOrEqual" => bound(inside, true, sense),
            "lessThan" | "lessThanOrEqual" => bound(inside, false, sense),
            // whether anything measures trust is no matter of how much of it there is
            "has" if is_presence(inside) => None,
            _ => scored(inside).then_some(WRONG),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn is_presence(has: &Value) -> bool {
    has.get("left").and_then(path).is_some_and(|path| path.len() <= 1)
}

/// A comparison of decimals: `left` is greater, or less.
fn bound(sides: &Value, greater: bool, sense: Sense) -> Option<&'static str> {
    let [left, right] = sides.as_array()?.as_slice() else {
        return scored(sides).then_some(WRONG);
    };
    let lower = match (is_score(left), is_score(right)) {
        (true, false) if is_constant(right) => greater,
        (false, true) if is_constant(left) => !greater,
        _ => return scored(sides).then_some(WRONG),
    };
    let right_way = match sense {
        Sense::Permits => lower,
        Sense::Restricts => !lower,
        Sense::Either => false,
    };
    (!right_way).then_some(WRONG)
}

fn is_score(expression: &Value) -> bool {
    path(expression).is_some_and(|path| matches!(path.first(), Some(&("trust" | "ucs"))))
}

fn is_constant(expression: &Value) -> bool {
    expression
        .get("decimal")
        .and_then(Value::as_array)
        .is_some_and(|arguments| arguments.iter().all(|argument| argument.get("Value").is_some()))
}

/// Whether trust or ucs occurs anywhere inside.
fn scored(expression: &Value) -> bool {
    if let Some(path) = path(expression) {
        return matches!(path.first(), None | Some(&("trust" | "ucs")));
    }
    match expression {
        Value::Object(node) => {
            let named = node.get("attr").and_then(Value::as_str).is_some_and(|attribute| {
                matches!(attribute, "trust" | "ucs")
                    && node.get("left").and_then(path).is_some_and(|path| path.is_empty())
            });
            // the context itself stands on the left of `has` for attributes that are no scores
            let left_is_context =
                node.contains_key("attr") && node.get("left").and_then(path).is_some_and(|path| path.is_empty());
            named
                || node
                    .iter()
                    .filter(|(key, _)| *key != "Value" && !(left_is_context && *key == "left"))
                    .any(|(_, inside)| scored(inside))
        }
        Value::Array(items) => items.iter().any(scored),
        _ => false,
    }
}
