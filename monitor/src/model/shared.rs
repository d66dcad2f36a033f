//! Parts of a snapshot that it shares with the one before.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// A part of a snapshot, which is shared with the snapshot before where it is as it was there: what stands still is neither
/// made nor kept nor encoded once more. It is read and written like a `T`; writing to one that is shared copies it first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shared<T>(Arc<T>);

impl<T> Shared<T> {
    /// The same part once more.
    #[must_use]
    pub fn handle(&self) -> Arc<T> {
        Arc::clone(&self.0)
    }
}

impl<T: PartialEq> Shared<T> {
    /// From now on shares what an equal one has.
    pub fn share_with(&mut self, other: &Self) {
        if self.0 == other.0 {
            self.0 = Arc::clone(&other.0);
        }
    }
}

impl<T> From<T> for Shared<T> {
    fn from(part: T) -> Self {
        Self(Arc::new(part))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

/// That it is shared is nothing that the JSON tells.
impl<T: JsonSchema> JsonSchema for Shared<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_equal_is_shared_until_it_is_written_to() {
        let before = Shared::from(vec![1, 2]);
        let (mut same, mut other) = (Shared::from(vec![1, 2]), Shared::from(vec![3]));
        same.share_with(&before);
        other.share_with(&before);
        assert!(Arc::ptr_eq(&same.handle(), &before.handle()));
        assert!(!Arc::ptr_eq(&other.handle(), &before.handle()));
        same.push(3);
        assert_eq!((&*same, &*before), (&vec![1, 2, 3], &vec![1, 2]));
    }

    #[test]
    fn json_does_not_tell_that_it_is_shared() {
        let shared = Shared::from(Some(7_u64));
        assert_eq!(serde_json::to_string(&shared).unwrap(), "7");
        assert_eq!(serde_json::from_str::<Shared<Option<u64>>>("7").unwrap(), shared);
        assert_eq!(serde_json::from_str::<Shared<Option<u64>>>("null").unwrap(), Shared::default());
    }
}
