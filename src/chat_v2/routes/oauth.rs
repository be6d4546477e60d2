//! `/oauth/v2/token`: a client's credentials for an access token.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

use super::json;
use crate::chat_v2::{
    ChatV2,
    page::Query,
    policy::ApiScope,
    problem::{About, Problem},
    token,
};

const GRANT_TYPE: &str = "client_credentials";
/// The longest credentials that are looked at, in bytes.
const CREDENTIALS_BYTES_MAX: usize = 4096;
const FORM_BYTES_MAX: usize = 8192;

/// Gives out a token, and tells to whom.
pub(super) async fn create(v2: Arc<ChatV2>, request: Request) -> Result<(Response, String), Problem> {
    let credentials = basic(request.headers());
    // Some clients send it in the query.
    let in_query = Query::read(request.uri().query());
    // Whoever asks is not known yet.
    let body = v2.body(request, FORM_BYTES_MAX).await?;
    let form = std::str::from_utf8(&body).map_err(|_| invalid_request("The body is not text."))?;
    let form = Query::read(Some(form));
    let given = |name: &str| form.get(name).or_else(|| in_query.get(name)).map(str::to_owned);

    let policy = v2.policy.now();
    let (id, secret) = credentials.ok_or_else(invalid_client)?;
    let (client, secret) = token::client(&policy, &id, &secret).ok_or_else(invalid_client)?;
    v2.guests
        .admit(client.grant())
        .map_err(|denied| Problem::of(denied.into(), About::TENANT))?;
    match given("grant_type") {
        Some(kind) if kind == GRANT_TYPE => {}
        Some(other) => {
            let other: String = other.chars().take(100).collect();
            return Err(invalid_request(&format!("Unsupported grant type : {other}")));
        }
        None => return Err(invalid_request("Required param : grant_type")),
    }
    let scopes = scopes(&client.scopes, given("scope").as_deref())?;
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let ttl = v2.settings.token_ttl;
    let until_ms = now_ms.saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
    let access_token = token::issue(&policy, client, &secret, &scopes, until_ms)
        .ok_or_else(|| Problem::unprepared("No token can be issued here."))?;
    let scope: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let body = json!({
        "access_token": access_token,
        "token_type": "BearerToken",
        "expires_in": ttl.as_secs().to_string(),
        "issued_at": now_ms.to_string(),
        "client_id": client.id,
        "application_name": client.id,
        "scope": scope.join(" "),
        "api_product_list": ["vcc"],
        "organization_name": "chatbridge",
        "refresh_count": "0",
        "refresh_token_expires_in": "0",
        "status": "approved",
    });
    let mut response = json(StatusCode::OK, &body);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok((response, client.id.clone()))
}

/// The scopes that are asked for, or all that the client has.
fn scopes(own: &BTreeSet<ApiScope>, asked: Option<&str>) -> Result<BTreeSet<ApiScope>, Problem> {
    let Some(asked) = asked else {
        return Ok(own.clone());
    };
    let words = asked.split(' ').filter(|word| !word.is_empty());
    let wanted = words.map(|word| word.parse().ok().filter(|scope| own.contains(scope)));
    wanted.collect::<Option<_>>().ok_or_else(|| {
        let text = "The client may not have all of these scopes.";
        Problem::oauth(StatusCode::BAD_REQUEST, "invalid_scope", text)
    })
}

/// Identifier and secret of `Authorization: Basic` (RFC 7617).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let text = given.next()?.to_str().ok()?;
    if given.next().is_some() || text.len() > CREDENTIALS_BYTES_MAX {
        return None;
    }
    let (scheme, encoded) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn invalid_request(text: &str) -> Problem {
    Problem::oauth(StatusCode::BAD_REQUEST, "invalid_request", text)
}

fn invalid_client() -> Problem {
    let text = "Client credentials are invalid";
    Problem::oauth(StatusCode::UNAUTHORIZED, "invalid_client", text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&["Basic YXBwOnMzY3JldA=="], Some(("app", "s3cret")))]
    #[case(&["basic YXBwOmE6Yg=="], Some(("app", "a:b")))]
    #[case(&["Basic YXBw"], None)]
    #[case(&["Basic !"], None)]
    #[case(&["Bearer YXBwOnMzY3JldA=="], None)]
    #[case(&["Basic"], None)]
    #[case(&["Basic YXBwOnMzY3JldA==", "Basic YXBwOnMzY3JldA=="], None)]
    #[case(&[], None)]
    fn credentials_are_read(#[case] values: &[&str], #[case] expected: Option<(&str, &str)>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        let expected = expected.map(|(id, secret)| (id.to_owned(), secret.to_owned()));
        assert_eq!(basic(&headers), expected);
    }

    #[test]
    fn fewer_scopes_may_be_asked_for_and_no_others() {
        let own: BTreeSet<ApiScope> = [ApiScope::ChannelsRead, ApiScope::ChannelsWrite].into();
        assert_eq!(scopes(&own, None).unwrap(), own);
        let one = scopes(&own, Some("vcc-chat.channels.read")).unwrap();
        assert_eq!(one, [ApiScope::ChannelsRead].into());
        assert!(scopes(&own, Some("vcc-chat.webhooks.read")).is_err());
        assert!(scopes(&own, Some("everything")).is_err());
    }
}
