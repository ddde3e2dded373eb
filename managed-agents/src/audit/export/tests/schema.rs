//! Our OCSF events against the published metaschema.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{Format, export, hostile_log, lines, ordinary_log};

/// The profiles that our events state.
const PROFILES: [&str; 3] = ["ai_operation", "record_integrity", "security_control"];

struct Schema {
    folder: PathBuf,
    dictionary: Value,
}

impl Schema {
    fn open() -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/ocsf");
        if !folder.is_dir() {
            println!("skipped: {} is not there", folder.display());
            return None;
        }
        let dictionary = read(&folder.join("dictionary.json"));
        Some(Self { folder, dictionary })
    }

    /// The attributes of a class or object with those that it inherits and includes, and its constraint.
    fn attributes(&self, path: &str) -> (BTreeMap<String, Value>, Option<Value>) {
        let own = read(&self.folder.join(path));
        let mut constraint = own.get("constraints").cloned();
        let mut all = BTreeMap::new();
        if let Some(parent) = own["extends"].as_str() {
            let parent = match parent {
                "base_event" => "events/base_event.json".to_owned(),
                "application" => "events/application/application.json".to_owned(),
                object => format!("objects/{object}.json"),
            };
            let (inherited, inherited_constraint) = self.attributes(&parent);
            all = inherited;
            constraint = constraint.or(inherited_constraint);
        }
        let attributes = own["attributes"].as_object().unwrap();
        for included in attributes
            .get("$include")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let profile = read(&self.folder.join(included.as_str().unwrap()));
            if PROFILES.contains(&profile["name"].as_str().unwrap()) {
                merge(&mut all, profile["attributes"].as_object().unwrap());
            }
        }
        let mut attributes = attributes.clone();
        attributes.remove("$include");
        // an attribute of a profile that our events do not state is none
        attributes.retain(|_, attribute| {
            attribute["profile"]
                .as_str()
                .is_none_or(|profile| PROFILES.contains(&profile))
        });
        merge(&mut all, &attributes);
        (all, constraint)
    }

    /// What is wrong with an object.
    fn check(&self, path: &str, object: &Map<String, Value>, at: &str, faults: &mut Vec<String>) {
        let (attributes, constraint) = self.attributes(path);
        for (name, attribute) in &attributes {
            if attribute["requirement"] == "required" && !object.contains_key(name) {
                faults.push(format!("{at}/{name} is required"));
            }
        }
        if let Some(any) = constraint.as_ref().and_then(|it| it["at_least_one"].as_array())
            && !any.iter().any(|name| object.contains_key(name.as_str().unwrap()))
        {
            faults.push(format!("{at} has none of {any:?}"));
        }
        for (name, value) in object {
            let at = format!("{at}/{name}");
            let Some(attribute) = attributes.get(name) else {
                faults.push(format!("{at} is not known"));
                continue;
            };
            let general = &self.dictionary["attributes"][name];
            let kind = attribute["type"].as_str().or(general["type"].as_str()).unwrap();
            match (general["is_array"].as_bool(), value) {
                (Some(true), Value::Array(values)) => {
                    for (place, value) in values.iter().enumerate() {
                        self.value(kind, value, &format!("{at}/{place}"), faults);
                    }
                }
                (Some(true), _) => faults.push(format!("{at} is no array")),
                _ => self.value(kind, value, &at, faults),
            }
            let known = |of: &Value| of["enum"].as_object().map(|all| all.contains_key(&value.to_string()));
            if let (None | Some(false), Some(false)) | (Some(false), None) = (known(attribute), known(general)) {
                faults.push(format!("{at} has {value}, which is no value of its enumeration"));
            }
            // a sibling says in words what an enumeration says in a number
            if let Some(sibling) = general["sibling"].as_str()
                && let Some(word) = object.get(sibling).and_then(Value::as_str)
                && value != 99
            {
                let caption = |of: &Value| of["enum"][value.to_string()]["caption"].as_str().map(str::to_owned);
                let caption = caption(attribute).or_else(|| caption(general));
                let exempt = sibling == "type_name";
                if !exempt && caption.as_deref().is_some_and(|caption| caption != word) {
                    faults.push(format!("{at} is {value} ({caption:?}) beside `{word}`"));
                }
            }
        }
    }

    fn value(&self, kind: &str, value: &Value, at: &str, faults: &mut Vec<String>) {
        let types = &self.dictionary["types"]["attributes"];
        let Some(of) = types.get(kind) else {
            match value.as_object() {
                // `object` is any object
                Some(_) if kind == "object" => {}
                Some(object) => self.check(&format!("objects/{kind}.json"), object, at, faults),
                None => faults.push(format!("{at} is no object")),
            }
            return;
        };
        let fits = match of["type"].as_str().unwrap_or(kind) {
            "boolean_t" => value.is_boolean(),
            "integer_t" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            "long_t" => value.is_i64(),
            "float_t" => value.is_number(),
            "json_t" => true,
            "string_t" => value.is_string(),
            other => panic!("{other} is no base type"),
        };
        if !fits {
            faults.push(format!("{at} is no {kind}"));
        }
    }

    fn event(&self, event: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(
            "events/application/api_activity.json",
            event.as_object().unwrap(),
            "",
            &mut faults,
        );
        let category = read(&self.folder.join("categories.json"))["attributes"]["application"]["uid"].clone();
        let class = read(&self.folder.join("events/application/api_activity.json"))["uid"].clone();
        let class = category.as_i64().unwrap() * 1000 + class.as_i64().unwrap();
        // the schema's compiler adds these to the enumerations of a class
        faults.retain(|fault| !fault.starts_with("/class_uid has") && !fault.starts_with("/category_uid has"));
        for (name, expected) in [
            ("category_uid", category.as_i64().unwrap()),
            ("class_uid", class),
            ("type_uid", class * 100 + event["activity_id"].as_i64().unwrap()),
        ] {
            if event[name] != expected {
                faults.push(format!("/{name} is not {expected}"));
            }
        }
        faults
    }
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Later attributes refine earlier ones of the same name; enumerations grow.
fn merge(all: &mut BTreeMap<String, Value>, more: &Map<String, Value>) {
    for (name, attribute) in more {
        let known = all.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
        for (key, value) in attribute.as_object().unwrap() {
            match (key.as_str(), known.get_mut(key)) {
                ("enum", Some(known)) => known
                    .as_object_mut()
                    .unwrap()
                    .extend(value.as_object().unwrap().clone()),
                _ => {
                    known[key] = value.clone();
                }
            }
        }
    }
}

#[test]
fn our_events_satisfy_the_ocsf_schema() {
    let Some(schema) = Schema::open() else { return };
    for log in [hostile_log(), ordinary_log()] {
        for line in lines(&export(Format::Ocsf, &log)) {
            let event: Value = serde_json::from_str(line).unwrap();
            let faults = schema.event(&event);
            assert!(faults.is_empty(), "{faults:#?} in {event:#}");
        }
    }
}

#[test]
fn a_spoilt_event_does_not_satisfy_the_ocsf_schema() {
    let Some(schema) = Schema::open() else { return };
    let text = export(Format::Ocsf, &ordinary_log());
    let good: Value = serde_json::from_str(lines(&text)[1]).unwrap();
    assert!(schema.event(&good).is_empty());
    let spoil = |pointer: &str, key: &str, value: Option<Value>| {
        let mut event = good.clone();
        let object = event.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        match value {
            Some(value) => object.insert(key.to_owned(), value),
            None => object.remove(key),
        };
        assert!(!schema.event(&event).is_empty(), "{pointer}/{key}");
    };
    for required in [
        "actor",
        "api",
        "src_endpoint",
        "metadata",
        "time",
        "severity_id",
        "activity_id",
        "type_uid",
    ] {
        if required != "activity_id" {
            spoil("", required, None);
        }
    }
    spoil("/api", "operation", None);
    spoil("/metadata", "version", None);
    spoil("/src_endpoint", "svc_name", None);
    spoil("/raw_data_hash", "algorithm_id", None);
    spoil("/attestation_list/0", "fingerprint", None);
    spoil("", "weather", Some(1.into()));
    spoil("/actor", "weather", Some(1.into()));
    spoil("", "severity_id", Some(7.into()));
    spoil("", "disposition_id", Some(1000.into()));
    spoil("/raw_data_hash", "algorithm_id", Some(1000.into()));
    spoil("", "time", Some("now".into()));
    spoil("", "is_alert", Some(1.into()));
    spoil("", "attestation_list", Some(Value::Object(Map::new())));
    spoil("", "status", Some("Failure".into()));
    spoil("", "type_uid", Some(600_301.into()));
}
