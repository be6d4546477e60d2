//! What scripted agents say. Pure.

use rand::{RngExt as _, rngs::StdRng};
use serde::{Deserialize, Serialize};

use super::{setup::Queue, user::User};

/// What a customer wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unanswered {
    pub(crate) text: String,
    /// Names of the files that came with it.
    pub(crate) files: Vec<String>,
}

/// An answer and what comes after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) text: String,
    pub(crate) then: Then,
}

/// What an agent does after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Then {
    Stay,
    Leave,
    PassOn { queue_id: String },
}

const GOODBYES: [&str; 4] = ["bye", "goodbye", "thanks", "thank"];
const EXCERPT_CHARACTERS: usize = 80;

/// What the agent of this name says on joining from `queue`.
pub(crate) fn greeting(agent: &str, queue: &Queue, user: &User) -> String {
    let name = user.name.as_deref().unwrap_or("there");
    let order = user
        .property("orderId")
        .map(|order| format!(" I can see your order {order}."))
        .unwrap_or_default();
    format!(
        "Hello {name}, this is {agent} from {}.{order} How can I help you?",
        queue.name
    )
}

/// What the agent of `queue` answers.
pub(crate) fn reply(queue: &Queue, said: &Unanswered, random: &mut StdRng) -> Reply {
    let text = said.text.as_str();
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
    let begins = |stem: &String| words.iter().any(|word| word.starts_with(stem.as_str()));
    if let Some(other) = queue.passes_on.as_ref().filter(|p| p.stems.iter().any(begins)) {
        return Reply {
            text: "A colleague knows more about that than I do. I am passing you on.".to_owned(),
            then: Then::PassOn {
                queue_id: other.queue_id.clone(),
            },
        };
    }
    if words.iter().any(|word| GOODBYES.contains(word)) {
        return Reply {
            text: "You are welcome. Goodbye!".to_owned(),
            then: Then::Leave,
        };
    }
    if let [first, rest @ ..] = said.files.as_slice() {
        let more = match rest.len() {
            0 => String::new(),
            1 => " and another file".to_owned(),
            n => format!(" and {n} other files"),
        };
        return Reply {
            text: format!("I have received “{}”{more} and am having a look.", excerpt(first)),
            then: Then::Stay,
        };
    }
    let excerpt = excerpt(text);
    let text = match random.random_range(0..4) {
        0 => format!("I have read “{excerpt}” and am looking into it."),
        1 => format!("Let me check “{excerpt}” for you."),
        2 => format!("You wrote “{excerpt}”: I will see what I can do."),
        _ => format!("“{excerpt}”: I understand. One moment, please."),
    };
    Reply {
        text,
        then: Then::Stay,
    }
}

fn excerpt(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(EXCERPT_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rstest::rstest;

    use super::*;
    use crate::sandbox::floor::{house::House, user::Property};

    fn answer(queue: &str, text: &str) -> Reply {
        reply(
            House::new().queue(queue).unwrap(),
            &Unanswered {
                text: text.to_owned(),
                files: Vec::new(),
            },
            &mut StdRng::seed_from_u64(7),
        )
    }

    #[rstest]
    #[case("100", "I want to RETURN it", Then::PassOn { queue_id: "200".to_owned() })]
    #[case("100", "thanks, but I need a refund.", Then::PassOn { queue_id: "200".to_owned() })]
    #[case("200", "I want to return it", Then::Stay)]
    #[case("100", "OK, bye!", Then::Leave)]
    #[case("200", "Thank you", Then::Leave)]
    #[case("100", "I live at the bayou, thankfully", Then::Stay)]
    #[case("100", "", Then::Stay)]
    fn what_follows_an_answer(#[case] queue: &str, #[case] text: &str, #[case] then: Then) {
        assert_eq!(answer(queue, text).then, then);
    }

    #[test]
    fn a_canned_answer_shows_what_was_read_and_not_all_of_a_long_one() {
        assert!(answer("100", " where is it? ").text.contains("“where is it?”"));
        let long = "ä".repeat(500);
        assert!(
            answer("100", &long)
                .text
                .contains(&format!("{}…", "ä".repeat(80)))
        );
    }

    #[rstest]
    #[case("", &["a.png"], "I have received “a.png” and am having a look.", Then::Stay)]
    #[case("look", &["a.png", "b.png"], "I have received “a.png” and another file and am having a look.", Then::Stay)]
    #[case("", &["a", "b", "c"], "I have received “a” and 2 other files and am having a look.", Then::Stay)]
    #[case("thanks", &["a"], "You are welcome. Goodbye!", Then::Leave)]
    fn files_are_acknowledged(
        #[case] text: &str,
        #[case] files: &[&str],
        #[case] answer: &str,
        #[case] then: Then,
    ) {
        let said = Unanswered {
            text: text.to_owned(),
            files: files.iter().map(|name| (*name).to_owned()).collect(),
        };
        let house = House::new();
        let reply = reply(house.queue("200").unwrap(), &said, &mut StdRng::seed_from_u64(7));
        assert_eq!((reply.text.as_str(), reply.then), (answer, then));
    }

    #[test]
    fn the_greeting_names_customer_and_order_where_known() {
        let house = House::new();
        let queue = house.queue("100").unwrap();
        let mut user = User::default();
        assert_eq!(
            greeting("Maria", queue, &user),
            "Hello there, this is Maria from Orders. How can I help you?"
        );
        user.name = Some("Anna".to_owned());
        user.additional_properties = Some(vec![Property {
            key: "orderId".to_owned(),
            value: "4711".to_owned(),
        }]);
        assert_eq!(
            greeting("Maria", queue, &user),
            "Hello Anna, this is Maria from Orders. I can see your order 4711. How can I help you?"
        );
    }
}
