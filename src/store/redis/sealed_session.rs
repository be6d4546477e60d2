//! What of a session is encrypted: the customer, the labels and names. Identifiers, states and times are not: the scripts that
//! change sessions decide by them.

use super::vault::{Held, NO_VAULT, Vault};
use crate::{
    conversation::{
        SessionChange,
        change::{Field, FieldChange},
        session::{Fields, member_field},
    },
    event::ConversationKey,
    store::{
        StoreError,
        seal::{DataKey, DataKeyId, sealed_text},
    },
};

const PURPOSE: &str = "session";

/// Whether anything in a change is to be encrypted.
pub(super) fn is_sensitive(change: &SessionChange) -> bool {
    change.fields.iter().any(|field| match field {
        FieldChange::Latest(Field::User | Field::Labels, _) => true,
        FieldChange::Member { who, .. } => !who.name.is_empty(),
        FieldChange::Latest(..) | FieldChange::Earliest(..) => false,
    })
}

/// A change with what is to be encrypted encrypted.
pub(super) fn seal_change(key: &DataKey, change: &SessionChange) -> Result<SessionChange, StoreError> {
    let mut sealed = change.clone();
    for field in &mut sealed.fields {
        match field {
            FieldChange::Latest(field @ (Field::User | Field::Labels), value) => {
                *value = seal(key, field.name(), value)?;
            }
            FieldChange::Member { who, .. } if !who.name.is_empty() => {
                who.name = seal(key, &member_field(who), &who.name)?;
            }
            FieldChange::Latest(..) | FieldChange::Earliest(..) | FieldChange::Member { .. } => {}
        }
    }
    Ok(sealed)
}

fn seal(key: &DataKey, field: &str, plain: &str) -> Result<String, StoreError> {
    key.seal_text(PURPOSE, field.as_bytes(), plain)
        .ok_or_else(|| StoreError::Corrupt("a session could not be encrypted".into()))
}

/// Where the encrypted part of a field's value begins, which key it needs, and the ciphertext.
fn sealed_part(field: &str, value: &str) -> Option<(usize, DataKeyId, Vec<u8>)> {
    let at = if field.starts_with("m:") {
        // `MS:PRESENT:NAME`.
        value.match_indices(':').nth(1)?.0 + 1
    } else if field == Field::User.name() || field == Field::Labels.name() {
        0
    } else {
        return None;
    };
    let (id, sealed) = sealed_text(value.get(at..)?)?;
    Some((at, id, sealed))
}

/// Decrypts sessions' fields, with one round trip for all the keys that are not held. What was encrypted under a key that was
/// erased counts as not given: the session is being erased.
pub(super) async fn open_fields(
    vault: Option<&Vault>,
    mut sessions: Vec<(ConversationKey, Fields)>,
) -> Result<Vec<(ConversationKey, Fields)>, StoreError> {
    let wanted: Vec<(ConversationKey, DataKeyId)> = sessions
        .iter()
        .flat_map(|(of, fields)| {
            let parts = fields
                .iter()
                .filter_map(|(field, value)| sealed_part(field, value));
            parts.map(|(_, id, _)| (of.clone(), id))
        })
        .collect();
    if wanted.is_empty() {
        return Ok(sessions);
    }
    let vault = vault.ok_or_else(|| StoreError::Sealed(NO_VAULT.to_owned()))?;
    let mut found = vault.find(&wanted).await?.into_iter();
    for (_, fields) in &mut sessions {
        open(fields, &mut found)?;
    }
    Ok(sessions)
}

/// Decrypts fields by their keys, which come in the order of the fields.
fn open(fields: &mut Fields, found: &mut impl Iterator<Item = Held>) -> Result<(), StoreError> {
    for (field, value) in fields.iter_mut() {
        let Some((at, _, sealed)) = sealed_part(field, value) else {
            continue;
        };
        value.truncate(at);
        match found.next() {
            Some(Held::Key(key)) => {
                let opened = key.open(PURPOSE, field.as_bytes(), &sealed);
                let opened = opened.and_then(|opened| String::from_utf8(opened).ok());
                let does_not_fit = || StoreError::Corrupt("a session does not fit its key".into());
                value.push_str(&opened.ok_or_else(does_not_fit)?);
            }
            Some(Held::Missing(why)) => return Err(StoreError::Sealed(why.to_string())),
            Some(Held::Gone) | None => {}
        }
    }
    fields.retain(|field, value| !value.is_empty() || field.starts_with("m:"));
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::{
        conversation::{
            session::apply,
            state::{Agents, Row, Trigger},
        },
        event::{AuthorType, Participant, TenantId, User},
        store::seal::MasterKeys,
    };

    #[test]
    fn names_and_customers_are_hidden_and_found_again() {
        let masters = MasterKeys::parse("a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        let master = masters.first().unwrap();
        let of = ConversationKey::new(TenantId::new("t"), "c");
        let (id, wrapped) = DataKey::draw(&of, master).unwrap();
        let key = DataKey::unwrap(&of, id, master, &wrapped).unwrap();
        let user = User {
            name: "Ann".into(),
            ..User::default()
        };
        let labels = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
        let mut change = SessionChange::by_creation("channel", &user, &labels);
        for (id, name) in [("a1", "Maria: the 2nd"), ("a2", "")] {
            let mut who = Participant::new(id, Some(AuthorType::Agent));
            who.name = name.into();
            change.fields.push(FieldChange::Member { who, present: true });
        }
        assert!(is_sensitive(&change));
        let (mut plain, mut sealed) = (Fields::new(), Fields::new());
        apply(&mut plain, &change, 1);
        apply(&mut sealed, &seal_change(&key, &change).unwrap(), 1);
        let stored = format!("{sealed:?}");
        assert!(!stored.contains("Ann") && !stored.contains("Maria"), "{stored}");
        let key = Arc::new(key);
        open(
            &mut sealed,
            &mut std::iter::repeat_with(|| Held::Key(Arc::clone(&key))),
        )
        .unwrap();
        assert_eq!(sealed, plain);
    }

    #[test]
    fn what_needs_no_hiding_costs_nothing() {
        let mut change = SessionChange {
            at_ms: 1,
            row: Row::of(Trigger::Exists),
            agents: Agents::of(Trigger::Exists),
            fields: vec![FieldChange::Latest(Field::QueueId, "q".into())],
        };
        assert!(!is_sensitive(&change));
        change.fields.push(FieldChange::Member {
            who: Participant::new("a", Some(AuthorType::Agent)),
            present: true,
        });
        assert!(!is_sensitive(&change));
    }
}
