//! Bytes that are made once for each snapshot, however many ask for them.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;

use crate::model::Snapshot;

/// One form of snapshots: of the latest that was asked for, and of earlier ones as long as somebody is still sent them, so that
/// those who are behind cost no more than those who are not.
#[derive(Debug, Default)]
pub struct Cache {
    made: Mutex<Made>,
}

#[derive(Debug, Default)]
struct Made {
    latest: Option<(Arc<Snapshot>, Arc<Vec<u8>>)>,
    earlier: Vec<(Weak<Snapshot>, Weak<Vec<u8>>)>,
}

/// Bytes that [`Made`] can still find while somebody has them.
struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Cache {
    /// The form of this snapshot, made now unless it is there. It may be made in the place of an earlier one that nobody is sent any
    /// more: megabytes that the kernel gives anew each second cost as much as what is written to them.
    pub fn get(&self, snapshot: &Arc<Snapshot>, make: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Bytes {
        // Held while it is made, so that it is not made twice.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = made.find(snapshot).unwrap_or_else(|| {
            let mut bytes = make(made.room(snapshot));
            if bytes.capacity() / 2 > bytes.len() {
                bytes.shrink_to_fit();
            }
            let bytes = Arc::new(bytes);
            made.keep(snapshot, &bytes);
            bytes
        });
        Bytes::from_owner(Shared(bytes))
    }
}

impl Made {
    fn find(&self, snapshot: &Arc<Snapshot>) -> Option<Arc<Vec<u8>>> {
        match &self.latest {
            Some((of, bytes)) if Arc::ptr_eq(of, snapshot) => Some(Arc::clone(bytes)),
            _ => {
                let (_, bytes) = self.earlier.iter().find(|(of, _)| of.as_ptr() == Arc::as_ptr(snapshot))?;
                bytes.upgrade()
            }
        }
    }

    /// What is no longer the latest, if nobody is sent it.
    fn room(&mut self, snapshot: &Snapshot) -> Vec<u8> {
        let Some((of, bytes)) = self.latest.take_if(|(of, _)| snapshot.taken_at > of.taken_at) else {
            return Vec::new();
        };
        let mut room = Arc::try_unwrap(bytes).unwrap_or_else(|sent| {
            self.earlier.push((Arc::downgrade(&of), Arc::downgrade(&sent)));
            Vec::new()
        });
        room.clear();
        room
    }

    fn keep(&mut self, snapshot: &Arc<Snapshot>, bytes: &Arc<Vec<u8>>) {
        let one = (Arc::clone(snapshot), Arc::clone(bytes));
        let is_latest = self.latest.as_ref().is_none_or(|(of, _)| snapshot.taken_at >= of.taken_at);
        let earlier = if is_latest { self.latest.replace(one) } else { Some(one) };
        self.earlier.retain(|(_, bytes)| bytes.strong_count() > 0);
        self.earlier.extend(earlier.map(|(of, bytes)| (Arc::downgrade(&of), Arc::downgrade(&bytes))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::snapshot;

    #[test]
    fn each_snapshot_is_encoded_once_as_long_as_somebody_has_it() {
        let cache = Cache::default();
        let [first, second] = [1, 2].map(|second| Arc::new(snapshot(second, vec![])));
        let mut made = 0;
        let mut get = |snapshot| {
            let bytes = cache.get(snapshot, |_| {
                made += 1;
                vec![made]
            });
            bytes[0]
        };
        assert_eq!([&first, &first, &second, &second].map(&mut get), [1, 1, 2, 2]);
        // Nobody has the first any more, and the second stays the latest.
        assert_eq!([&first, &second].map(&mut get), [3, 2]);
        let behind = cache.get(&first, |_| vec![4]);
        assert_eq!(cache.get(&second, |_| vec![5])[0], 2);
        assert_eq!(cache.get(&first, |_| vec![6])[0], 4);
        drop(behind);
        assert_eq!(cache.get(&first, |_| vec![7])[0], 7);
    }

    #[test]
    fn only_what_nobody_is_sent_is_written_over() {
        let cache = Cache::default();
        let [first, second, third] = [1, 2, 3].map(|second| Arc::new(snapshot(second, vec![])));
        let put = |byte: u8| {
            move |mut room: Vec<u8>| {
                assert!(room.is_empty());
                room.push(byte);
                room
            }
        };
        let place = cache.get(&first, put(1)).as_ptr();
        let sent = cache.get(&second, put(2));
        assert_eq!(sent.as_ptr(), place);
        assert_eq!(cache.get(&third, put(3))[0], 3);
        assert_eq!((sent[0], cache.get(&second, put(4))[0]), (2, 2));
    }
}
