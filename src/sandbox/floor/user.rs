//! The customer.

use serde::{Deserialize, Serialize};

use crate::sandbox::strict::{objects, present};

/// What is known of the customer; also what a patch wants to change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct User {
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) name: Option<String>,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) user_id: Option<String>,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) customer_id: Option<String>,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) email: Option<String>,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) phone: Option<String>,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) company: Option<String>,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) case_id: Option<String>,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) language: Option<String>,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) ipaddress: Option<String>,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) timezone_offset: Option<String>,
    #[serde(
        default,
        deserialize_with = "objects",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) additional_properties: Option<Vec<Property>>,
}

/// One pair of the context that the agent sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Property {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl User {
    /// Takes over each field that `patch` names; an empty one clears. The context is replaced as a whole.
    pub(crate) fn merge(&mut self, patch: Self) {
        let take = |mine: &mut Option<String>, theirs: Option<String>| {
            if let Some(new) = theirs {
                *mine = Some(new).filter(|text| !text.is_empty());
            }
        };
        take(&mut self.name, patch.name);
        take(&mut self.user_id, patch.user_id);
        take(&mut self.customer_id, patch.customer_id);
        take(&mut self.email, patch.email);
        take(&mut self.phone, patch.phone);
        take(&mut self.company, patch.company);
        take(&mut self.case_id, patch.case_id);
        take(&mut self.language, patch.language);
        take(&mut self.ipaddress, patch.ipaddress);
        take(&mut self.timezone_offset, patch.timezone_offset);
        if let Some(new) = patch.additional_properties {
            self.additional_properties = Some(new).filter(|pairs| !pairs.is_empty());
        }
    }

    /// How many bytes it takes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let texts = [
            &self.name,
            &self.user_id,
            &self.customer_id,
            &self.email,
            &self.phone,
            &self.company,
            &self.case_id,
            &self.language,
            &self.ipaddress,
            &self.timezone_offset,
        ];
        let pairs = self.additional_properties.iter().flatten();
        let pairs = pairs.map(|pair| pair.key.len() + pair.value.len());
        texts.into_iter().flatten().map(String::len).chain(pairs).sum()
    }

    /// The value under `key` in the context.
    pub(crate) fn property(&self, key: &str) -> Option<&str> {
        let pairs = self.additional_properties.as_deref().unwrap_or_default();
        pairs.iter().find(|p| p.key == key).map(|p| p.value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn user(value: Value) -> User {
        from_value(value).unwrap()
    }

    #[test]
    fn a_patch_changes_what_it_names_and_an_empty_value_clears() {
        let mut it = user(
            json!({"name": "Anna", "email": "a@example.com", "company": "Acme",
            "additionalProperties": [{"key": "a", "value": "1"}]}),
        );
        it.merge(user(
            json!({"company": "", "phone": "1", "additionalProperties": [{"key": "b", "value": "2"}]}),
        ));
        let expected = user(json!({"name": "Anna", "email": "a@example.com", "phone": "1",
            "additionalProperties": [{"key": "b", "value": "2"}]}));
        assert_eq!(it, expected);
        assert_eq!(it.property("a"), None);
        assert_eq!(it.property("b"), Some("2"));
    }

    #[test]
    fn nulls_and_unknown_fields_are_refused() {
        for wrong in [
            json!({"name": null}),
            json!({"nickname": "x"}),
            json!({"additionalProperties": [{"key": "x"}]}),
            json!({"additionalProperties": [["x", "y"]]}),
        ] {
            assert!(from_value::<User>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
