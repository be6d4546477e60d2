//! Pages of lists: all readers alike.

use rstest::rstest;
use serde_json::json;

use super::{super::*, bytes};

/// All that read a list, by its name in `_embedded`. They answer how many there are here, in all, and how many pages.
pub(super) const LISTS: [(&str, ListReader); 8] = [
    ("conversations", |body| conversations(body).map(counts)),
    ("interactions", |body| interactions(body).map(counts)),
    ("participants", |body| participants(body).map(counts)),
    ("messages", |body| messages(body).map(counts)),
    ("cards", |body| cards(body).map(counts)),
    ("attachments", |body| attachments(body).map(counts)),
    ("webhooks", |body| webhooks(body).map(counts)),
    ("channels", |body| channels(body).map(counts)),
];

pub(super) type ListReader = fn(&[u8]) -> Result<(usize, u32, Option<u32>), String>;

#[allow(clippy::needless_pass_by_value, reason = "what a result is mapped with")]
fn counts<T>(list: gateway::Listed<T>) -> (usize, u32, Option<u32>) {
    (list.items.len(), list.total, list.total_pages)
}

#[test]
fn an_empty_page_is_read() {
    for (name, read) in LISTS {
        for body in [
            json!({}),
            json!({"_embedded": null, "page": null}),
            json!({"_embedded": {}}),
            json!({"_embedded": {"elsewhere": [{"id": "a"}], "data": 1}}),
            json!({"_embedded": {name: null}}),
            json!({"_embedded": {name: []}, "page": {"totalElements": "0"}, "_links": {"self": {"href": "/"}}}),
        ] {
            assert_eq!(read(&bytes(&body)), Ok((0, 0, None)), "{name}: {body}");
        }
    }
}

#[test]
fn a_page_is_counted() {
    for (name, read) in LISTS {
        let embedded = json!({name: [{"id": "a"}, {"id": 2, "new": {"field": []}}]});
        let alone = json!({"_embedded": embedded});
        assert_eq!(read(&bytes(&alone)), Ok((2, 2, None)), "{name}: without counts");
        let page = json!({"size": 2, "number": 0, "totalElements": 41.0, "totalPages": "21"});
        let one_of_many = json!({"_embedded": embedded, "page": page});
        assert_eq!(read(&bytes(&one_of_many)), Ok((2, 41, Some(21))), "{name}");
        for (page, expected) in [
            (json!({"size": 2, "totalElements": 41}), (2, 41, Some(21))),
            (json!({"size": 0, "totalElements": 41}), (2, 41, None)),
            (json!({"totalPages": 21}), (2, 2, Some(21))),
        ] {
            let body = json!({"_embedded": embedded, "page": page});
            assert_eq!(read(&bytes(&body)), Ok(expected), "{name}: {page}");
        }
    }
}

#[test]
fn a_list_is_found_where_it_is() {
    for (name, read) in LISTS {
        let items = json!([{"id": "a"}, {"id": "b"}]);
        let shouted = name.to_uppercase();
        for body in [
            json!({name: items}),
            json!({"data": items}),
            json!({"_embedded": {"data": items}}),
            json!({"_embedded": {shouted: items}}),
            json!({"_embedded": {}, "data": items}),
            json!({"_embedded": null, name: items, "data": "none"}),
            json!({"_embedded": {name: items}, "data": [{"id": "c"}]}),
        ] {
            assert_eq!(read(&bytes(&body)), Ok((2, 2, None)), "{name}: {body}");
        }
    }
}

#[test]
fn a_list_of_something_else_is_refused() {
    for (name, read) in LISTS {
        for body in [
            json!({"_embedded": "secret"}),
            json!({"_embedded": ["secret"]}),
            json!({"_embedded": {name: "secret"}}),
            json!({"_embedded": {name: {"id": "secret"}}}),
            json!({"_embedded": {name: ["secret"]}}),
            json!({"_embedded": {name: [null]}}),
            json!({"_embedded": {name: [{"id": "secret"}]}, "page": "secret"}),
        ] {
            let problem = read(&bytes(&body)).unwrap_err();
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}

#[rstest]
#[case("conversations", true)]
#[case("interactions", true)]
#[case("attachments", true)]
#[case("webhooks", true)]
#[case("channels", true)]
#[case("participants", false)]
#[case("messages", false)]
#[case("cards", false)]
fn an_item_needs_an_identifier_where_it_is_asked_for_by_it(#[case] name: &str, #[case] needed: bool) {
    let (_, read) = LISTS.into_iter().find(|(list, _)| *list == name).unwrap();
    for item in [
        json!({"name": "secret"}),
        json!({"id": null}),
        json!({"id": ""}),
        json!({"id": {"a": 1}}),
    ] {
        let body = json!({"_embedded": {name: [{"id": "a"}, item]}});
        match read(&bytes(&body)) {
            Ok(counts) => assert_eq!((needed, counts), (false, (2, 2, None))),
            Err(problem) => {
                assert!(needed && problem.contains("without an identifier"), "{problem}");
                assert!(!problem.contains("secret"));
            }
        }
    }
}
