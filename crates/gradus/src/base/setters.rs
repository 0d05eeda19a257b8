//! Builder methods that set one field.

/// Gives a type a builder method for each of these fields, which takes the field's value:
/// as it is (`rate(f64)`), by `Into` (`activation(into Activation)`), for an `Option`
/// (`seed(some u64)`), or both (`kernel_regularizer(some into Regularizer)`).
macro_rules! setters {
    (@one $(#[$doc:meta])* $field:ident some into $of:ty) => {
        $(#[$doc])*
        pub fn $field(mut self, $field: impl Into<$of>) -> Self {
            self.$field = Some($field.into());
            self
        }
    };
    (@one $(#[$doc:meta])* $field:ident some $of:ty) => {
        $(#[$doc])*
        pub fn $field(mut self, $field: $of) -> Self {
            self.$field = Some($field);
            self
        }
    };
    (@one $(#[$doc:meta])* $field:ident into $of:ty) => {
        $(#[$doc])*
        pub fn $field(mut self, $field: impl Into<$of>) -> Self {
            self.$field = $field.into();
            self
        }
    };
    (@one $(#[$doc:meta])* $field:ident $of:ty) => {
        $(#[$doc])*
        pub fn $field(mut self, $field: $of) -> Self {
            self.$field = $field;
            self
        }
    };
    ($owner:ident $(<const $n:ident>)? { $( $(#[$doc:meta])* $field:ident($($of:tt)+); )+ }) => {
        impl $(<const $n: usize>)? $owner $(<$n>)? {
            $( $crate::base::setters::setters!(@one $(#[$doc])* $field $($of)+); )+
        }
    };
}

pub(crate) use setters;
