//! Promises of what reads a server's answers, and the ranges that they are compared with: [`crate::fuzzing`].
#![expect(clippy::unwrap_used, reason = "what is made up here is sound, and what is not is to be found")]

use super::{
    client::{Address, Problem},
    range::Range,
    target::{Listed, One, TheHost},
};
use crate::{
    fuzzing::made,
    model::{Event, Snapshot},
};

/// An answer of any kind, an address or a range.
pub(crate) fn answer(input: &[u8]) {
    made(serde_json::from_slice::<Problem>(input));
    made(serde_json::from_slice::<TheHost>(input));
    made(serde_json::from_slice::<One>(input));
    if let Ok(Listed { containers }) = serde_json::from_slice(input) {
        assert!(containers.len() <= input.len());
    }
    if let Ok(snapshot) = serde_json::from_slice::<Snapshot>(input) {
        let written = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<Snapshot>(&written).unwrap(), snapshot);
    }
    if let Ok(event) = serde_json::from_slice::<Event>(input) {
        let written = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&written).unwrap(), event);
    }
    let text = String::from_utf8_lossy(input);
    if let Ok(range) = text.parse::<Range>() {
        assert_eq!(range.to_string().parse(), Ok(range));
    }
    if let Ok(Address::Tcp(host) | Address::Tls(host)) = text.parse() {
        assert!(host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()), "{host}");
    }
}
