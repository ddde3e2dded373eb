//! What a tool's arguments are to Cedar: from their JSON Schema, and from their values.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::RestrictedExpression;
use serde_json::{Map, Value, json};

/// Deeper types are not read by policies.
const MOST_DEPTH: usize = 8;
/// The most types in one schema; of a larger one, policies read nothing.
const MOST_TYPES: usize = 10_000;

/// The largest whole number that Cedar's decimal holds (2^63 / 10^4).
const MOST_DECIMAL: i64 = 922_337_203_685_477;

/// The type of a value, as policies see it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A whole number of 64 bits.
    Long,
    /// Any other number, at four places after the point.
    Decimal,
    Text,
    Truth,
    /// A list, without its order and its repetitions.
    Set(Box<Self>),
    Record(BTreeMap<String, Field>),
    /// An enum: which variant (`tag`), and its contents under its own name, where it has any.
    Tagged(BTreeMap<String, Option<Self>>),
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Field {
    pub(super) kind: Kind,
    pub(super) required: bool,
}

/// A value is not of the type that its tool declares.
#[derive(Debug)]
pub(super) struct Mismatch;

/// A schema, and how much of it may still be read: a few definitions that name each other often are a large type.
struct Within<'a> {
    root: &'a Value,
    left: Cell<usize>,
}

/// The top-level arguments of a tool, by the JSON Schema of its input.
pub(super) fn arguments(schema: &Value) -> BTreeMap<String, Field> {
    let within = Within {
        root: schema,
        left: Cell::new(MOST_TYPES),
    };
    match of(schema, &within, 0) {
        Some((Kind::Record(fields), _)) if within.left.get() > 0 => fields,
        _ => BTreeMap::new(),
    }
}

/// The kind of a schema, and whether null may stand in its place; none where policies cannot read such values.
fn of(schema: &Value, within: &Within<'_>, depth: usize) -> Option<(Kind, bool)> {
    within.left.set(within.left.get().saturating_sub(1));
    if depth > MOST_DEPTH || within.left.get() == 0 {
        return None;
    }
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return of(within.root.pointer(reference.strip_prefix('#')?)?, within, depth + 1);
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words_of(words);
    }
    if let Some(word) = schema.get("const") {
        return words_of(std::slice::from_ref(word));
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(variants) = schema.get(key).and_then(Value::as_array) {
            return one_of(variants, within, depth);
        }
    }
    let (name, nullable) = type_of(schema)?;
    let kind = match name {
        "integer" => Kind::Long,
        "number" => Kind::Decimal,
        "string" => Kind::Text,
        "boolean" => Kind::Truth,
        "array" => match of(schema.get("items")?, within, depth + 1)? {
            (kind, false) => Kind::Set(Box::new(kind)),
            _ => return None,
        },
        "object" => record(schema, within, depth)?,
        _ => return None,
    };
    Some((kind, nullable))
}

fn type_of(schema: &Value) -> Option<(&str, bool)> {
    match schema.get("type")? {
        Value::String(name) => Some((name, false)),
        Value::Array(names) => {
            let mut names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            let before = names.len();
            names.retain(|name| *name != "null");
            match names.as_slice() {
                [name] => Some((name, before > 1)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn record(schema: &Value, within: &Within<'_>, depth: usize) -> Option<Kind> {
    let properties = schema.get("properties")?.as_object()?;
    let required: BTreeSet<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let fields = properties.iter().filter_map(|(name, schema)| {
        let (kind, nullable) = of(schema, within, depth + 1)?;
        // what may lose precision may be absent
        let required = required.contains(name.as_str()) && !nullable;
        Some((name.clone(), Field { kind, required }))
    });
    Some(Kind::Record(fields.collect()))
}

fn words_of(words: &[Value]) -> Option<(Kind, bool)> {
    let nullable = words.iter().any(Value::is_null);
    let words = words.iter().filter(|word| !word.is_null());
    let variants: Option<BTreeMap<_, _>> = words.map(|word| Some((word.as_str()?.to_owned(), None))).collect();
    Some((Kind::Tagged(variants?), nullable))
}

/// An optional value, or an enum as serde writes it: words, and objects of one key.
fn one_of(variants: &[Value], within: &Within<'_>, depth: usize) -> Option<(Kind, bool)> {
    let is_null = |schema: &Value| schema.get("type").and_then(Value::as_str) == Some("null");
    let nullable = variants.iter().any(is_null);
    let others: Vec<&Value> = variants.iter().filter(|schema| !is_null(schema)).collect();
    if let [only] = others.as_slice() {
        return Some((of(only, within, depth + 1)?.0, nullable));
    }
    let mut tags = BTreeMap::new();
    for schema in others {
        if let Some((Kind::Tagged(words), false)) = of(schema, within, depth + 1) {
            tags.extend(words);
            continue;
        }
        let properties = schema.get("properties")?.as_object()?;
        let (name, inner) = properties.iter().next().filter(|_| properties.len() == 1)?;
        tags.insert(name.clone(), of(inner, within, depth + 1).map(|(kind, _)| kind));
    }
    Some((Kind::Tagged(tags), nullable))
}

impl Kind {
    /// The type in Cedar's JSON form of schemas.
    pub(super) fn cedar(&self) -> Value {
        match self {
            Self::Long => json!({"type": "Long"}),
            Self::Decimal => json!({"type": "Extension", "name": "decimal"}),
            Self::Text => json!({"type": "String"}),
            Self::Truth => json!({"type": "Boolean"}),
            Self::Set(element) => json!({"type": "Set", "element": element.cedar()}),
            Self::Record(fields) => cedar_record(fields),
            Self::Tagged(variants) => {
                let mut attributes = Map::new();
                attributes.insert("tag".to_owned(), json!({"type": "String", "required": true}));
                for (name, kind) in variants {
                    if let Some(kind) = kind.as_ref().filter(|_| name != "tag") {
                        attributes.insert(name.clone(), optional(kind.cedar(), false));
                    }
                }
                json!({"type": "Record", "attributes": attributes})
            }
        }
    }

    /// The value in Cedar; none where it is absent: null, or a number that Cedar cannot hold, which sets `lossy`.
    pub(super) fn value(&self, value: &Value, lossy: &mut bool) -> Result<Option<RestrictedExpression>, Mismatch> {
        if value.is_null() {
            return Ok(None);
        }
        Ok(Some(match self {
            Self::Long => {
                let number = value.as_number().ok_or(Mismatch)?;
                match number.as_i64() {
                    Some(number) => RestrictedExpression::new_long(number),
                    None if number.is_u64() || is_whole(number) => {
                        *lossy = true;
                        return Ok(None);
                    }
                    None => return Err(Mismatch),
                }
            }
            Self::Decimal => match decimal(value, lossy)? {
                Some(text) => RestrictedExpression::new_decimal(text),
                None => return Ok(None),
            },
            Self::Text => RestrictedExpression::new_string(value.as_str().ok_or(Mismatch)?.to_owned()),
            Self::Truth => RestrictedExpression::new_bool(value.as_bool().ok_or(Mismatch)?),
            Self::Set(element) => {
                let values = value.as_array().ok_or(Mismatch)?.iter();
                let values: Vec<Option<_>> = values
                    .map(|value| element.value(value, lossy))
                    .collect::<Result<_, _>>()?;
                // a list of which an element is missing would be another list
                match values.into_iter().collect::<Option<Vec<_>>>() {
                    Some(values) => RestrictedExpression::new_set(values),
                    None => return Ok(None),
                }
            }
            Self::Record(fields) => {
                let values = value.as_object().ok_or(Mismatch)?;
                record_of(fields, values, lossy, |_| true)?
            }
            Self::Tagged(variants) => tagged(variants, value, lossy)?,
        }))
    }
}

/// Attributes of a record in Cedar's JSON form of schemas.
pub(super) fn cedar_record(fields: &BTreeMap<String, Field>) -> Value {
    let attributes: Map<String, Value> = fields
        .iter()
        .map(|(name, field)| (name.clone(), optional(field.kind.cedar(), field.required)))
        .collect();
    json!({"type": "Record", "attributes": attributes})
}

pub(super) fn optional(mut kind: Value, required: bool) -> Value {
    if let Some(kind) = kind.as_object_mut() {
        kind.insert("required".to_owned(), required.into());
    }
    kind
}

/// The fields of a record that somebody reads.
pub(super) fn record_of(
    fields: &BTreeMap<String, Field>,
    values: &Map<String, Value>,
    lossy: &mut bool,
    is_read: impl Fn(&str) -> bool,
) -> Result<RestrictedExpression, Mismatch> {
    let mut pairs = Vec::with_capacity(fields.len());
    for (name, field) in fields {
        if let Some(value) = values.get(name).filter(|_| is_read(name))
            && let Some(value) = field.kind.value(value, lossy)?
        {
            pairs.push((name.clone(), value));
        }
    }
    RestrictedExpression::new_record(pairs).map_err(|_| Mismatch)
}

fn tagged(
    variants: &BTreeMap<String, Option<Kind>>,
    value: &Value,
    lossy: &mut bool,
) -> Result<RestrictedExpression, Mismatch> {
    let (tag, inner) = match value {
        Value::String(tag) => (tag, None),
        Value::Object(object) => match object.iter().next().filter(|_| object.len() == 1) {
            Some((tag, inner)) => (tag, Some(inner)),
            None => return Err(Mismatch),
        },
        _ => return Err(Mismatch),
    };
    let kind = variants.get(tag).ok_or(Mismatch)?;
    let mut pairs = vec![("tag".to_owned(), RestrictedExpression::new_string(tag.clone()))];
    if let (Some(kind), Some(inner)) = (kind.as_ref().filter(|_| tag != "tag"), inner)
        && let Some(inner) = kind.value(inner, lossy)?
    {
        pairs.push((tag.clone(), inner));
    }
    RestrictedExpression::new_record(pairs).map_err(|_| Mismatch)
}

fn is_whole(number: &serde_json::Number) -> bool {
    number.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// Four places after the point. Rounding, and what lies outside Cedar's range, are lossy.
fn decimal(value: &Value, lossy: &mut bool) -> Result<Option<String>, Mismatch> {
    let number = value.as_number().ok_or(Mismatch)?;
    if let Some(whole) = number.as_i64() {
        if whole.unsigned_abs() <= MOST_DECIMAL.unsigned_abs() {
            return Ok(Some(format!("{whole}.0")));
        }
        *lossy = true;
        return Ok(None);
    }
    let exact = number.as_f64().ok_or(Mismatch)?;
    if exact.abs() > MOST_DECIMAL as f64 {
        *lossy = true;
        return Ok(None);
    }
    let text = format!("{exact:.4}");
    if text.parse::<f64>() != Ok(exact) {
        *lossy = true;
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the guide.
    #[test]
    fn every_json_value_becomes_what_the_guide_says() {
        let text = |kind: &Kind, value: Value| {
            let mut lossy = false;
            let value = kind.value(&value, &mut lossy);
            (
                value
                    .map(|value| value.map(|value| value.as_ref().to_string()))
                    .map_err(|_| ()),
                lossy,
            )
        };
        let is = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(text(&Kind::Long, json!(7)), (is("7"), false));
        assert_eq!(
            text(&Kind::Long, json!(i64::MIN)),
            (is("(-9223372036854775808)"), false)
        );
        assert_eq!(text(&Kind::Long, json!(u64::MAX)), (Ok(None), true));
        assert_eq!(text(&Kind::Long, json!(1e30)), (Ok(None), true));
        assert_eq!(text(&Kind::Long, json!(1.5)), (Err(()), false));
        assert_eq!(text(&Kind::Long, json!("7")), (Err(()), false));
        assert_eq!(text(&Kind::Long, Value::Null), (Ok(None), false));
        assert_eq!(text(&Kind::Decimal, json!(1.5)), (is(r#"decimal("1.5000")"#), false));
        assert_eq!(text(&Kind::Decimal, json!(3)), (is(r#"decimal("3.0")"#), false));
        assert_eq!(text(&Kind::Decimal, json!(1.00004)), (is(r#"decimal("1.0000")"#), true));
        assert_eq!(text(&Kind::Decimal, json!(1e15)), (Ok(None), true));
        assert_eq!(text(&Kind::Text, json!("a\"b")), (is(r#""a\"b""#), false));
        assert_eq!(text(&Kind::Truth, json!(true)), (is("true"), false));
        let set = Kind::Set(Box::new(Kind::Long));
        assert_eq!(text(&set, json!([1])), (is("[1]"), false));
        assert_eq!(text(&set, json!([1, u64::MAX])), (Ok(None), true));
        assert_eq!(text(&set, json!([1, "a"])), (Err(()), false));
        let tagged = Kind::Tagged(BTreeMap::from([
            ("Card".to_owned(), Some(Kind::Text)),
            ("Cash".to_owned(), None),
        ]));
        assert_eq!(text(&tagged, json!("Cash")), (is(r#"{tag: "Cash"}"#), false));
        let (card, _) = text(&tagged, json!({"Card": "4242"}));
        assert!(card.is_ok_and(|card| card.is_some_and(|card| card.contains(r#"Card: "4242""#))));
        assert_eq!(text(&tagged, json!("Cheque")), (Err(()), false));
    }

    #[test]
    fn types_are_read_from_a_json_schema() {
        let fields = arguments(&json!({
            "type": "object",
            "required": ["amount", "method", "maybe"],
            "properties": {
                "amount": {"type": "integer"},
                "rate": {"type": "number"},
                "maybe": {"type": ["string", "null"]},
                "method": {"$ref": "#/$defs/Method"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "any": true,
                "loop": {"$ref": "#/$defs/Loop"},
            },
            "$defs": {
                "Method": {"oneOf": [{"type": "string", "enum": ["Cash"]},
                    {"type": "object", "properties": {"Card": {"type": "string"}}, "required": ["Card"]}]},
                "Loop": {"$ref": "#/$defs/Loop"},
            },
        }));
        let names: Vec<_> = fields
            .iter()
            .map(|(name, field)| (name.as_str(), field.required))
            .collect();
        let expected = [
            ("amount", true),
            ("maybe", false),
            ("method", true),
            ("rate", false),
            ("tags", false),
        ];
        assert_eq!(names, expected);
        assert_eq!(fields.get("amount").map(|field| &field.kind), Some(&Kind::Long));
        assert!(matches!(fields.get("method").map(|field| &field.kind), Some(Kind::Tagged(tags)) if tags.len() == 2));
    }
}
