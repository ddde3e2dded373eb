//! Resources of the API: the fields that are read here, and the whole JSON as it came.

/// Declares a resource: a struct of the fields that are read, beside the JSON that they were read from. Fields that this
/// version does not know are in the JSON; a field that it knows and cannot read makes the answer malformed.
macro_rules! resource {
    (
        $(#[$doc:meta])*
        pub struct $name:ident { $( $(#[$field_doc:meta])* $field:ident: $type:ty, )* }
    ) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            fields: Fields,
            raw: Box<serde_json::value::RawValue>,
        }

        #[derive(Clone, serde::Deserialize)]
        struct Fields { $( $(#[$field_doc])* $field: $type, )* }

        impl $name {
            /// The whole JSON, as it came.
            #[must_use]
            pub fn raw(&self) -> &str {
                self.raw.get()
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
                let fields = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
                Ok(Self { fields, raw })
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("id", &self.fields.id).finish_non_exhaustive()
            }
        }
    };
}

pub(super) use resource;
