//! The kinds of data that a `[data]` table or a SPEC can name.
//!
//! Each kind is a file here and a line in the list below: `kind` says what it has to know.
//! `in_memory` and `streams` are what kinds whose rows are arrays of numbers have in common:
//! splitting and scaling rows in memory, and rows that stay in their files.

mod in_memory;
mod kind;
mod streams;

pub(super) use builtin::unknown;
pub(super) use kind::{Request, SourceKind, read_own};
pub(super) use table::{TableFile, load_table};

use crate::base::json_schema;
use crate::base::registry::Value;
use crate::error::Result;
use serde::Serialize;
use serde_json::Map;

/// Makes of the list the modules, the type of all sources, and the questions that are asked
/// of each in turn.
macro_rules! sources {
    ($($module:ident: $Kind:ident;)*) => {
        $(mod $module;)*

        /// Data of one of the known kinds.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(untagged)]
        pub(crate) enum Source {
            $($Kind($module::$Kind),)*
        }

        impl Source {
            /// The kind's facts and actions.
            pub(in crate::data) fn kind(&self) -> &dyn SourceKind {
                match self {
                    $(Source::$Kind(kind) => kind,)*
                }
            }

            /// The keys of `[data]` that belong to it; the first names it.
            pub(in crate::data) fn keys(&self) -> &'static [&'static str] {
                match self {
                    $(Source::$Kind(_) => $module::$Kind::keys(),)*
                }
            }

            /// The keys of each kind.
            pub(in crate::data) fn all_keys() -> Vec<&'static [&'static str]> {
                vec![$($module::$Kind::keys()),*]
            }

            /// The sources that a `[data]` table names.
            pub(in crate::data) fn read(
                at: &str,
                fields: &Map<String, Value>,
            ) -> Result<Vec<Source>> {
                let mut named = Vec::new();
                $(named.extend($module::$Kind::read(at, fields)?.map(Source::$Kind));)*
                Ok(named)
            }

            /// The source that the words of SPEC name.
            pub(in crate::data) fn recognise(spec: &str) -> Result<Option<Source>> {
                $(if let Some(kind) = $module::$Kind::recognise(spec)? {
                    return Ok(Some(Source::$Kind(kind)));
                })*
                Ok(None)
            }

            /// The same with each path changed.
            pub(in crate::data) fn map_paths(
                &self,
                change: &dyn Fn(&String) -> String,
            ) -> Source {
                match self {
                    $(Source::$Kind(kind) => Source::$Kind(kind.map_paths(change)),)*
                }
            }
        }

        impl schemars::JsonSchema for Source {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                "Source".into()
            }

            /// The keys of all kinds; those of two kinds exclude each other, which the reader says.
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut keys = Map::new();
                $(keys.extend(json_schema::properties(
                    <$module::$Kind as schemars::JsonSchema>::json_schema(generator),
                ));)*
                json_schema::table(keys)
            }
        }

        $(impl From<$module::$Kind> for Source {
            fn from(kind: $module::$Kind) -> Self {
                Source::$Kind(kind)
            }
        })*
    };
}

// In the order in which they are asked: the name of a built-in set means the set, whatever
// lies in this folder.
sources! {
    builtin: BuiltInSet;
    arrays: ArrayFiles;
    table: TableFile;
    images: Images;
}

/// The keys of `[data]` that belong to each kind of data; the first of a kind names it.
pub(crate) fn keys_by_kind() -> Vec<&'static [&'static str]> {
    Source::all_keys()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_one_kind() {
        let mut keys = Source::all_keys().concat();
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }
}
