//! Page tokens. Input: four bytes for the request that a token belongs to, eight for a number, and a text: a token, or what
//! is in one.
//!
//! What is taken is what this service gives out, to the byte, and under no other request.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chatbridge::{
    grpc::fuzzing::{name, next_name, next_page, next_session, page, session},
    store::SessionMark,
};

/// Checks one input.
pub fn check(input: &[u8]) {
    let Some((scope, rest)) = input.split_first_chunk::<4>() else {
        return;
    };
    let Some((number, text)) = rest.split_first_chunk::<8>() else {
        return;
    };
    let scope = u32::from_be_bytes(*scope);
    if let Ok(token) = std::str::from_utf8(text) {
        given_out(token, scope);
        survives(token, u64::from_be_bytes(*number), scope);
    }
    given_out(&URL_SAFE_NO_PAD.encode(text), scope);
}

/// A token that is taken is one that this service makes.
fn given_out(token: &str, scope: u32) {
    if token.is_empty() {
        assert!(page(token, scope).is_ok_and(|page| page == 0));
        assert!(session(token, scope).is_ok_and(|mark| mark.is_none()));
        assert!(name(token, scope).is_ok_and(|name| name.is_empty()));
        return;
    }
    if let Ok(page) = page(token, scope) {
        assert_eq!(
            next_page(scope, page.checked_sub(1).expect("no token names page 0")),
            token
        );
    }
    if let Ok(mark) = session(token, scope) {
        assert_eq!(
            next_session(scope, &mark.expect("a token names a session")),
            token
        );
    }
    if let Ok(found) = name(token, scope) {
        assert_eq!(next_name(scope, &found), token);
    }
    let other = scope ^ 1;
    if name(token, scope).is_ok() {
        assert!(page(token, other).is_err() && session(token, other).is_err() && name(token, other).is_err());
    }
}

/// What is put into a token comes out of it.
fn survives(text: &str, number: u64, scope: u32) {
    let token = next_name(scope, text);
    assert!(name(&token, scope).is_ok_and(|found| found == text));
    let mark = SessionMark {
        active_ms: number,
        conversation: text.to_owned(),
    };
    let token = next_session(scope, &mark);
    assert!(session(&token, scope).is_ok_and(|found| found == Some(mark)));
    let number = number as u32;
    let token = next_page(scope, number);
    assert!(page(&token, scope).is_ok_and(|found| found == number.wrapping_add(1)));
}
