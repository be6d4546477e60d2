//! Keeps the web pages of other sites out. The control API asks for no credentials and the key of the REST API is published, and a
//! browser on this machine reaches both on behalf of whatever page is open: one may post a body without a type unasked, and one
//! whose name was made to point at this machine may even read the answers.

use axum::{
    Json,
    extract::Request,
    http::{HeaderMap, HeaderName, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use url::{Host, Url};

/// Passes on what this sandbox's own pages and programs without pages send.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    match refusal(request.headers()) {
        Some(why) => (StatusCode::FORBIDDEN, Json(json!({"error": why}))).into_response(),
        None => next.run(request).await,
    }
}

fn refusal(headers: &HeaderMap) -> Option<&'static str> {
    let text = |name: HeaderName| headers.get(name).map(|it| it.to_str().unwrap_or_default());
    let host = text(header::HOST);
    if host.is_some_and(|it| !is_of_this_machine(it)) {
        return Some(
            "The Host must be an IP address or localhost: by another name, a page of another site could get at the sandbox.",
        );
    }
    let origin = text(header::ORIGIN)?;
    let own = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    let same = own
        .zip(host)
        .is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host));
    (!same).then_some("A web page of another site may not use the sandbox.")
}

/// Whether nobody else can have made the name point here.
fn is_of_this_machine(host: &str) -> bool {
    let Ok(url) = Url::parse(&format!("http://{host}/")) else {
        return false;
    };
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(None, None, true)]
    #[case(Some("127.0.0.1:8088"), None, true)]
    #[case(Some("[::1]:8088"), None, true)]
    #[case(Some("localhost:8088"), Some("http://localhost:8088"), true)]
    #[case(Some("localhost:8088"), Some("http://LOCALHOST:8088"), true)]
    #[case(Some("localhost:8088"), Some("http://localhost:3000"), false)]
    #[case(Some("127.0.0.1:8088"), Some("http://localhost:8088"), false)]
    #[case(Some("127.0.0.1:8088"), Some("https://shop.example"), false)]
    #[case(Some("127.0.0.1:8088"), Some("null"), false)]
    #[case(Some("shop.example"), None, false)]
    #[case(Some("shop.example:8088"), Some("http://shop.example:8088"), false)]
    #[case(Some("localhost.shop.example"), None, false)]
    #[case(Some("x@127.0.0.1.shop.example"), None, false)]
    #[case(Some(""), None, false)]
    fn only_pages_of_this_sandbox_are_let_in(
        #[case] host: Option<&str>,
        #[case] origin: Option<&str>,
        #[case] let_in: bool,
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::HOST, host), (header::ORIGIN, origin)] {
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        }
        assert_eq!(refusal(&headers).is_none(), let_in);
    }
}
