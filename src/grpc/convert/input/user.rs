//! The customer, and what is changed in one.

use std::collections::BTreeSet;

use crate::{
    event::User,
    gateway::UserPatch,
    grpc::{
        check::{Check, ID_BYTES_MAX},
        proto,
    },
};

/// Tags that route to agents who speak the language (source: Chat Gateway v1, `Language`).
const LANGUAGES: [&str; 22] = [
    "en", "ru", "de", "ja", "es", "fr", "pt", "it", "pl", "hr", "nl", "ar", "da", "ko", "no", "sv", "vi",
    "cy", "th", "zh-CN", "zh-TW", "",
];
const PROPERTIES_MAX: usize = 30;
const VALUE_BYTES_MAX: usize = 4096;
/// How much of a key an error repeats, in bytes.
const KEY_BYTES_SHOWN: usize = 64;

/// A customer who must be given.
pub(super) fn required_user(check: &mut Check, field: &str, given: Option<&proto::User>) -> User {
    if let Some(given) = given {
        return user(check, field, given);
    }
    check.fail(field, "is required");
    User::default()
}

/// A customer.
pub(super) fn user(check: &mut Check, field: &str, user: &proto::User) -> User {
    let limits = [
        ("name", &user.name, ID_BYTES_MAX),
        ("user_id", &user.user_id, ID_BYTES_MAX),
        ("email", &user.email, 320),
        ("phone", &user.phone, 64),
        ("company", &user.company, ID_BYTES_MAX),
        ("case_id", &user.case_id, ID_BYTES_MAX),
    ];
    for (name, value, bytes_max) in limits {
        check.max(&format!("{field}.{name}"), value, bytes_max);
    }
    if !LANGUAGES.contains(&user.language.as_str()) {
        let known = LANGUAGES[..LANGUAGES.len() - 1].join(" ");
        check.fail(
            &format!("{field}.language"),
            format!("is not one of the vendor's tags: {known}"),
        );
    }
    User {
        name: user.name.clone(),
        user_id: user.user_id.clone(),
        email: user.email.clone(),
        phone: user.phone.clone(),
        company: user.company.clone(),
        case_id: user.case_id.clone(),
        language: user.language.clone(),
        additional_properties: properties(
            check,
            &format!("{field}.additional_properties"),
            &user.additional_properties,
        ),
        ip_address: String::new(),
        timezone_offset: String::new(),
    }
}

fn properties(check: &mut Check, field: &str, pairs: &[proto::Property]) -> Vec<(String, String)> {
    let mut seen = BTreeSet::new();
    let (taken, beyond) = pairs.split_at(pairs.len().min(PROPERTIES_MAX));
    for (i, pair) in taken.iter().enumerate() {
        check.required(&format!("{field}[{i}].key"), &pair.key, ID_BYTES_MAX);
        check.max(&format!("{field}[{i}].value"), &pair.value, VALUE_BYTES_MAX);
        if !seen.insert(&pair.key) {
            check.fail(&format!("{field}[{i}].key"), "is there twice");
        }
    }
    // Which of the pairs are left out is for the caller to decide, so each that has no room is named. An error holds so many
    // violations and no more, however many pairs there are.
    for (i, pair) in beyond.iter().take(crate::error::VIOLATIONS_MAX).enumerate() {
        let shown = &pair.key[..pair.key.floor_char_boundary(KEY_BYTES_SHOWN)];
        check.fail(
            &format!("{field}[{}]", PROPERTIES_MAX + i),
            format!(
                "{shown:?} has no room: {} pairs were given, and at most {PROPERTIES_MAX} are taken",
                pairs.len()
            ),
        );
    }
    taken.iter().map(|p| (p.key.clone(), p.value.clone())).collect()
}

/// What `paths`, which are below `user`, name of a customer; nothing else of it is read. The whole customer stands for those of
/// its fields that are not empty, for the vendor keeps what is not given.
pub(super) fn user_patch(check: &mut Check, paths: &[&str], given: &proto::User) -> UserPatch {
    let is_whole = paths.contains(&"");
    let mut named = if is_whole {
        given.clone()
    } else {
        proto::User::default()
    };
    let mut fields = BTreeSet::new();
    for path in paths.iter().filter(|path| !path.is_empty()) {
        match *path {
            "name" => named.name.clone_from(&given.name),
            "user_id" => named.user_id.clone_from(&given.user_id),
            "email" => named.email.clone_from(&given.email),
            "phone" => named.phone.clone_from(&given.phone),
            "company" => named.company.clone_from(&given.company),
            "case_id" => named.case_id.clone_from(&given.case_id),
            "language" => named.language.clone_from(&given.language),
            "additional_properties" => {
                named
                    .additional_properties
                    .clone_from(&given.additional_properties);
            }
            other => check.fail("update_mask", unknown(&format!("user.{other}"))),
        }
        fields.insert(*path);
    }
    if is_whole && fields.is_empty() && *given == proto::User::default() {
        check.fail("conversation.user", "is required, because update_mask names it");
    }
    let user = user(check, "conversation.user", &named);
    let text = |field: &str, value: String| (fields.contains(field) || !value.is_empty()).then_some(value);
    let pairs = user.additional_properties;
    UserPatch {
        name: text("name", user.name),
        user_id: text("user_id", user.user_id),
        email: text("email", user.email),
        phone: text("phone", user.phone),
        company: text("company", user.company),
        case_id: text("case_id", user.case_id),
        language: text("language", user.language),
        additional_properties: (fields.contains("additional_properties") || !pairs.is_empty())
            .then_some(pairs),
    }
}

/// What is wrong with a path of `update_mask`.
pub(super) fn unknown(path: &str) -> String {
    let shown = &path[..path.floor_char_boundary(KEY_BYTES_SHOWN)];
    format!("{shown:?} is not a field that can be changed")
}
