use proptest::prelude::*;
use rstest::rstest;
use serde_json::Value;

use super::*;
use crate::event::{Attachment, Card};

fn message(author: AuthorType, text: &str) -> Message {
    Message {
        author: Participant::new("", Some(author)),
        ..by_bot(text.to_owned())
    }
}

fn history(count: usize) -> Vec<Message> {
    let author = |i| {
        if i % 2 == 0 {
            AuthorType::User
        } else {
            AuthorType::Bot
        }
    };
    (0..count)
        .map(|i| message(author(i), &format!("message {i}")))
        .collect()
}

#[rstest]
fn a_transcript_that_fits_stays_as_it_is(
    #[values(
        TranscriptPolicy::KeepLatest,
        TranscriptPolicy::Summarise,
        TranscriptPolicy::Fail
    )]
    policy: TranscriptPolicy,
    #[values(0, 1, 200)] count: usize,
) {
    let fitted = fit(history(count), policy, "note").unwrap();
    assert_eq!(fitted.messages, history(count));
    assert_eq!((fitted.omitted, fitted.summarised), (0, 0));
}

#[test]
fn the_oldest_are_left_out_and_a_note_of_the_bot_says_how_many() {
    let fitted = fit(history(201), TranscriptPolicy::KeepLatest, "").unwrap();
    assert_eq!((fitted.omitted, fitted.summarised), (2, 0));
    assert_eq!(fitted.messages.len(), 200);
    assert_eq!(
        fitted.messages[0],
        by_bot("2 earlier messages were left out.".into())
    );
    assert_eq!(fitted.messages[1..], history(201)[2..]);
    let theirs = fit(
        history(300),
        TranscriptPolicy::KeepLatest,
        "{count} Nachrichten fehlen ({count})",
    )
    .unwrap();
    assert_eq!(theirs.messages[0].text, "101 Nachrichten fehlen (101)");
}

#[test]
fn the_oldest_are_condensed_line_by_line() {
    let mut all = history(202);
    all[0].text = " two\nlines,\u{7} a bell ".into();
    all[1].text = String::new();
    all[1].cards = vec![Card {
        id: String::new(),
        content_type: String::new(),
        content: Value::Null,
        action_submitted: false,
        action_executed: false,
    }];
    all[1].attachments = vec![Attachment::default()];
    all[2].text = "x".repeat(201);
    let fitted = fit(all.clone(), TranscriptPolicy::Summarise, "").unwrap();
    assert_eq!((fitted.omitted, fitted.summarised), (0, 3));
    let expected = format!(
        "3 earlier messages, condensed:\ncustomer: two lines, a bell\nbot: [card] [file]\ncustomer: {}…",
        "x".repeat(200)
    );
    assert_eq!(fitted.messages[0], by_bot(expected));
    assert_eq!(fitted.messages[1..], all[3..]);
}

#[rstest]
#[case("{count} davor:", "1000 davor:", "[… {k}]")]
#[case(
    "",
    "1000 earlier messages, condensed:",
    "[the oldest {k} of them are left out]"
)]
fn what_has_no_room_in_the_condensed_message_is_left_out_and_counted(
    #[case] note: &str,
    #[case] heading: &str,
    #[case] left_out: &str,
) {
    let all: Vec<_> = (0..1199)
        .map(|i| message(AuthorType::User, &format!("{i} {}", "ü".repeat(300))))
        .collect();
    let fitted = fit(all, TranscriptPolicy::Summarise, note).unwrap();
    let text = &fitted.messages[0].text;
    assert_eq!(fitted.omitted + fitted.summarised, 1000);
    assert!(fitted.omitted > 0 && fitted.summarised > 100, "{fitted:?}");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(heading));
    let left_out = left_out.replace("{k}", &fitted.omitted.to_string());
    assert_eq!(lines.next(), Some(left_out.as_str()));
    let oldest = lines.next().unwrap();
    assert!(
        oldest.starts_with(&format!("customer: {} ü", fitted.omitted)),
        "{oldest}"
    );
    assert!(
        text.len() <= TEXT_MAX && text.len() > TEXT_MAX - 1000,
        "{}",
        text.len()
    );
}

#[test]
fn a_transcript_that_must_fit_and_does_not_is_refused() {
    let refused = fit(history(201), TranscriptPolicy::Fail, "").unwrap_err();
    let Error::Invalid(violations) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(violations[0].field, "start.history");
    assert!(violations[0].problem.contains("201"), "{violations:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_comes_fits_in_order_with_the_newest_kept(
        texts in proptest::collection::vec(".{0,40}", 1..20),
        count in 0_usize..700,
        times in 1_usize..2000,
        summarise: bool,
        note in ".{0,300}",
        repeat in 1_usize..100,
    ) {
        let policy = if summarise { TranscriptPolicy::Summarise } else { TranscriptPolicy::KeepLatest };
        let texts: Vec<String> = texts.iter().map(|t| t.repeat(times).chars().take(2000).collect()).collect();
        let all: Vec<_> = (0..count).map(|i| message(AuthorType::User, &texts[i % texts.len()])).collect();
        let fitted = fit(all.clone(), policy, &note.repeat(repeat)).unwrap();
        prop_assert!(fitted.messages.len() <= MESSAGES_MAX);
        let kept = fitted.messages.len() - usize::from(count > MESSAGES_MAX);
        prop_assert_eq!(&fitted.messages[fitted.messages.len() - kept..], &all[count - kept..]);
        prop_assert_eq!(kept + fitted.omitted as usize + fitted.summarised as usize, count);
        let note = &fitted.messages.first();
        prop_assert!(note.is_none_or(|note| note.text.len() <= TEXT_MAX));
        if !summarise {
            prop_assert_eq!(fitted.summarised, 0);
        }
    }
}
