//! The JSON Schema of a tool's arguments, from its rows.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::vtable::{ArgRow, RangeRow};

/// One closed object schema (draft 2020-12) with a property per row.
pub(super) fn assemble(rows: &[ArgRow]) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut properties = Map::new();
    let mut required = Vec::new();
    for row in rows {
        let mut property = match (row.schema)(&mut generator).to_value() {
            Value::Object(property) => property,
            // `true`: anything; an object says the same and can be described
            _ => Map::new(),
        };
        if !row.doc.is_empty() {
            property.insert("description".to_owned(), row.doc.into());
        }
        if let Some(range) = &row.range {
            bound(&mut property, range);
        }
        properties.insert(row.name.to_owned(), property.into());
        if (row.required)() {
            required.push(Value::from(row.name));
        }
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema.insert("additionalProperties".to_owned(), false.into());
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        schema.insert("$defs".to_owned(), definitions.into());
    }
    schema.into()
}

/// Narrows a property to the range that is checked before the harness is asked. What the type itself says (an unsigned
/// integer's `minimum: 0`) gives way: the declared range lies inside it.
fn bound(property: &mut Map<String, Value>, range: &RangeRow) {
    let maximum = if range.exclusive_maximum {
        "exclusiveMaximum"
    } else {
        "maximum"
    };
    for (key, value) in [("minimum", (range.minimum)()), (maximum, (range.maximum)())] {
        if !value.is_null() {
            property.insert(key.to_owned(), value);
        }
    }
}
