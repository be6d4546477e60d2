//! Doors for fuzz targets: what of this module is private and takes what a caller wrote.

use super::{fiql, paging};
use crate::{error::Error, store::SessionMark};

/// Checks a filter's form. The error is the character at which it is wrong, from 1, and the sentence for the caller.
pub fn fiql(expression: &str) -> Result<(), (usize, String)> {
    fiql::check(expression).map_err(|error| (error.position, error.to_string()))
}

/// The token of the page behind `page`, in the scope of a request.
pub fn next_page(scope: u32, page: u32) -> String {
    paging::next_page(scope, page, false)
}

/// The page that a token names.
pub fn page(token: &str, scope: u32) -> Result<u32, Error> {
    paging::page(token, scope)
}

/// The token behind a session.
pub fn next_session(scope: u32, mark: &SessionMark) -> String {
    paging::next_session(scope, Some(mark))
}

/// The session that a token names.
pub fn session(token: &str, scope: u32) -> Result<Option<SessionMark>, Error> {
    paging::session(token, scope)
}

/// The token behind a name.
pub fn next_name(scope: u32, name: &str) -> String {
    paging::next_name(scope, Some(name))
}

/// The name that a token names.
pub fn name(token: &str, scope: u32) -> Result<String, Error> {
    paging::name(token, scope)
}
