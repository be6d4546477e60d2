//! What a caller gave of a customer, so that the customer can be known again and nothing of it is kept.

use serde::{Deserialize, Serialize};

use crate::{conversation::echo::Fingerprint, event::User};

const PROPERTY: &str = "property:";
/// Stands for all pairs together.
const PROPERTIES: &str = "properties";
const FIELDS: [&str; 7] = [
    "name", "user_id", "email", "phone", "company", "case_id", "language",
];

/// Names of the fields that were given, and a hash of their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Given {
    fields: Vec<String>,
    hash: String,
}

impl Given {
    /// What is given of a customer with an identifier. One without is nobody in particular: that nothing else was given is then
    /// part of what tells one from another.
    pub(super) fn of(user: &User) -> Self {
        let fields: Vec<String> = if user.user_id.is_empty() {
            FIELDS
                .iter()
                .chain(&[PROPERTIES])
                .map(|f| (*f).to_owned())
                .collect()
        } else {
            let named = FIELDS.iter().filter(|f| !value(user, f).is_empty());
            let mut keys: Vec<&str> = user
                .additional_properties
                .iter()
                .map(|(k, _)| k.as_str())
                .collect();
            keys.sort_unstable();
            keys.dedup();
            let pairs = keys.into_iter().map(|key| format!("{PROPERTY}{key}"));
            named.map(|f| (*f).to_owned()).chain(pairs).collect()
        };
        Self {
            hash: hash(user, &fields),
            fields,
        }
    }

    /// Whether a customer has all that was given.
    pub(super) fn is_of(&self, user: &User) -> bool {
        hash(user, &self.fields) == self.hash
    }
}

fn hash(user: &User, fields: &[String]) -> String {
    let mut print = Fingerprint::default();
    for field in fields {
        print.text(field);
        if field == PROPERTIES || field.starts_with(PROPERTY) {
            let key = field.strip_prefix(PROPERTY);
            let pairs = user.additional_properties.iter();
            let mut pairs: Vec<_> = pairs.filter(|(k, _)| key.is_none_or(|key| key == k)).collect();
            // The vendor may give them in another order.
            pairs.sort();
            for (key, value) in pairs {
                print.text(key);
                print.text(value);
            }
        } else {
            print.text(value(user, field));
        }
    }
    print.finish()
}

fn value<'a>(user: &'a User, field: &str) -> &'a str {
    match field {
        "name" => &user.name,
        "user_id" => &user.user_id,
        "email" => &user.email,
        "phone" => &user.phone,
        "company" => &user.company,
        "case_id" => &user.case_id,
        "language" => &user.language,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &str, name: &str, pairs: &[(&str, &str)]) -> User {
        User {
            user_id: id.into(),
            name: name.into(),
            additional_properties: pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            ..User::default()
        }
    }

    #[test]
    fn what_the_vendor_adds_to_a_named_customer_does_not_matter() {
        let given = Given::of(&user("u", "", &[("b", "2"), ("a", "1")]));
        let shown = user("u", "Ada", &[("a", "1"), ("b", "2"), ("c", "3")]);
        assert!(given.is_of(&shown));
        assert!(!given.is_of(&user("u", "Ada", &[("a", "1"), ("b", "x")])));
        assert!(!given.is_of(&user("v", "Ada", &[("a", "1"), ("b", "2")])));
        assert!(!given.is_of(&user("u", "Ada", &[("a", "1")])));
    }

    #[test]
    fn a_customer_without_identifier_is_known_only_by_all_of_it() {
        let given = Given::of(&user("", "Ada", &[("a", "1")]));
        assert!(given.is_of(&user("", "Ada", &[("a", "1")])));
        assert!(!given.is_of(&user("u", "Ada", &[("a", "1")])));
        assert!(!given.is_of(&user("", "Ada", &[("a", "1"), ("b", "2")])));
    }

    #[test]
    fn it_holds_no_value() {
        let text =
            serde_json::to_string(&Given::of(&user("secret-id", "secret name", &[("a", "secret")]))).unwrap();
        assert!(!text.contains("secret"), "{text}");
    }
}
