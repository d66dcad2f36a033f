//! Bytes that are made once for each snapshot, however many ask for them.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::model::Snapshot;

/// One form of the latest snapshot that somebody asked for in that form.
#[derive(Debug, Default)]
pub struct Cache {
    last: Mutex<Option<(Arc<Snapshot>, Bytes)>>,
}

impl Cache {
    /// The form of this snapshot, made now unless it was already. The snapshot is kept until one is asked for after it.
    pub fn get(&self, snapshot: &Arc<Snapshot>, make: impl FnOnce(&Snapshot) -> Vec<u8>) -> Bytes {
        // Held while it is made, so that it is not made twice.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, bytes)) = &*last
            && Arc::ptr_eq(of, snapshot)
        {
            return bytes.clone();
        }
        let bytes = Bytes::from(make(snapshot));
        *last = Some((Arc::clone(snapshot), bytes.clone()));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::testing::snapshot;

    #[test]
    fn each_snapshot_is_encoded_once() {
        let cache = Cache::default();
        let (first, second) = (Arc::new(snapshot(1, vec![])), Arc::new(snapshot(1, vec![])));
        let mut made = 0;
        for snapshot in [&first, &first, &second, &second, &first] {
            cache.get(snapshot, |_| {
                made += 1;
                vec![made]
            });
        }
        assert_eq!(made, 3);
    }
}
