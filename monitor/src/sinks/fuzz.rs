//! Promises of what reads the answers of databases, and their addresses: [`crate::fuzzing`].

use bytes::Bytes;
use hyper::StatusCode;

use super::{
    grpc,
    http::{self, Address, Answer},
    otlp, remote_write,
    sflow::{
        SFlow,
        machine::{parse_mac, parse_uuid},
    },
    statsd::Socket,
};
use crate::fuzzing::made;

/// The status of an answer in two bytes, then what it asks to wait for in a line, and its body; or an address.
pub(crate) fn answer(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    addresses(&text);
    let Some((status, rest)) = input.split_first_chunk() else { return };
    let Ok(status) = StatusCode::from_u16(u16::from_le_bytes(*status)) else { return };
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let retry_after = http::retry_after(&String::from_utf8_lossy(&rest[..end]));
    let answer = Answer { status, retry_after, body: Bytes::copy_from_slice(&rest[end..]) };
    let said = answer.said();
    assert!(said.chars().count() <= http::TOLD_CHARACTERS && !said.contains(char::is_control), "{said:?}");
    if let Err(failure) = remote_write::judge(&answer) {
        assert!(!failure.why.contains('\n'), "{}", failure.why);
    }
    let failure = otlp::judge(&answer);
    assert!(!failure.why.contains('\n'), "{}", failure.why);
    made((otlp::answer_of(answer.body.clone()), grpc::message(&answer.body)));
}

fn addresses(text: &str) {
    if let Ok(address) = Address::parse(text) {
        let shown = address.to_string();
        let authority = address.uri().authority().map(ToString::to_string);
        assert!(
            !shown.contains('?') && authority.is_some_and(|authority| !authority.contains('@')),
            "{shown}"
        );
        let below = address.below("/write", &[("db", text)]);
        assert_eq!(below.authority(), address.uri().authority());
    }
    made((Socket::parse(text), SFlow::parse(text), parse_mac(text), parse_uuid(text)));
}
