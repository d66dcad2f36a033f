//! The macro that declares a group of scalar measurements once for all outputs.

/// Declares a struct of measurements: each field becomes an `Option` that serializes under its own name, with its doc
/// comment as the description in the JSON Schema and as the help text in the catalogue.
///
/// Kinds: `Counter` (u64, grows), `Gauge` (u64), `Limit` (i64, -1 where there is none), `Rate` and `Ratio` (f64), `Text`.
/// `of` names the type that has the group as a member; without it that is [`Measurements`](super::Measurements).
/// What follows `+` are fields with a type of their own, which are no scalars and so not in the catalogue, but in `MEMBERS`.
/// What follows `+ distributions` are [`Latency`](super::Latency) fields, each with the [`Span`](super::catalog::Span) that it
/// counts over; they are in `MEMBERS` as well.
macro_rules! metrics {
    (
        $(#[doc = $group_doc:literal])+
        $group:ident at $member:ident $(of $root:ident)? {
            $($(#[doc = $help:literal])+ $field:ident: $kind:ident,)*
        }
        $(+ { $($(#[doc = $other_doc:literal])+ $other:ident: $other_type:ty,)* })?
        $(+ distributions { $($(#[doc = $spread_help:literal])+ $spread:ident: $span:ident,)* })?
    ) => {
        $(#[doc = $group_doc])+
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub struct $group {
            $($(#[doc = $help])+ pub $field: Option<metrics!(@type $kind)>,)*
            $($($(#[doc = $other_doc])+ pub $other: Option<$other_type>,)*)?
            $($($(#[doc = $spread_help])+ pub $spread: Option<$crate::model::Latency>,)*)?
        }

        impl $group {
            /// The group's scalars, in the order of the JSON.
            pub const METRICS: &[$crate::model::catalog::Metric<metrics!(@root $($root)?)>] = &[$(
                $crate::model::catalog::Metric {
                    group: stringify!($member),
                    name: stringify!($field),
                    kind: $crate::model::catalog::Kind::$kind,
                    help: concat!($($help),+),
                    get: |measurements| {
                        measurements.$member.$field.as_ref().map(|value| metrics!(@value $kind value))
                    },
                },
            )*];

            $(
                /// The group's distributions, in the order of the JSON.
                pub const DISTRIBUTIONS: &[$crate::model::catalog::Distribution] = &[$(
                    $crate::model::catalog::Distribution {
                        group: stringify!($member),
                        name: stringify!($spread),
                        span: $crate::model::catalog::Span::$span,
                        help: concat!($($spread_help),+),
                        get: |measurements| measurements.$member.$spread.as_ref(),
                    },
                )*];
            )?

            /// The group's fields that are no scalars, in the order of the JSON.
            pub const MEMBERS: &[$crate::model::member::Member<metrics!(@root $($root)?)>] = &[
                $($(metrics!(@other $member $other: $other_type, concat!($($other_doc),+)),)*)?
                $($(metrics!(@other $member $spread: $crate::model::Latency, concat!($($spread_help),+)),)*)?
            ];
        }
    };
    (@other $member:ident $name:ident: $form:ty, $help:expr) => {
        $crate::model::member::Member {
            group: stringify!($member),
            name: stringify!($name),
            form: <$form as $crate::model::member::Shape>::FORM,
            help: $help,
            get: |measurements| measurements.$member.$name.as_ref().map($crate::model::member::Shape::shaped),
        }
    };
    (@root) => { $crate::model::Measurements };
    (@root $root:ident) => { $root };
    (@type Counter) => { u64 };
    (@type Gauge) => { u64 };
    (@type Limit) => { i64 };
    (@type Rate) => { f64 };
    (@type Ratio) => { f64 };
    (@type Text) => { String };
    (@value Counter $value:ident) => { $crate::model::catalog::Value::Integer((*$value).into()) };
    (@value Gauge $value:ident) => { $crate::model::catalog::Value::Integer((*$value).into()) };
    (@value Limit $value:ident) => { $crate::model::catalog::Value::Integer((*$value).into()) };
    (@value Rate $value:ident) => { $crate::model::catalog::Value::Real(*$value) };
    (@value Ratio $value:ident) => { $crate::model::catalog::Value::Real(*$value) };
    (@value Text $value:ident) => { $crate::model::catalog::Value::Text($value) };
}
pub(super) use metrics;
