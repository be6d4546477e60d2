//! How the contact centre is set up: queues, agents, and what agents have at hand. One document, which the control API, the
//! command line and scenarios read alike.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::roster::Behaviour;
use super::user::User;

/// How many of each kind there may be.
const MOST: usize = 1_000;
const SECONDS_MAX: u32 = 86_400;

/// The whole of it. What is left out is as in every sandbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Setup {
    pub(crate) queues: Vec<Queue>,
    pub(crate) agents: Vec<AgentSetup>,
    /// What an agent can say a conversation was about, when it is written up.
    pub(crate) transaction_codes: Vec<TransactionCode>,
    pub(crate) prepared_responses: Vec<PreparedResponse>,
    /// The customers who are known: what an agent is shown of whoever writes.
    pub(crate) customers: Vec<Customer>,
    /// How long a person has to accept, seconds from 1 to 86400.
    pub(crate) offer_seconds: u32,
    /// How long a person has to write a conversation up, seconds from 1 to 86400; then it is done without a code.
    pub(crate) wrap_up_seconds: u32,
}

/// Where conversations wait for an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Queue {
    pub(crate) id: String,
    pub(crate) name: String,
    /// What an agent must have to serve it.
    pub(crate) skill: String,
    /// What agents who follow the script pass on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) passes_on: Option<PassOn>,
}

/// A topic that belongs to another queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PassOn {
    /// Beginnings of words that give the topic away, in lower case.
    pub(crate) stems: Vec<String>,
    /// The queue to which it belongs.
    pub(crate) queue_id: String,
}

/// Somebody who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AgentSetup {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) skills: Vec<String>,
    /// Language tags, as the customer's `language` has them.
    #[serde(default)]
    pub(crate) languages: Vec<String>,
    /// How many conversations at once, those that are offered and written up included. Left out: any number.
    #[serde(default)]
    pub(crate) capacity: Option<u32>,
    #[serde(default)]
    pub(crate) behaviour: Behaviour,
}

/// What a conversation was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransactionCode {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// Something that agents say often. `{customer}`, `{agent}` and `{queue}` in its text stand for names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreparedResponse {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) text: String,
}

/// A customer who is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Customer {
    /// What the caller gives as the user's `userId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) company: Option<String>,
    /// Whatever else is on the card, in this order.
    #[serde(default)]
    pub(crate) fields: Vec<Field>,
}

/// A line of a customer's card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Why a contact centre cannot be set up that way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SetupError(pub(crate) String);

impl Default for Setup {
    fn default() -> Self {
        let agent = |id: &str, name: &str, skill: &str| AgentSetup {
            id: id.to_owned(),
            name: name.to_owned(),
            skills: vec![skill.to_owned()],
            languages: vec!["en".to_owned()],
            capacity: None,
            behaviour: Behaviour::Script,
        };
        let queue = |id: &str, name: &str, skill: &str, passes_on| Queue {
            id: id.to_owned(),
            name: name.to_owned(),
            skill: skill.to_owned(),
            passes_on,
        };
        let returns = PassOn {
            stems: vec!["return".to_owned(), "refund".to_owned()],
            queue_id: "200".to_owned(),
        };
        Self {
            queues: vec![
                queue("100", "Orders", "orders", Some(returns)),
                queue("200", "Returns", "returns", None),
            ],
            agents: vec![
                agent("maria", "Maria", "orders"),
                agent("ivan", "Ivan", "returns"),
            ],
            transaction_codes: transaction_codes(),
            prepared_responses: prepared_responses(),
            customers: customers(),
            offer_seconds: 30,
            wrap_up_seconds: 300,
        }
    }
}

fn transaction_codes() -> Vec<TransactionCode> {
    let codes = [
        ("resolved", "Resolved"),
        ("follow-up", "Needs a follow-up"),
        ("complaint", "Complaint"),
        ("no-answer", "Customer did not answer"),
    ];
    let code = |(id, name): (&str, &str)| TransactionCode {
        id: id.to_owned(),
        name: name.to_owned(),
    };
    codes.map(code).to_vec()
}

fn prepared_responses() -> Vec<PreparedResponse> {
    let all = [
        (
            "greeting",
            "Greeting",
            "Hello {customer}, this is {agent} from {queue}. How can I help you?",
        ),
        (
            "moment",
            "One moment",
            "One moment, please. I am looking into it.",
        ),
        (
            "anything-else",
            "Anything else?",
            "Is there anything else that I can do for you, {customer}?",
        ),
        (
            "goodbye",
            "Goodbye",
            "Thank you for writing to us, {customer}. Goodbye!",
        ),
    ];
    let response = |(id, title, text): (&str, &str, &str)| PreparedResponse {
        id: id.to_owned(),
        title: title.to_owned(),
        text: text.to_owned(),
    };
    all.map(response).to_vec()
}

fn customers() -> Vec<Customer> {
    let customer = |user_id: &str, email: &str, name: &str, since: &str, tier: &str| Customer {
        user_id: Some(user_id.to_owned()),
        email: Some(email.to_owned()),
        name: name.to_owned(),
        phone: None,
        company: None,
        fields: [("Customer since", since), ("Tier", tier)]
            .map(|(name, value)| Field {
                name: name.to_owned(),
                value: value.to_owned(),
            })
            .to_vec(),
    };
    vec![
        customer("anna-1", "anna@example.com", "Anna Berg", "2019", "Gold"),
        customer("ben-2", "ben@example.com", "Ben Okoro", "2024", "Standard"),
    ]
}

impl Setup {
    /// Reads a file's text, YAML or JSON. Errors say where in it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        // JSON may be indented with tabs, which YAML does not allow.
        if text.trim_start().starts_with('{') {
            return serde_json::from_str(text).map_err(|error| error.to_string());
        }
        serde_saphyr::from_str(text).map_err(|error| error.to_string())
    }

    /// Checks that everything is named once and refers to what is there.
    pub(crate) fn check(&self) -> Result<(), SetupError> {
        unique("queue", self.queues.iter().map(|it| it.id.as_str()))?;
        unique("agent", self.agents.iter().map(|it| it.id.as_str()))?;
        unique(
            "transaction code",
            self.transaction_codes.iter().map(|it| it.id.as_str()),
        )?;
        unique(
            "prepared response",
            self.prepared_responses.iter().map(|it| it.id.as_str()),
        )?;
        if self.customers.len() > MOST {
            return Err(SetupError(format!("There are more than {MOST} customers.")));
        }
        if self.queues.is_empty() {
            return Err(SetupError("There must be a queue.".to_owned()));
        }
        for queue in &self.queues {
            let other = queue.passes_on.as_ref().map(|it| it.queue_id.as_str());
            if let Some(other) = other.filter(|id| !self.queues.iter().any(|it| it.id == *id)) {
                let why = format!(
                    "Queue {} passes on to queue {other}, which there is not.",
                    queue.id
                );
                return Err(SetupError(why));
            }
        }
        if let Some(agent) = self.agents.iter().find(|it| it.capacity == Some(0)) {
            let why = format!(
                "The capacity of agent {} must be at least 1, or left out.",
                agent.id
            );
            return Err(SetupError(why));
        }
        let limits = [
            ("offerSeconds", self.offer_seconds),
            ("wrapUpSeconds", self.wrap_up_seconds),
        ];
        match limits.iter().find(|(_, it)| !(1..=SECONDS_MAX).contains(it)) {
            Some((name, it)) => Err(SetupError(format!(
                "{name} must be from 1 to {SECONDS_MAX}, not {it}."
            ))),
            None => Ok(()),
        }
    }

    /// The known customer whom `user` says to be: by user id, else by e-mail, in any case of its letters.
    pub(crate) fn customer(&self, user: &User) -> Option<&Customer> {
        let by_id = |id: &String| self.customers.iter().find(|it| it.user_id.as_ref() == Some(id));
        let same = |mine: &Option<String>, email: &str| {
            mine.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(email))
        };
        let by_email = |email: &String| self.customers.iter().find(|it| same(&it.email, email));
        let found = user.user_id.as_ref().and_then(by_id);
        found.or_else(|| user.email.as_ref().and_then(by_email))
    }
}

fn unique<'a>(what: &str, ids: impl Iterator<Item = &'a str>) -> Result<(), SetupError> {
    let mut seen = BTreeSet::new();
    for id in ids {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if id.is_empty() || id.len() > 64 || !id.chars().all(plain) {
            let why = "1 to 64 letters, digits, dots, dashes and underscores";
            return Err(SetupError(format!(
                "The id of a {what} has {why}; “{id}” has not."
            )));
        }
        if !seen.insert(id) {
            return Err(SetupError(format!("There are two of the {what} {id}.")));
        }
    }
    match seen.len() > MOST {
        true => Err(SetupError(format!(
            "There are more than {MOST} of the kind {what}."
        ))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, from_value, json};

    use super::*;

    #[rstest]
    #[case(json!({"queues": []}), "There must be a queue.")]
    #[case(json!({"agents": [{"id": "a", "name": "A"}, {"id": "a", "name": "B"}]}), "There are two of the agent a.")]
    #[case(json!({"agents": [{"id": "a b", "name": "A"}]}), "“a b” has not")]
    #[case(json!({"agents": [{"id": "a", "name": "A", "capacity": 0}]}), "capacity of agent a must be at least 1")]
    #[case(json!({"offerSeconds": 0}), "offerSeconds must be from 1 to 86400, not 0.")]
    #[case(json!({"queues": [{"id": "1", "name": "One", "skill": "s", "passesOn": {"stems": ["x"], "queueId": "2"}}]}),
        "Queue 1 passes on to queue 2, which there is not.")]
    fn what_does_not_fit_is_named(#[case] setup: Value, #[case] why: &str) {
        let setup: Setup = from_value(setup).unwrap();
        let refused = setup.check().unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }

    #[test]
    fn what_is_left_out_is_as_in_every_sandbox() {
        let setup: Setup = from_value(json!({"offerSeconds": 5})).unwrap();
        assert_eq!(setup.offer_seconds, 5);
        assert_eq!(setup.queues, Setup::default().queues);
        assert_eq!(Setup::default().check(), Ok(()));
        assert!(from_value::<Setup>(json!({"agent": []})).is_err());
    }

    #[rstest]
    #[case("offerSeconds: 5\nqueues:\n  - {id: '1', name: One, skill: s}\n")]
    #[case(
        "{\n\t\"offerSeconds\": 5,\n\t\"queues\": [{\"id\": \"1\", \"name\": \"One\", \"skill\": \"s\"}]\n}"
    )]
    fn a_file_is_yaml_or_json(#[case] text: &str) {
        let setup = Setup::read(text).unwrap();
        assert_eq!((setup.offer_seconds, setup.queues[0].id.as_str()), (5, "1"));
    }

    #[test]
    fn a_slip_in_a_file_is_named_with_its_place() {
        for text in ["offerSeconds: 5\nagent: []\n", "{\n\"agent\": []}"] {
            let why = Setup::read(text).unwrap_err();
            assert!(why.contains("agent") && why.contains("line 2"), "{why}");
        }
    }

    #[test]
    fn a_customer_is_known_by_user_id_or_else_by_email() {
        let setup = Setup::default();
        let found = |user: Value| {
            let user: User = from_value(user).unwrap();
            setup.customer(&user).map(|it| it.name.clone())
        };
        assert_eq!(found(json!({"userId": "anna-1"})).as_deref(), Some("Anna Berg"));
        assert_eq!(
            found(json!({"email": "BEN@example.com"})).as_deref(),
            Some("Ben Okoro")
        );
        let both = json!({"userId": "anna-1", "email": "ben@example.com"});
        assert_eq!(found(both).as_deref(), Some("Anna Berg"));
        assert_eq!(found(json!({"userId": "x", "name": "Anna Berg"})), None);
    }
}
