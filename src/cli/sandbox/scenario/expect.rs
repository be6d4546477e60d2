//! Whether what was expected has come about. Pure.

use serde_json::Value;

use super::{Expect, Line, text};

impl Expect {
    /// What does not hold (yet) of a conversation as an agent sees it; messages before the `from`th are not looked at.
    pub(super) fn unmet(&self, seen: &Value, from: usize) -> Vec<String> {
        let mut unmet = Vec::new();
        let queue = match text(&seen["assignment"]["type"]) {
            "queue" => &seen["assignment"]["id"],
            _ => &Value::Null,
        };
        let last = seen["transactions"].as_array().and_then(|all| all.last());
        let code = last.map_or(&Value::Null, |it| &it["code"]);
        let words = [
            ("state", &self.state, &seen["state"]),
            ("queue", &self.queue, queue),
            ("offeredTo", &self.offered_to, &seen["offer"]["agentId"]),
            ("agent", &self.agent, &seen["agent"]),
            ("transactionCode", &self.transaction_code, code),
        ];
        for (name, wanted, got) in words {
            if let Some(wanted) = wanted
                && text(got) != wanted
            {
                unmet.push(format!("{name} is {got}, not “{wanted}”"));
            }
        }
        if let Some(wanted) = &self.user {
            fields("user", &wanted.0, |name| seen["user"][name].clone(), &mut unmet);
        }
        if let Some(wanted) = &self.context {
            fields(
                "context",
                &wanted.0,
                |name| pair(&seen["context"], name),
                &mut unmet,
            );
        }
        if let Some(line) = &self.message
            && line.find(seen, from).is_none()
        {
            unmet.push(format!("{} has not come", line.describe()));
        }
        unmet
    }
}

fn fields(what: &str, wanted: &Value, got: impl Fn(&str) -> Value, unmet: &mut Vec<String>) {
    let Some(wanted) = wanted.as_object() else {
        return unmet.push(format!("{what} must be written as names and values"));
    };
    for (name, wanted) in wanted {
        let got = got(name);
        if got != *wanted {
            unmet.push(format!("{what}.{name} is {got}, not {wanted}"));
        }
    }
}

fn pair(context: &Value, key: &str) -> Value {
    let mut pairs = context.as_array().into_iter().flatten();
    pairs
        .find(|it| it["key"] == key)
        .map_or(Value::Null, |it| it["value"].clone())
}

impl Line {
    /// The place of the first message from the `from`th on that is this one.
    pub(super) fn find(&self, seen: &Value, from: usize) -> Option<usize> {
        let lines = seen["transcript"].as_array()?;
        let mut rest = lines.iter().enumerate().skip(from);
        rest.find(|(_, it)| self.is(it)).map(|(n, _)| n)
    }

    fn is(&self, line: &Value) -> bool {
        let said = text(&line["text"]);
        let from = text(&line["authorType"]) == self.from || text(&line["authorId"]) == self.from;
        let contains = self.contains.as_ref().is_none_or(|it| said.contains(it.as_str()));
        from && contains && self.text.as_ref().is_none_or(|it| said == it)
    }

    pub(super) fn describe(&self) -> String {
        let mut all = format!("a message from {}", self.from);
        if let Some(part) = &self.contains {
            all.push_str(&format!(" with “{part}” in it"));
        }
        if let Some(whole) = &self.text {
            all.push_str(&format!(" that says “{whole}”"));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn seen() -> Value {
        json!({
            "state": "active", "agent": null, "assignment": {"type": "queue", "id": "100"},
            "offer": {"agentId": "maria"}, "user": {"email": "a@example.com"},
            "context": [{"key": "orderId", "value": "4711"}],
            "transactions": [{"code": "complaint"}, {"code": "resolved"}],
            "transcript": [
                {"authorType": "user", "authorId": "user", "text": "Hello"},
                {"authorType": "agent", "authorId": "maria", "text": "Hello Anna"},
            ],
        })
    }

    #[rstest]
    #[case(json!({"state": "active", "queue": "100", "offeredTo": "maria"}), 0, &[])]
    #[case(json!({"transactionCode": "resolved", "user": {"email": "a@example.com"}, "context": {"orderId": "4711"}}), 0, &[])]
    #[case(json!({"message": {"from": "maria", "contains": "Anna"}}), 1, &[])]
    #[case(json!({"message": {"from": "agent", "text": "Hello Anna"}}), 0, &[])]
    #[case(json!({"message": {"from": "maria", "contains": "Anna"}}), 2, &["a message from maria with “Anna” in it has not come"])]
    #[case(json!({"message": {"from": "bot"}}), 0, &["a message from bot has not come"])]
    #[case(json!({"state": "idle", "agent": "ivan"}), 0, &["state is \"active\", not “idle”", "agent is null, not “ivan”"])]
    #[case(json!({"context": {"orderId": "1", "other": "2"}}), 0,
        &["context.orderId is \"4711\", not \"1\"", "context.other is null, not \"2\""])]
    #[case(json!({"user": "Anna"}), 0, &["user must be written as names and values"])]
    fn what_does_not_hold_is_named(#[case] expect: Value, #[case] from: usize, #[case] unmet: &[&str]) {
        let expect: Expect = serde_json::from_value(expect).unwrap();
        assert_eq!(expect.unmet(&seen(), from), unmet);
    }
}
