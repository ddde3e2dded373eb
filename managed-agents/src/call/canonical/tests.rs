use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

fn canonical<T: Serialize>(value: &T) -> Result<String, CanonicalErrorKind> {
    let mut writer = CanonicalWriter::default();
    writer.value(value).map_err(|error| error.kind())?;
    Ok(String::from_utf8(writer.finish()).unwrap())
}

#[test]
fn integers_stand_in_full_digits() {
    assert_eq!(canonical(&9_007_199_254_740_993_u64).unwrap(), "9007199254740993");
    assert_eq!(canonical(&i128::MIN).unwrap(), i128::MIN.to_string());
    assert_eq!(canonical(&u128::MAX).unwrap(), u128::MAX.to_string());
}

#[test]
fn floats_are_printed_as_ecmascript_prints_them_but_for_negative_zero() {
    for (value, text) in [
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (1e-7, "1e-7"),
        (0.000_001, "0.000001"),
        (1.0, "1"),
        (0.0, "0"),
        (-0.0, "-0.0"),
    ] {
        assert_eq!(canonical(&value).unwrap(), text);
    }
}

#[test]
fn what_json_cannot_hold_is_refused() {
    assert_eq!(canonical(&f64::NAN), Err(CanonicalErrorKind::NotFinite));
    assert_eq!(canonical(&f32::INFINITY), Err(CanonicalErrorKind::NotFinite));
    assert_eq!(
        canonical(&HashMap::from([(1, 2)])),
        Err(CanonicalErrorKind::KeyNotString)
    );
    assert_eq!(canonical(&Some(())), Err(CanonicalErrorKind::AmbiguousNull));
    assert_eq!(canonical(&Some(None::<u8>)), Err(CanonicalErrorKind::AmbiguousNull));
    let raw: Box<serde_json::value::RawValue> = serde_json::from_str("1").unwrap();
    assert_eq!(canonical(&raw), Err(CanonicalErrorKind::RawText));
}

#[test]
fn size_and_depth_are_bounded() {
    assert_eq!(canonical(&"a".repeat(MAX_BYTES)), Err(CanonicalErrorKind::TooLarge));
    assert_eq!(canonical(&vec![1_u64; MAX_BYTES]), Err(CanonicalErrorKind::TooLarge));
    let mut deep = serde_json::Value::Null;
    for _ in 0..64 {
        deep = serde_json::json!([deep]);
    }
    assert!(canonical(&deep).is_ok());
    assert_eq!(canonical(&serde_json::json!([deep])), Err(CanonicalErrorKind::TooDeep));
}

#[test]
fn keys_are_sorted_by_utf16_and_never_repeated() {
    // U+1F600 is two surrogates and so stands before U+FB33
    let map = BTreeMap::from([("\u{fb33}", 1), ("\u{1f600}", 2), ("b\n", 3), ("b ", 4), ("b", 5)]);
    assert_eq!(
        canonical(&map).unwrap(),
        "{\"b\":5,\"b\\n\":3,\"b \":4,\"\u{1f600}\":2,\"\u{fb33}\":1}"
    );
    #[derive(Serialize)]
    struct Twice {
        #[serde(rename = "a")]
        first: u8,
        #[serde(rename = "a")]
        second: u8,
    }
    assert_eq!(
        canonical(&Twice { first: 1, second: 2 }),
        Err(CanonicalErrorKind::DuplicateKey)
    );
}

#[test]
fn after_an_error_the_writer_goes_on_where_it_was() {
    let mut writer = CanonicalWriter::default();
    writer.value(&1).unwrap();
    assert!(writer.value(&vec![f64::NAN]).is_err());
    writer.value(&BTreeMap::from([("b", 1), ("a", 2)])).unwrap();
    assert_eq!(writer.finish(), br#"1{"a":2,"b":1}"#);
}

#[test]
fn the_public_rfc_8785_vectors_come_out_to_the_byte() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors/jcs");
    let Ok(inputs) = std::fs::read_dir(format!("{folder}/input")) else {
        println!("skipped: the RFC 8785 vectors are not here");
        return;
    };
    let mut seen = 0;
    for input in inputs {
        let path = input.unwrap().path();
        let value: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let expected = std::fs::read_to_string(format!("{folder}/output/{name}")).unwrap();
        assert_eq!(canonical(&value).unwrap(), expected.trim_end(), "{name}");
        seen += 1;
    }
    assert!(seen >= 6, "only {seen} vectors");
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Everything {
    z: u64,
    a: i128,
    float: f64,
    text: String,
    choice: Choice,
    maybe: Option<Box<Self>>,
    many: Vec<(u128, char)>,
    map: BTreeMap<String, Choice>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Choice {
    Unit,
    Newtype(i64),
    Tuple(bool, f32),
    Struct { y: String, x: Option<u8> },
}

fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        Just(Choice::Unit),
        any::<i64>().prop_map(Choice::Newtype),
        (any::<bool>(), any::<f32>().prop_filter("finite", |f| f.is_finite())).prop_map(|(a, b)| Choice::Tuple(a, b)),
        (any::<String>(), any::<Option<u8>>()).prop_map(|(y, x)| Choice::Struct { y, x }),
    ]
}

fn edge_u64() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        Just(u64::MAX),
        Just((1 << 53) + 1),
        Just(i64::MAX as u64 + 1)
    ]
}

fn everything() -> impl Strategy<Value = Everything> {
    let leaf = (
        edge_u64(),
        prop_oneof![any::<i128>(), Just(i128::MIN), Just(i128::MAX)],
        prop_oneof![any::<f64>().prop_filter("finite", |f| f.is_finite()), Just(-0.0)],
        any::<String>(),
        choice(),
        prop::collection::vec((any::<u128>(), any::<char>()), 0..4),
        prop::collection::btree_map(any::<String>(), choice(), 0..4),
    )
        .prop_map(|(z, a, float, text, choice, many, map)| Everything {
            z,
            a,
            float,
            text,
            choice,
            maybe: None,
            many,
            map,
        })
        .boxed();
    leaf.clone().prop_recursive(3, 8, 1, move |inner| {
        (leaf.clone(), inner).prop_map(|(outer, inner)| Everything {
            maybe: Some(Box::new(inner)),
            ..outer
        })
    })
}

/// Equality to the bit: `-0.0` is not `0.0`.
fn same(a: &Everything, b: &Everything) -> bool {
    a == b && format!("{a:?}") == format!("{b:?}")
}

proptest! {
    #[test]
    fn the_value_decoded_from_the_bytes_is_the_value_that_was_written(value in everything()) {
        let text = canonical(&value).unwrap();
        let back: Everything = serde_json::from_str(&text).unwrap();
        prop_assert!(same(&value, &back), "{text}");
    }

    #[test]
    fn two_values_share_bytes_only_when_they_are_equal(a in everything(), b in everything()) {
        prop_assert_eq!(canonical(&a).unwrap() == canonical(&b).unwrap(), same(&a, &b));
    }

    #[test]
    fn writing_what_was_read_back_gives_the_same_bytes(value in everything()) {
        let text = canonical(&value).unwrap();
        let again: Everything = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(canonical(&again).unwrap(), text);
    }
}
