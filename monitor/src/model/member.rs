//! Fields of a group that are no scalars, listed by the `metrics!` macro beside its metrics, so that whatever must treat every
//! field can.

use serde::Serialize;

use super::{
    filesystems::{Tree, Volume},
    groups::Measurements,
    measurements::{BlockDevice, Interface, Latency, NumaMemory, PacketDrops},
};

/// One field that is no scalar of what a `T` holds.
pub struct Member<T = Measurements> {
    /// The JSON object that holds it.
    pub group: &'static str,
    /// Its name in that object.
    pub name: &'static str,
    /// What it is.
    pub form: Form,
    /// What it means, in Markdown.
    pub help: &'static str,
    /// Reads it.
    pub get: fn(&T) -> Option<Shaped<'_>>,
}

/// What a field is that is no scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// How often each duration was seen.
    Latency,
    /// Numbers in order.
    Numbers,
    /// A number that can be negative.
    Difference,
    /// An object, or a list of objects.
    Object,
}

/// The value of such a field.
pub enum Shaped<'a> {
    /// See [`Form::Latency`].
    Latency(&'a Latency),
    /// See [`Form::Numbers`].
    Numbers(&'a [u64]),
    /// See [`Form::Difference`].
    Difference(i64),
    /// See [`Form::Object`]: what to call for its JSON.
    Object(&'a dyn ToJson),
}

/// What can be written as JSON, whatever its type.
pub trait ToJson: Send + Sync {
    /// Its JSON in one line.
    fn to_json(&self) -> String;
    /// Appends the same.
    fn put_json(&self, out: &mut Vec<u8>);
}

// It cannot fail: every map has string keys and nothing in a snapshot refuses to be serialized.
impl<T: Serialize + Send + Sync> ToJson for T {
    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn put_json(&self, out: &mut Vec<u8>) {
        let _ = serde_json::to_writer(out, self);
    }
}

/// A type that a field can have which is no scalar.
pub trait Shape {
    /// What it is.
    const FORM: Form;
    /// Its value.
    fn shaped(&self) -> Shaped<'_>;
}

impl Shape for Latency {
    const FORM: Form = Form::Latency;
    fn shaped(&self) -> Shaped<'_> {
        Shaped::Latency(self)
    }
}

impl Shape for Vec<u64> {
    const FORM: Form = Form::Numbers;
    fn shaped(&self) -> Shaped<'_> {
        Shaped::Numbers(self)
    }
}

impl Shape for i64 {
    const FORM: Form = Form::Difference;
    fn shaped(&self) -> Shaped<'_> {
        Shaped::Difference(*self)
    }
}

macro_rules! objects {
    ($($object:ty),*) => {
        $(impl Shape for $object {
            const FORM: Form = Form::Object;
            fn shaped(&self) -> Shaped<'_> {
                Shaped::Object(self)
            }
        })*
    };
}
objects!(Vec<PacketDrops>, Vec<Interface>, Vec<NumaMemory>, Vec<BlockDevice>, Tree, Vec<Volume>);
