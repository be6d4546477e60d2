use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn cut_page(page: u32, size: u32) -> Page {
    Page {
        query: PageQuery {
            size,
            page,
            ..PageQuery::default()
        },
        scope: 7,
    }
}

#[test]
fn a_whole_list_is_answered_page_by_page() {
    let items = || (1..=5).collect::<Vec<_>>();
    let (first, token) = cut_page(0, 2).cut(items());
    assert_eq!((first, page(&token, 7).unwrap()), (vec![1, 2], 1));
    let (last, token) = cut_page(2, 2).cut(items());
    assert_eq!((last, token.as_str()), (vec![5], ""));
    let (all, token) = cut_page(0, 5).cut(items());
    assert_eq!((all.len(), token.as_str()), (5, ""));
    let (none, token) = cut_page(u32::MAX, 100).cut(items());
    assert_eq!((none.len(), token.as_str()), (0, ""));
    let (none, token) = cut_page(0, 20).cut(Vec::<u8>::new());
    assert_eq!((none.len(), token.as_str()), (0, ""));
}

#[test]
fn a_filter_is_passed_on_or_refused_with_its_place() {
    assert_eq!(filter("").unwrap(), "");
    assert_eq!(
        filter("state==active;channelId==25").unwrap(),
        "state==active;channelId==25"
    );
    assert!(filter("state==").unwrap_err().to_string().contains("character 8"));
    let long = |bytes: usize| format!("a=={}", "x".repeat(bytes - 3));
    assert!(filter(&long(2048)).is_ok() && filter(&long(2049)).is_err());
}

#[test]
fn every_mistake_of_a_page_is_named() {
    let ask = Ask {
        page_size: -1,
        page_token: "rubbish",
        filter: ";",
        order_by: "a b c",
        ..Ask::default()
    };
    let mut check = Check::default();
    ask.read(&mut check, &Err(Error::invalid("tenant", "is required")));
    let Err(Error::Invalid(named)) = check.done(()) else {
        panic!("it passes");
    };
    let fields: Vec<&str> = named.iter().map(|v| v.field.as_str()).collect();
    assert_eq!(
        fields,
        ["order_by", "page_size", "filter"],
        "without a tenant, no token can be judged"
    );
}

#[test]
fn a_token_serves_its_own_request_only() {
    let token = next_page(7, 0, false);
    assert_eq!(page(&token, 7).unwrap(), 1);
    assert!(
        page(&token, 8)
            .unwrap_err()
            .to_string()
            .contains("another request")
    );
    assert_eq!(next_page(7, 2, true), "");
    assert_eq!(next_page(7, u32::MAX, false), "");
}

#[rstest]
#[case::the_first_page("0")]
#[case::a_sign("+1")]
#[case::a_zero_in_front("01")]
#[case::nothing("")]
fn a_page_under_another_spelling_is_no_page(#[case] place: &str) {
    let named = page(&encode(7, place), 7);
    assert!(
        named.unwrap_err().to_string().contains("names no page"),
        "{place}"
    );
    let named = session(&encode(7, &format!("0{place}.c1")), 7);
    assert_eq!(named.is_ok(), place.is_empty(), "{place}");
}

#[test]
fn orders_are_the_vendors_or_refused() {
    assert_eq!(order("").unwrap(), "");
    assert_eq!(order("id desc").unwrap(), "id:desc");
    assert_eq!(time_order("").unwrap(), "createdAt:desc");
    for wrong in ["id down", "id asc asc", "id:asc", "a;b", "text asc x"] {
        assert!(order(wrong).is_err(), "{wrong}");
    }
    assert!(time_order("text").is_err());
}

#[test]
fn sizes_are_bounded() {
    assert_eq!(size(0).unwrap(), 20);
    assert_eq!(size(100).unwrap(), 100);
    assert!(size(-1).is_err() && size(101).is_err());
}

proptest! {
    #[test]
    fn session_marks_survive(active_ms: u64, conversation in "\\PC{1,40}", scope: u32) {
        let mark = SessionMark { active_ms, conversation };
        let token = next_session(scope, Some(&mark));
        prop_assert_eq!(session(&token, scope).unwrap(), Some(mark));
    }

    #[test]
    fn hostile_tokens_never_panic(token in ".*", scope: u32) {
        let _ = session(&token, scope);
        let _ = page(&token, scope);
    }
}

#[rstest]
#[case::counted(0, 20, Some(2), false)]
#[case::counted_and_last(1, 20, Some(2), true)]
#[case::counted_as_none(0, 0, Some(0), true)]
#[case::uncounted_and_full(0, 20, None, false)]
#[case::uncounted_and_full_again(6, 20, None, false)]
#[case::uncounted_and_not_full(6, 19, None, true)]
#[case::uncounted_and_empty(7, 0, None, true)]
fn the_last_page_is_known_with_counts_and_without(
    #[case] page: u32,
    #[case] here: usize,
    #[case] total_pages: Option<u32>,
    #[case] is_last: bool,
) {
    let query = PageQuery {
        size: 20,
        page,
        ..PageQuery::default()
    };
    let listed = Listed {
        items: vec![(); here],
        total: 0,
        total_pages,
    };
    let next = Page { query, scope: 7 }.next(&listed);
    assert_eq!(next.is_empty(), is_last);
}
