//! One declarative list for a family of rules (activations, optimizers, …).
//!
//! [`registry!`] makes of the list the modules, the family's type, the lookup
//! by Keras name, and reading from and writing to a configuration. [`forward!`]
//! gives the family its rules' methods, [`visitor!`] a visitor that calls a generic
//! kernel with the concrete rule.

pub use super::read::read;
pub(crate) use super::read::{read_rule, refuse_unknown};

use crate::error::{Error, Result, join, nearest};
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::{Serialize, forward_to_deserialize_any};
use serde_json::Map;

/// A configuration as plain data, from a TOML table or a Keras JSON object. A nested Keras object
/// is an object with the key `type`.
pub type Value = serde_json::Value;

/// Facts about a member of a family.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Keras' class name, also the Rust type's: `HeNormal`.
    pub class: &'static str,
    /// Strings that stand for the member with default arguments, the usual one first.
    pub aliases: &'static [&'static str],
    /// The names of its arguments.
    pub fields: fn() -> &'static [&'static str],
}

impl Member {
    /// True if the member answers to this name.
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|own| own == name)
    }

    /// Every name that it answers to, the usual one first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let (first, last) = match self.small_aliases().next() {
            None => (Some(self.class), None),
            Some(_) => (None, Some(self.class)),
        };
        let aliases = self.aliases.iter().copied();
        first.into_iter().chain(aliases).chain(last)
    }

    /// The aliases in small letters. Others are further names of the class.
    fn small_aliases(&self) -> impl Iterator<Item = &'static str> + use<> {
        let small = |name: &&str| !name.contains(|c: char| c.is_ascii_uppercase());
        self.aliases.iter().copied().filter(small)
    }

    /// The names to offer: its aliases in small letters, else its class.
    pub(crate) fn offered(&self) -> impl Iterator<Item = &'static str> + use<> {
        let none = self.small_aliases().next().is_none();
        self.small_aliases().chain(none.then_some(self.class))
    }
}

/// A registered rule: a check of its arguments.
pub trait Rule: Clone + Serialize + DeserializeOwned {
    /// Refuses invalid arguments, naming the argument.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// The fields of a configuration table; an error if the value is no table.
pub fn table(at: &str, value: &Value) -> Result<Map<String, Value>> {
    match value {
        Value::Object(fields) => Ok(fields.clone()),
        other => Err(Error::invalid(at, other, "a table of keys and values")),
    }
}

/// The name of a member and its arguments, from `"elu"` or `{ type = "ELU", … }`.
pub(crate) fn named(
    at: &str,
    family: &'static str,
    value: &Value,
) -> Result<(String, Map<String, Value>)> {
    let expected = || format!("the name of a known {family}, or a table with `type`");
    match value {
        Value::String(name) => Ok((name.clone(), Map::new())),
        Value::Object(fields) => {
            let mut fields = fields.clone();
            match fields.remove("type") {
                Some(Value::String(name)) => Ok((name, fields)),
                Some(other) => Err(Error::invalid(&join(at, "type"), other, expected())),
                None => Err(match nearest("type", fields.keys().map(String::as_str)) {
                    Some(key) => Error::unknown(at, "key", &key, ["type"]),
                    None => Error::invalid(at, "a table without `type`", expected()),
                }),
            }
        }
        other => Err(Error::invalid(at, other, expected())),
    }
}

/// A rule's fields in their order, as a configuration.
pub(crate) fn fields<T: Serialize>(rule: &T) -> Map<String, Value> {
    match serde_json::to_value(rule) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// The written form of a rule: its alias where the alias means the same, else its
/// type and arguments.
pub(crate) fn short<F: PartialEq>(
    rule: &F,
    config: Value,
    from_config: fn(&str, &Value) -> Result<F>,
    members: &[Member],
) -> Value {
    let alias = members
        .iter()
        .find(|m| config["type"] == m.class)
        .and_then(|m| m.small_aliases().next())
        .map(Value::from);
    match alias {
        Some(alias) if from_config("", &alias).is_ok_and(|other| other == *rule) => alias,
        _ => config,
    }
}

/// The names of a struct's fields, which serde hands to the deserializer.
pub(crate) fn field_names<T: DeserializeOwned>() -> &'static [&'static str] {
    struct Names<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Names<'_> {
        type Error = serde::de::value::Error;

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _name: &'static str,
            fields: &'static [&'static str],
            _visitor: V,
        ) -> std::result::Result<V::Value, Self::Error> {
            *self.0 = fields;
            Err(serde::de::Error::custom("only the names were wanted"))
        }

        fn deserialize_any<V: Visitor<'de>>(
            self,
            _visitor: V,
        ) -> std::result::Result<V::Value, Self::Error> {
            Err(serde::de::Error::custom("not a struct"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes
            byte_buf option unit unit_struct newtype_struct seq tuple tuple_struct map
            enum identifier ignored_any
        }
    }

    let mut names: &'static [&'static str] = &[];
    let _ = T::deserialize(Names(&mut names));
    names
}

/// Declares a family: see the module's documentation, and `rules/activations/mod.rs` for an
/// example. `file: Type["alias", …], …;` registers the types of one file. `+ Type` after the list
/// is a rule without a name: it can be made in code, but in no configuration.
macro_rules! registry {
    (
        $(#[$doc:meta])*
        $family:ident($noun:literal) {
            $( $file:ident : $( $rule:ident [ $($alias:literal),* ] ),+ ; )+
        } $( + $own:ident )?
    ) => {
        $( mod $file; $( pub use $file::$rule; )+ )+

        $(#[$doc])*
        // The rule, and the text that it was made from where the rule's name does not say it.
        #[derive(Clone, Debug, PartialEq)]
        pub struct $family(pub(crate) Kind, pub(crate) Option<Box<str>>);

        /// The family's members, one variant each.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(clippy::large_enum_variant, clippy::upper_case_acronyms)]
        pub(crate) enum Kind {
            $($( $rule($rule), )+)+
            $( $own($own), )?
        }

        $($(
            impl From<$rule> for $family {
                fn from(rule: $rule) -> Self {
                    $family(Kind::$rule(rule), None)
                }
            }
        )+)+
        $(
            impl From<$own> for $family {
                fn from(rule: $own) -> Self {
                    $family(Kind::$own(rule), None)
                }
            }
        )?

        $crate::base::registry::members! { ($) $($( $rule )+)+ $( $own )? }

        #[allow(dead_code)]
        impl $family {
            /// Every member, in the order of the list.
            pub const MEMBERS: &'static [$crate::base::registry::Member] = &[
                $($( $crate::base::registry::Member {
                    class: stringify!($rule),
                    aliases: &[$($alias),*],
                    fields: $crate::base::registry::field_names::<$rule>,
                }, )+)+
            ];

            /// The JSON Schema of each member's arguments. They are no part of `MEMBERS`, so that a
            /// program that asks for none links none.
            pub(crate) const SCHEMAS: &'static [$crate::base::json_schema::SchemaOf] = &[
                $($( <$rule as schemars::JsonSchema>::json_schema, )+)+
            ];

            /// Keras' class name.
            pub fn class(&self) -> &'static str {
                match &self.0 {
                    $($( Kind::$rule(_) => stringify!($rule), )+)+
                    $( Kind::$own(_) => stringify!($own), )?
                }
            }

            /// Reads it from a name, or from a table with `type` and arguments. `at` is its path of
            /// keys, for the error's text.
            pub fn from_config(at: &str, value: &$crate::base::registry::Value) -> $crate::Result<Self> {
                use $crate::base::registry::{named, read_rule};
                let (name, fields) = named(at, $noun, value)?;
                $($(
                    if name == stringify!($rule) $(|| name == $alias)* {
                        let rule: $rule = read_rule(at, ($noun, stringify!($rule)), fields)?;
                        return Ok(rule.into());
                    }
                )+)+
                let known = Self::MEMBERS.iter().flat_map($crate::base::registry::Member::offered);
                Err($crate::Error::unknown(at, $noun, &name, known))
            }

            /// The type and arguments, as an object with `type`.
            pub fn to_config(&self) -> $crate::base::registry::Value {
                let mut object = serde_json::Map::new();
                if let Some(unknown) = self.1.as_deref().filter(|_| self.unknown().is_err()) {
                    object.insert("type".into(), unknown.into());
                    return object.into();
                }
                object.insert("type".into(), self.class().into());
                let rule = match_member!(&self.0, rule: R => $crate::base::registry::fields(rule));
                object.extend(rule);
                object.into()
            }

            /// Refuses a text that names no member.
            fn unknown(&self) -> $crate::Result<()> {
                match &self.1 {
                    Some(text) => Self::from_config("", &(&**text).into()).map(drop),
                    None => Ok(()),
                }
            }

            /// Refuses invalid arguments, and a name that no member has.
            pub(crate) fn check(&self) -> $crate::Result<()> {
                use $crate::base::registry::Rule;
                self.unknown()?;
                match_member!(&self.0, rule: R => rule.check())
            }
        }

        impl serde::Serialize for $family {
            /// The alias if the arguments are the defaults, as Keras writes it.
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                use $crate::base::registry::short;
                short(self, self.to_config(), Self::from_config, Self::MEMBERS).serialize(s)
            }
        }

        impl schemars::JsonSchema for $family {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($family).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let (name, common) = (stringify!($family), Default::default());
                let members = (Self::MEMBERS, Self::SCHEMAS);
                $crate::base::json_schema::family(generator, name, $noun, members, &common)
            }
        }

        impl<'de> serde::Deserialize<'de> for $family {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let value = $crate::base::registry::Value::deserialize(d)?;
                Self::from_config("", &value).map_err(serde::de::Error::custom)
            }
        }
    };
}

/// Defines, for one family, `match_member!(kind, rule: R => body)`: the body with the rule
/// of whichever member it is, whose type is called `R` there. Needs a `$` as its first
/// token, for the macro that it makes. `each_member!(R => body)` is a list: the body with
/// the type of each member, in the order of the registry.
macro_rules! members {
    (($d:tt) $($rule:ident)+) => {
        macro_rules! match_member {
            ($d kind:expr, $d rule:ident: $d type:ident => $d body:expr) => {
                match $d kind {
                    $( Kind::$rule($d rule) => {
                        #[allow(dead_code)]
                        type $d type = $rule;
                        let _ = &$d rule;
                        $d body
                    } )+
                }
            };
        }

        #[allow(unused_macros)]
        macro_rules! each_member {
            ($d type:ident => $d body:expr) => {
                [$({
                    type $d type = $rule;
                    $d body
                }),+]
            };
        }
    };
}

/// Gives a family methods of its rules: `fn slots(&self) -> usize;` calls the rule's
/// method of that name, `fn form(&self) -> Form = FORM;` gives the rule's constant.
macro_rules! forward {
    (@body $kind:expr, $name:ident($($arg:ident),*)) => {
        match_member!($kind, rule: R => rule.$name($($arg),*))
    };
    (@body $kind:expr, $name:ident($($arg:ident),*) $constant:ident) => {
        match_member!($kind, rule: R => R::$constant)
    };
    ($family:ident {
        $(
            $(#[$doc:meta])*
            $vis:vis fn $name:ident(&self $(, $arg:ident: $of:ty)* $(,)?) $(-> $out:ty)?
                $(= $constant:ident)?;
        )+
    }) => {
        impl $family {
            $(
                $(#[$doc])*
                $vis fn $name(&self $(, $arg: $of)*) $(-> $out)? {
                    $crate::base::registry::forward!(
                        @body &self.0, $name($($arg),*) $($constant)?
                    )
                }
            )+
        }
    };
}

/// Gives a family a visitor, for kernels that are generic over the rule.
macro_rules! visitor {
    ($family:ident, $formula:path) => {
        /// A generic function to call with a member's concrete type.
        pub(crate) trait Visit {
            /// The result.
            type Output;
            /// Runs on the concrete rule.
            fn visit<R: $formula>(self, rule: &R) -> Self::Output;
        }

        impl $family {
            /// Calls `visitor` with the rule's own type.
            pub(crate) fn visit<V: Visit>(&self, visitor: V) -> V::Output {
                match_member!(&self.0, rule: R => visitor.visit(rule))
            }
        }
    };
}

/// For a family whose members all have defaults: `Family::Member` is the
/// member with its default arguments, and is written as its alias.
macro_rules! defaults {
    ($family:ident { $( $(#[$doc:meta])* $rule:ident),+ $(,)? }) => {
        #[allow(non_upper_case_globals)]
        impl $family {
            $( $(#[$doc])* pub const $rule: $family = $family(Kind::$rule($rule::DEFAULT), None); )+
        }
    };
}

/// For a family whose members can be given by Keras' strings: `"elu".into()`. `usual` stands for
/// an unknown name until [`check`](Rule::check) refuses it.
macro_rules! by_name {
    ($family:ident, $usual:expr) => {
        impl From<&str> for $family {
            /// The member of this name with default arguments, as Keras' strings have it. An unknown
            /// name is an error when the model is built or compiled, which gives the nearest one.
            fn from(name: &str) -> Self {
                Self::from_config("", &name.into()).unwrap_or_else(|_| {
                    let usual = $family::from($usual);
                    $family(usual.0, Some(name.into()))
                })
            }
        }
    };
}

pub(crate) use {by_name, defaults, forward, members, registry, visitor};
