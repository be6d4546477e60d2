use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn problems(of: impl FnOnce(&mut Check)) -> Vec<String> {
    let mut check = Check::default();
    of(&mut check);
    check.0.into_iter().map(|v| v.problem).collect()
}

#[rstest]
#[case("c", true)]
#[case("...", true)]
#[case("ü✓ x", true)]
#[case(&"a".repeat(256), true)]
#[case(&"a".repeat(257), false)]
#[case("", false)]
#[case(".", false)]
#[case("..", false)]
#[case("a\nb", false)]
#[case("a\u{85}b", false)]
fn identifiers(#[case] id: &str, #[case] passes: bool) {
    assert_eq!(problems(|check| check.identifier("id", id)).is_empty(), passes);
}

#[test]
fn a_files_identifier_may_be_longer() {
    assert!(problems(|check| check.attachment_identifier("id", &"a".repeat(1024))).is_empty());
    assert_eq!(
        problems(|check| check.attachment_identifier("id", &"a".repeat(1025))).len(),
        1
    );
}

#[rstest]
#[case(0, true, None)]
#[case(20, true, Some(20))]
#[case(600, true, Some(600))]
#[case(19, false, None)]
#[case(601, false, None)]
#[case(-1, false, None)]
#[case(i32::MIN, false, None)]
fn ranges(#[case] number: i32, #[case] passes: bool, #[case] read: Option<u32>) {
    let mut check = Check::default();
    assert_eq!(check.range("minutes", number, &(20..=600)), read);
    assert_eq!(check.0.is_empty(), passes);
}

#[rstest]
#[case("https://example.com/hook?x=1#y", true)]
#[case("HTTP://[::1]:8080", true)]
#[case("https://user:secret@example.com/", true)]
#[case("https://bücher.example/", true)]
#[case(&format!("https://h/{}", "a".repeat(2038)), true)]
#[case(&format!("https://h/{}", "a".repeat(2039)), false)]
#[case("", false)]
#[case("https://", false)]
#[case("https:///hook", false)]
#[case("https:/example.com", false)]
#[case("http:example.com", false)]
#[case("//example.com", false)]
#[case("/hook", false)]
#[case("ftp://example.com", false)]
#[case("javascript:alert(1)", false)]
#[case("https://exa mple.com", false)]
#[case("https://example.com/\n", false)]
#[case("https://exa\tmple.com", false)]
#[case("https://example.com:99999", false)]
#[case("https://\u{20ac}\u{0}", false)]
fn uris(#[case] uri: &str, #[case] passes: bool) {
    let said = problems(|check| check.uri("uri", uri));
    assert_eq!(said.is_empty(), passes, "{said:?}");
    assert!(!said.iter().any(|problem| problem.contains("secret")));
}

#[rstest]
#[case("photo.png", true)]
#[case("..png", true)]
#[case("Rechnung – März.pdf", true)]
#[case("", false)]
#[case(".", false)]
#[case("..", false)]
#[case("../etc/passwd", false)]
#[case("C:\\x", false)]
#[case("a\0b", false)]
#[case("a\r\nb", false)]
#[case(&"a".repeat(256), false)]
fn file_names(#[case] name: &str, #[case] passes: bool) {
    assert_eq!(
        problems(|check| check.file_name("file_name", name)).is_empty(),
        passes
    );
}

#[rstest]
#[case("", true)]
#[case("image/png", true)]
#[case("image/svg+xml", true)]
#[case("application/vnd.ms-excel", true)]
#[case("audio/webm;codecs=opus", true)]
#[case("text/plain; charset=\"utf-8\"", true)]
#[case("image", false)]
#[case("image/", false)]
#[case("/png", false)]
#[case("image/png/x", false)]
#[case("image/p ng", false)]
#[case("image/png;", false)]
#[case("image/png;charset", false)]
#[case("image/png\r\nx: y", false)]
#[case("text/plain; a=\"\n\"", false)]
#[case("imäge/png", false)]
#[case(&format!("image/{}", "a".repeat(251)), false)]
fn media_types(#[case] media_type: &str, #[case] passes: bool) {
    assert_eq!(
        problems(|check| drop(check.media_type("media_type", media_type))).is_empty(),
        passes
    );
}

#[rstest]
#[case(1, true)]
#[case(10, true)]
#[case(11, false)]
#[case(0, false)]
#[case(-1, false)]
#[case(i64::MIN, false)]
#[case(i64::MAX, false)]
fn sizes(#[case] bytes: i64, #[case] passes: bool) {
    let said = problems(|check| {
        check.size("size_bytes", bytes, 10);
    });
    assert_eq!(said.is_empty(), passes);
}

#[rstest]
#[case(0, 0, Some(0))]
#[case(1, 999_999_999, Some(1999))]
#[case(SECONDS_MAX, 0, Some(253_402_300_799_000))]
#[case(-1, 999_999_999, None)]
#[case(SECONDS_MAX + 1, 0, None)]
#[case(i64::MAX, i32::MAX, None)]
#[case(1, -1, None)]
#[case(1, 1_000_000_000, None)]
fn times(#[case] seconds: i64, #[case] nanos: i32, #[case] ms: Option<i64>) {
    let mut check = Check::default();
    let read = check.time("read_time", &Timestamp { seconds, nanos });
    assert_eq!(check.done(read).ok(), ms);
}

#[rstest]
#[case(1, true)]
#[case(2, true)]
#[case(0, false)]
#[case(3, false)]
#[case(4, false)]
#[case(99, false)]
#[case(-1, false)]
fn authors(#[case] number: i32, #[case] passes: bool) {
    let said = problems(|check| {
        check.author("author_type", number);
    });
    assert_eq!(said.is_empty(), passes);
}

#[test]
fn a_request_without_its_tenant_is_told_of_its_other_mistakes_too() {
    let mut check = Check::default();
    check.identifier("conversation_id", "");
    let Err(Error::Invalid(named)) = check.of_tenant(Err(Error::invalid("tenant", "is required"))) else {
        panic!("it passes");
    };
    let fields: Vec<&str> = named.iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["tenant", "conversation_id"]);
}

proptest! {
    #[test]
    fn no_text_makes_a_check_panic(text in any::<String>()) {
        problems(|check| {
            check.uri("a", &text);
            check.file_name("b", &text);
            check.media_type("c", &text);
            check.request_id("d", &text);
            check.identifier("e", &text);
        });
    }
}
