//! Callers who are told by the certificate of their connection.

use std::time::{Duration, SystemTime};

use chatbridge::grpc::proto::{
    agent_event_service_client::AgentEventServiceClient, agent_events_response::Payload,
    session_service_client::SessionServiceClient, *,
};
use tonic::{Code, Request};

use super::{ACME, World, by, caller, caller_with, reason};
use crate::{
    support::{
        certificates::{Authority, Mounted},
        service::PATIENCE,
    },
    tls::channel,
};

const BOT: &str = "spiffe://example.org/bot";

/// The tables of a bot that is known by its certificate, and of somebody with a token.
fn tables(world: &World) -> String {
    let bot = caller_with("bot", "reader", ACME, &[], &format!("identities = [{BOT:?}]"));
    world.tenants() + &bot + &caller("other", "reader", ACME)
}

#[tokio::test]
async fn a_certificate_says_who_calls() {
    let (world, servers, clients) = (World::new().await, Authority::new(), Authority::new());
    let server = servers.server();
    let files = Mounted::new(&[
        ("tls.crt", &server.cert),
        ("tls.key", &server.key),
        ("ca.crt", &clients.pem()),
    ]);
    world.write(&tables(&world));
    let service = world
        .replica(&[
            ("grpc_tls_cert_file", &files.text("tls.crt")),
            ("grpc_tls_key_file", &files.text("tls.key")),
            ("grpc_tls_client_ca_file", &files.text("ca.crt")),
            ("grpc_tls_client_auth", "optional"),
        ])
        .await;
    let ca = servers.pem();
    let list = |channel| async move {
        let mut sessions = SessionServiceClient::new(channel);
        let answer = sessions.list_sessions(ListSessionsRequest::default());
        answer
            .await
            .map(drop)
            .map_err(|status| (status.code(), reason(&status)))
    };

    let bot = channel(&service, &ca, Some(&clients.client(BOT))).await.unwrap();
    assert_eq!(list(bot.clone()).await, Ok(()));
    let stranger = clients.client("spiffe://example.org/stranger");
    let stranger = channel(&service, &ca, Some(&stranger)).await.unwrap();
    assert_eq!(
        list(stranger).await,
        Err((Code::PermissionDenied, "ROLE_DENIED".into()))
    );
    let nobody = channel(&service, &ca, None).await.unwrap();
    assert_eq!(
        list(nobody.clone()).await,
        Err((Code::Unauthenticated, "CREDENTIALS_MISSING".into()))
    );
    let mut sessions = SessionServiceClient::new(nobody);
    assert!(
        sessions
            .list_sessions(by("other", ListSessionsRequest::default()))
            .await
            .is_ok()
    );
    // A wrong token is not made up for.
    let mut sessions = SessionServiceClient::new(bot);
    let refused = sessions
        .list_sessions(by("wrong", ListSessionsRequest::default()))
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "CREDENTIALS_INVALID");

    let ends = SystemTime::now() + Duration::from_secs(3);
    let short = clients.client_for(BOT, Duration::from_secs(3));
    let short = channel(&service, &ca, Some(&short)).await.unwrap();
    let mut events = AgentEventServiceClient::new(short.clone());
    let opened = events
        .agent_events(Request::new(AgentEventsRequest::default()))
        .await;
    let mut stream = opened.unwrap().into_inner();
    let ending = loop {
        let response = tokio::time::timeout(PATIENCE, stream.message())
            .await
            .expect("an ending");
        if let Some(Payload::Ending(ending)) = response.unwrap().expect("an ending").payload {
            break ending;
        }
    };
    assert_eq!(ending.reason(), EndingReason::Unauthorized);
    assert_eq!(ending.reconnect(), ReconnectAdvice::Now);
    let late = SystemTime::now().duration_since(ends).unwrap_or_default();
    assert!(late < Duration::from_secs(5), "{late:?}");
    // On the same connection, which outlives the certificate.
    assert_eq!(
        list(short).await,
        Err((Code::Unauthenticated, "CREDENTIALS_EXPIRED".into()))
    );
}
