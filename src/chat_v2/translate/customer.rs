//! The customer: v2 has one flat object of texts, the Chat Gateway a user with a list of additional properties.

use serde_json::Value;

use crate::{
    chat_v2::{
        problem::Wrong,
        read::{Findings, ID_BYTES_MAX, Object},
    },
    event::User,
};

/// The most properties that v2 took.
const PROPERTIES_MAX: usize = 30;
const VALUE_BYTES_MAX: usize = 4096;
const EMAIL_BYTES_MAX: usize = 320;
const PHONE_BYTES_MAX: usize = 64;
/// The languages that a customer can be routed by (source: Chat API v2, `Language`).
const LANGUAGES: [&str; 21] = [
    "en", "ru", "de", "ja", "es", "fr", "pt", "it", "pl", "hr", "nl", "ar", "da", "ko", "no", "sv", "vi",
    "cy", "th", "zh-CN", "zh-TW",
];
/// Properties that are fields of the Chat Gateway's user; all others go along as they are called.
const FIELDS: [&str; 7] = [
    "name",
    "customerId",
    "email",
    "company",
    "caseId",
    "language",
    "phone",
];
/// Another word for `name`.
const SENDER_NAME: &str = "senderName";

/// Reads a customer. Where both are given, `name` is the name, and `senderName` a property like any other.
pub(in crate::chat_v2) fn read(findings: &mut Findings, given: &Object) -> User {
    const AT: &str = "customer.";
    if given.len() > PROPERTIES_MAX {
        let problem = format!(
            "has {} properties; at most {PROPERTIES_MAX} are allowed.",
            given.len()
        );
        findings.add(Wrong::new("customer", "too_many_properties", problem));
        return User::default();
    }
    let mut text = |name: &str, bytes_max| findings.text(given, AT, name, bytes_max).unwrap_or_default();
    let named = text("name", ID_BYTES_MAX);
    let (name, is_sender_name_taken) = match named.as_str() {
        "" => (text(SENDER_NAME, ID_BYTES_MAX), true),
        _ => (named, false),
    };
    let mut user = User {
        name,
        user_id: text("customerId", ID_BYTES_MAX),
        email: text("email", EMAIL_BYTES_MAX),
        phone: text("phone", PHONE_BYTES_MAX),
        company: text("company", ID_BYTES_MAX),
        case_id: text("caseId", ID_BYTES_MAX),
        language: text("language", ID_BYTES_MAX),
        ..User::default()
    };
    let language = user.language.as_str();
    if !language.is_empty() && !LANGUAGES.contains(&language) {
        let problem = format!("must be one of {}.", LANGUAGES.join(", "));
        findings.add(Wrong::new("customer.language", "invalid_language", problem).with(language));
    }
    for key in given.keys() {
        if FIELDS.contains(&key.as_str()) || (key == SENDER_NAME && is_sender_name_taken) {
            continue;
        }
        if key.is_empty() || key.len() > ID_BYTES_MAX {
            let problem = format!("has a property whose name is not of 1 to {ID_BYTES_MAX} bytes.");
            findings.add(Wrong::new("customer", "invalid_property", problem));
        } else if let Some(value) = findings.text(given, AT, key, VALUE_BYTES_MAX) {
            user.additional_properties.push((key.clone(), value));
        }
    }
    user
}

/// Writes a customer: what is not known is left out, and a property that is called as a field of v2 gives way to it.
pub(in crate::chat_v2) fn write(user: &User) -> Value {
    let mut written = Object::new();
    for name in FIELDS {
        if let Some(value) = field(user, name).filter(|value| !value.is_empty()) {
            written.insert(name.to_owned(), value.into());
        }
    }
    for (key, value) in &user.additional_properties {
        if !FIELDS.contains(&key.as_str()) && !written.contains_key(key) {
            written.insert(key.clone(), value.as_str().into());
        }
    }
    Value::Object(written)
}

/// What a customer has under one of v2's names; `None`: nothing.
pub(in crate::chat_v2) fn field<'a>(user: &'a User, name: &str) -> Option<&'a str> {
    match name {
        "name" => Some(&user.name),
        "customerId" => Some(&user.user_id),
        "email" => Some(&user.email),
        "company" => Some(&user.company),
        "caseId" => Some(&user.case_id),
        "language" => Some(&user.language),
        "phone" => Some(&user.phone),
        SENDER_NAME => {
            let given = property(user, name);
            given.or(Some(&user.name))
        }
        other => property(user, other),
    }
}

fn property<'a>(user: &'a User, name: &str) -> Option<&'a str> {
    let mut pairs = user.additional_properties.iter();
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read_all(given: &Value) -> Result<User, crate::chat_v2::problem::Problem> {
        let mut findings = Findings::default();
        let user = read(&mut findings, given.as_object().unwrap());
        findings.done(user)
    }

    #[test]
    fn fields_and_properties_find_their_places() {
        let user = read_all(&json!({
            "senderName": "Ada", "customerId": 4711, "email": "ada@example.org", "language": "de",
            "orderId": 7, "isVip": true, "note": null,
        }))
        .unwrap();
        assert_eq!((user.name.as_str(), user.user_id.as_str()), ("Ada", "4711"));
        let pairs = [("isVip".into(), "true".into()), ("orderId".into(), "7".into())];
        assert_eq!(user.additional_properties, pairs);
        assert_eq!(
            write(&user),
            json!({
                "name": "Ada", "customerId": "4711", "email": "ada@example.org", "language": "de",
                "orderId": "7", "isVip": "true",
            })
        );
    }

    #[test]
    fn beside_a_name_the_senders_name_is_a_property() {
        let user = read_all(&json!({ "name": "Ada", "senderName": "A. L." })).unwrap();
        assert_eq!(user.name, "Ada");
        assert_eq!(field(&user, "senderName"), Some("A. L."));
        assert_eq!(write(&user), json!({ "name": "Ada", "senderName": "A. L." }));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(read_all(&json!({ "language": "xx" })).is_err());
        assert!(read_all(&json!({ "order": { "id": 1 } })).is_err());
        assert!(read_all(&json!({ "": "x" })).is_err());
        let many: Object = (0..31).map(|n| (format!("k{n}"), "v".into())).collect();
        assert!(read_all(&Value::Object(many)).is_err());
    }

    #[test]
    fn a_property_that_others_gave_a_fields_name_gives_way() {
        let user = User {
            name: "Ada".into(),
            additional_properties: vec![("name".into(), "Eve".into()), ("x".into(), "1".into())],
            ..User::default()
        };
        assert_eq!(write(&user), json!({ "name": "Ada", "x": "1" }));
    }

    fn users() -> impl Strategy<Value = User> {
        let pairs = prop::collection::btree_map("k[a-z]{0,6}", ".{0,12}", 0..20);
        (
            ".{1,12}",
            ".{0,12}",
            ".{0,12}",
            prop::sample::select(&LANGUAGES[..]),
            pairs,
        )
            .prop_map(|(name, user_id, company, language, pairs)| User {
                name,
                user_id,
                company,
                language: language.to_owned(),
                additional_properties: pairs.into_iter().collect(),
                ..User::default()
            })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(user in users()) {
            prop_assert_eq!(read_all(&write(&user)).unwrap(), user);
        }
    }
}
