//! What became of a call whose answer was lost: what the vendor shows is compared with all that was announced.
//!
//! Only what proves that the call happened counts. That nothing is to be seen proves nothing, since the vendor acts later than
//! it answers; so nothing is ever sent again on that ground.

mod create;
mod given;
mod send;
mod upload;

pub(super) use create::{CreateMark, ledger_of_create};
pub(super) use send::{ledger_of_send, ledger_of_sends};
pub(super) use upload::ledger_of_upload;

use crate::{
    error::Error,
    gateway::{Listed, PageQuery, UpstreamError},
    store::{Ledger, LedgerState},
};

/// How much the vendor's clock may differ from the store's, in milliseconds.
const SKEW_MS: u64 = 60_000;
/// How many pages of a list are read at most, and their size.
const PAGES_MAX: u32 = 5;
const PAGE_SIZE: u32 = 100;

/// What a ledger says of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing<'a> {
    /// It happened, with this result: only its record was not written.
    Accepted(&'a str),
    /// It may have happened.
    Open,
    /// It is not there: nothing upstream can be told to be this call's.
    Absent,
}

fn standing<'a>(ledger: &'a Ledger, token: &str) -> Standing<'a> {
    let mine = || ledger.entries.iter().filter(|entry| entry.token == token);
    let accepted = mine().find_map(|entry| match &entry.state {
        LedgerState::Accepted(result) => Some(result.as_str()),
        _ => None,
    });
    match accepted {
        Some(result) => Standing::Accepted(result),
        None if mine().next().is_some() => Standing::Open,
        None => Standing::Absent,
    }
}

/// How many operations are open: on their way, or with an unknown outcome.
fn open(ledger: &Ledger) -> usize {
    let is_open = |state: &LedgerState| !matches!(state, LedgerState::Accepted(_));
    ledger.entries.iter().filter(|e| is_open(&e.state)).count()
}

/// Whether the vendor's identifier is that of an operation which happened.
fn is_accepted(ledger: &Ledger, id: &str) -> bool {
    let result = |state: &LedgerState| matches!(state, LedgerState::Accepted(result) if result == id);
    ledger.entries.iter().any(|entry| result(&entry.state))
}

/// From when on upstream things may be of this ledger, Unix milliseconds by the vendor's clock.
fn since_ms(ledger: &Ledger) -> i64 {
    let first = ledger.entries.first().map_or(0, |entry| entry.announced_ms);
    i64::try_from(first.saturating_sub(SKEW_MS)).unwrap_or(i64::MAX)
}

/// Reads pages of a list until `enough` says so of one, at most [`PAGES_MAX`]. `None`: there are more than that.
async fn read_all<T, F: Future<Output = Result<Listed<T>, UpstreamError>>>(
    sort: &str,
    mut read: impl FnMut(PageQuery) -> F,
    enough: impl Fn(&[T]) -> bool,
) -> Result<Option<Vec<T>>, UpstreamError> {
    let mut all = Vec::new();
    for page in 0..PAGES_MAX {
        let query = PageQuery {
            size: PAGE_SIZE,
            page,
            sort: sort.to_owned(),
            filter: String::new(),
        };
        let listed = read(query.clone()).await?;
        // A full page is the last of nothing, whatever the vendor counts: it may count wrongly.
        let is_full = listed.items.len() >= PAGE_SIZE as usize;
        let is_last = listed.items.is_empty() || (listed.is_last(&query) && !is_full);
        let is_enough = enough(&listed.items);
        all.extend(listed.items);
        if is_last || is_enough {
            return Ok(Some(all));
        }
    }
    Ok(None)
}

/// The sentence for a look that failed. It must not read as if repeating were harmless.
fn could_not_look(error: &Error) -> String {
    format!("8x8 could not be asked what became of it: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::LedgerEntry;

    pub(super) fn ledger(entries: &[(&str, u64, LedgerState)]) -> Ledger {
        Ledger {
            entries: entries
                .iter()
                .map(|(token, announced_ms, state)| LedgerEntry {
                    token: (*token).to_owned(),
                    announced_ms: *announced_ms,
                    state: state.clone(),
                })
                .collect(),
            complete: true,
        }
    }

    #[test]
    fn a_ledger_says_where_a_call_stands() {
        let ledger = ledger(&[
            ("a", 100_000, LedgerState::Accepted("id".into())),
            ("b", 100_001, LedgerState::Sending),
            ("c", 100_002, LedgerState::Unknown),
        ]);
        assert_eq!(standing(&ledger, "a"), Standing::Accepted("id"));
        assert_eq!(standing(&ledger, "b"), Standing::Open);
        assert_eq!(standing(&ledger, "x"), Standing::Absent);
        assert_eq!((open(&ledger), since_ms(&ledger)), (2, 40_000));
        assert!(is_accepted(&ledger, "id") && !is_accepted(&ledger, "other"));
    }

    async fn read_pages(pages: Vec<usize>, counted: bool) -> (Option<usize>, u32) {
        let asked = std::cell::Cell::new(0);
        let total_pages = counted.then(|| u32::try_from(pages.len()).unwrap());
        let read = |query: PageQuery| {
            asked.set(asked.get() + 1);
            let items = vec![0_u8; pages.get(query.page as usize).copied().unwrap_or(0)];
            std::future::ready(Ok(Listed {
                total: 0,
                total_pages,
                items,
            }))
        };
        let all = read_all("", read, |_| false).await.unwrap();
        (all.map(|all| all.len()), asked.get())
    }

    #[tokio::test]
    async fn lists_are_read_to_their_end_or_not_at_all() {
        for counted in [true, false] {
            assert_eq!(read_pages(vec![], counted).await, (Some(0), 1));
            assert_eq!(read_pages(vec![3], counted).await, (Some(3), 1));
            assert_eq!(read_pages(vec![100], counted).await, (Some(100), 2));
            assert_eq!(read_pages(vec![100, 100, 7], counted).await, (Some(207), 3));
            assert_eq!(read_pages(vec![100; 9], counted).await, (None, 5));
        }
        assert_eq!(
            read_pages(vec![20, 20, 1], true).await,
            (Some(41), 3),
            "a vendor with smaller pages"
        );
    }
}
