//! What v2 says of its answers, in our own words: which fields there are, of which type, and which must be there. A field that v2
//! does not have is a mistake.

use serde_json::Value;

/// Whether a value is what it should be, or why not.
pub(super) type Check = fn(&Value) -> Result<(), String>;

fn fields(value: &Value, required: &[(&str, Check)], optional: &[(&str, Check)]) -> Result<(), String> {
    let object = value.as_object().ok_or("it is no object")?;
    for (name, check) in required {
        let inner = object.get(*name).ok_or(format!("{name} is missing"))?;
        check(inner).map_err(|problem| format!("{name}: {problem}"))?;
    }
    for (name, inner) in object {
        if required.iter().any(|(known, _)| known == name) {
            continue;
        }
        let known = optional.iter().find(|(known, _)| known == name);
        let (_, check) = known.ok_or(format!("v2 has no {name}"))?;
        check(inner).map_err(|problem| format!("{name}: {problem}"))?;
    }
    Ok(())
}

fn list(value: &Value, check: Check) -> Result<(), String> {
    let items = value.as_array().ok_or("it is no list")?;
    for (n, item) in items.iter().enumerate() {
        check(item).map_err(|problem| format!("[{n}]: {problem}"))?;
    }
    Ok(())
}

fn text(value: &Value) -> Result<(), String> {
    value.as_str().map(drop).ok_or_else(|| "it is no text".into())
}

fn some_text(value: &Value) -> Result<(), String> {
    match value.as_str() {
        Some("") | None => Err("it is no text, or an empty one".into()),
        Some(_) => Ok(()),
    }
}

fn texts(value: &Value) -> Result<(), String> {
    list(value, text)
}

/// A number as a text.
fn digits(value: &Value) -> Result<(), String> {
    let text = value.as_str().ok_or("it is no text")?;
    text.parse::<u64>()
        .map(drop)
        .map_err(|_| format!("{text} is no number"))
}

fn number(value: &Value) -> Result<(), String> {
    value.as_u64().map(drop).ok_or_else(|| "it is no number".into())
}

fn time(value: &Value) -> Result<(), String> {
    let text = value.as_str().ok_or("it is no text")?;
    let is_one = text.len() == 24 && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok();
    is_one.then_some(()).ok_or(format!("{text} is no time"))
}

fn one_of(value: &Value, words: &[&str]) -> Result<(), String> {
    let text = value.as_str().ok_or("it is no text")?;
    words
        .contains(&text)
        .then_some(())
        .ok_or(format!("{text} is none of {words:?}"))
}

/// No body at all.
pub(super) fn nothing(value: &Value) -> Result<(), String> {
    value
        .is_null()
        .then_some(())
        .ok_or_else(|| "there is a body".into())
}

pub(super) fn token(value: &Value) -> Result<(), String> {
    let all: &[(&str, Check)] = &[
        ("access_token", some_text),
        ("api_product_list", texts),
        ("application_name", text),
        ("client_id", some_text),
        ("expires_in", digits),
        ("issued_at", digits),
        ("organization_name", text),
        ("refresh_count", digits),
        ("refresh_token_expires_in", digits),
        ("scope", text),
        ("status", text),
        ("token_type", some_text),
    ];
    fields(value, all, &[])
}

fn page(value: &Value) -> Result<(), String> {
    let all: &[(&str, Check)] = &[
        ("pageSize", number),
        ("pageIndex", number),
        ("elementCount", number),
        ("pageCount", number),
    ];
    fields(value, all, &[])
}

pub(super) fn webhook(value: &Value) -> Result<(), String> {
    let all: &[(&str, Check)] = &[
        ("id", digits),
        ("name", some_text),
        ("uri", some_text),
        ("version", |it| one_of(it, &["v1.0", "v2.0"])),
    ];
    fields(value, all, &[])
}

pub(super) fn webhooks(value: &Value) -> Result<(), String> {
    fields(value, &[("data", |it| list(it, webhook)), ("page", page)], &[])
}

pub(super) fn channel(value: &Value) -> Result<(), String> {
    let routing: Check = |it| {
        let all: &[(&str, Check)] = &[("type", |it| one_of(it, &["queue"])), ("id", some_text)];
        fields(it, all, &[])
    };
    let all: &[(&str, Check)] = &[
        ("id", some_text),
        ("name", some_text),
        ("webHookId", text),
        ("routingOptions", routing),
    ];
    fields(value, all, &[])
}

pub(super) fn channels(value: &Value) -> Result<(), String> {
    fields(value, &[("data", |it| list(it, channel)), ("page", page)], &[])
}

fn customer(value: &Value) -> Result<(), String> {
    let object = value.as_object().ok_or("it is no object")?;
    object
        .iter()
        .try_for_each(|(name, it)| some_text(it).map_err(|problem| format!("{name}: {problem}")))
}

fn interaction(value: &Value) -> Result<(), String> {
    fields(
        value,
        &[("id", some_text)],
        &[("startTime", time), ("endTime", time)],
    )
}

pub(super) fn conversation(value: &Value) -> Result<(), String> {
    let required: &[(&str, Check)] = &[
        ("id", some_text),
        ("channelId", some_text),
        ("customer", customer),
        ("interactions", |it| list(it, interaction)),
    ];
    fields(value, required, &[("startTime", time)])
}

pub(super) fn conversations(value: &Value) -> Result<(), String> {
    fields(
        value,
        &[("data", |it| list(it, conversation)), ("page", page)],
        &[],
    )
}

pub(super) fn created(value: &Value) -> Result<(), String> {
    fields(
        value,
        &[("conversationId", some_text), ("timestamp", number)],
        &[],
    )
}

fn author(value: &Value) -> Result<(), String> {
    one_of(value, &["bot", "user", "system", "agent"])
}

fn participant(value: &Value) -> Result<(), String> {
    fields(
        value,
        &[("id", text), ("type", author)],
        &[("language", some_text)],
    )
}

pub(super) fn participants(value: &Value) -> Result<(), String> {
    fields(value, &[("participants", |it| list(it, participant))], &[])
}

fn message(value: &Value) -> Result<(), String> {
    let all: &[(&str, Check)] = &[
        ("interactionId", text),
        ("originalText", text),
        ("translatedText", text),
        ("authorType", author),
        ("type", author),
        ("participantId", text),
        ("senderId", text),
    ];
    fields(value, all, &[])
}

pub(super) fn messages(value: &Value) -> Result<(), String> {
    let all: &[(&str, Check)] = &[
        ("messages", |it| list(it, message)),
        ("participants", |it| list(it, participant)),
    ];
    fields(value, all, &[])
}

pub(super) fn jwk(value: &Value) -> Result<(), String> {
    let all: &[(&str, Check)] = &[
        ("kty", |it| one_of(it, &["RSA"])),
        ("e", some_text),
        ("kid", some_text),
        ("n", some_text),
    ];
    fields(value, all, &[])
}

/// 400 and others: a message and sentences.
pub(super) fn problem(value: &Value) -> Result<(), String> {
    let required: &[(&str, Check)] = &[("message", some_text), ("errors", |it| list(it, some_text))];
    fields(value, required, &[])
}

/// 500 and beyond: with a reference.
pub(super) fn failure(value: &Value) -> Result<(), String> {
    let required: &[(&str, Check)] = &[
        ("message", some_text),
        ("errors", |it| list(it, some_text)),
        ("referenceId", some_text),
    ];
    fields(value, required, &[])
}

/// 400 of "create a channel".
pub(super) fn validation(value: &Value) -> Result<(), String> {
    let error: Check = |it| fields(it, &[("code", some_text), ("message", some_text)], &[]);
    let one: Check = |it| {
        let required: &[(&str, Check)] = &[("field", text), ("code", some_text), ("message", some_text)];
        fields(it, required, &[("value", text)])
    };
    match (value["validations"].as_array(), one, error) {
        (Some(all), one, error) => {
            all.iter().try_for_each(one)?;
            list(&value["errors"], error)?;
            some_text(&value["message"])
        }
        _ => Err("there are no validations".into()),
    }
}

/// 401 of everything but the token.
pub(super) fn fault(value: &Value) -> Result<(), String> {
    let detail: Check = |it| fields(it, &[("errorcode", some_text)], &[]);
    let inner = &value["fault"];
    some_text(&inner["faultstring"])?;
    detail(&inner["detail"])?;
    fields(value, &[("fault", |_| Ok(()))], &[])
}

/// 400 and 401 of the token.
pub(super) fn oauth(value: &Value) -> Result<(), String> {
    fields(value, &[("ErrorCode", some_text), ("Error", some_text)], &[])
}

/// 404 of a public key.
pub(super) fn no_key(value: &Value) -> Result<(), String> {
    let all: &[(&str, Check)] = &[
        ("type", some_text),
        ("title", some_text),
        ("status", number),
        ("detail", some_text),
        ("resourceType", some_text),
        ("resourceId", some_text),
        ("instance", some_text),
    ];
    fields(value, all, &[])
}
