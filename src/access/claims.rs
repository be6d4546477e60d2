//! What a verified web token says, and what an issuer's claims are worth.

use std::time::SystemTime;

use serde_json::Value;

use super::{CallerLimits, Grant, Role, Scope};

/// The claims of a web token that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `iss`, which names the issuer whose key verified it.
    pub issuer: String,
    /// `exp`.
    pub until: SystemTime,
    /// All of them.
    pub all: serde_json::Map<String, Value>,
}

/// What those get of whom an issuer claims something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimGrant {
    /// The claim; a dot goes into an object, as in `realm_access.roles`.
    pub claim: String,
    /// The text it must be, be a list with, or have among words that are separated by spaces, as in `scope`.
    pub value: String,
    /// What they may do.
    pub role: Role,
    /// Whose data they may touch.
    pub tenants: Scope,
    /// How much each of them may use.
    pub limits: CallerLimits,
}

impl ClaimGrant {
    /// Whether the claims have it.
    fn fits(&self, claims: &Claims) -> bool {
        match find(&claims.all, &self.claim) {
            Some(Value::String(text)) => {
                *text == self.value || text.split(' ').any(|word| word == self.value)
            }
            Some(Value::Array(list)) => list.iter().any(|one| one.as_str() == Some(&self.value)),
            _ => false,
        }
    }

    /// What somebody of this name gets, if the claims have it.
    pub(super) fn grant(&self, claims: &Claims, name: &str) -> Option<Grant> {
        self.fits(claims).then(|| Grant {
            name: name.to_owned(),
            role: self.role,
            tenants: self.tenants.clone(),
            limits: self.limits,
        })
    }
}

/// A claim by its path. A name with dots in it, as `https://example.org/roles`, goes before a path.
pub(super) fn find<'a>(claims: &'a serde_json::Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    path.match_indices('.').find_map(|(at, _)| {
        let inner = claims.get(&path[..at])?.as_object()?;
        find(inner, &path[at + 1..])
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn claims(all: &Value) -> Claims {
        Claims {
            issuer: "i".into(),
            until: SystemTime::UNIX_EPOCH,
            all: all.as_object().unwrap().clone(),
        }
    }

    #[rstest]
    #[case::a_text(json!({"role": "bot"}), "role", true)]
    #[case::a_word(json!({"scope": "openid bot profile"}), "scope", true)]
    #[case::a_list(json!({"groups": ["staff", "bot"]}), "groups", true)]
    #[case::an_object(json!({"realm_access": {"roles": ["bot"]}}), "realm_access.roles", true)]
    #[case::a_name_with_dots(json!({"https://example.org/roles": ["bot"]}), "https://example.org/roles", true)]
    #[case::an_object_in_one_with_dots(json!({"a.b": {"c": "bot"}}), "a.b.c", true)]
    #[case::another_text(json!({"role": "robot"}), "role", false)]
    #[case::part_of_a_word(json!({"scope": "openid robot"}), "scope", false)]
    #[case::another_list(json!({"groups": ["bots"]}), "groups", false)]
    #[case::words_in_a_list(json!({"groups": ["a bot"]}), "groups", false)]
    #[case::no_text(json!({"role": {"bot": true}}), "role", false)]
    #[case::a_number(json!({"role": 1}), "role", false)]
    #[case::nothing(json!({}), "role", false)]
    #[case::a_path_through_a_text(json!({"a": "bot"}), "a.b", false)]
    fn claims_are_compared_whole(#[case] all: Value, #[case] claim: &str, #[case] expected: bool) {
        let grant = ClaimGrant {
            claim: claim.into(),
            value: "bot".into(),
            role: Role::Caller,
            tenants: Scope::All,
            limits: CallerLimits::default(),
        };
        let claims = claims(&all);
        assert_eq!(grant.grant(&claims, "n").is_some(), expected);
    }
}
