//! Every RPC, called by everybody.

use chatbridge::access::{
    Role,
    rule::{RPCS, Rpc, Rule},
};
use tonic::{Code, Request, Status, transport::Channel};

use super::{ACME, GLOBEX, World, by, caller, reason};
use crate::support::dynamic;

/// Who calls, and what they may.
struct Somebody {
    name: &'static str,
    token: Option<String>,
    /// Their role for the tenant that the calls name.
    role: Result<Role, (Code, &'static str)>,
}

/// What came of a call: `None`, it was let in.
type Refused = Option<(Code, String)>;

fn refused(answer: Result<(), Status>) -> Refused {
    let status = answer.err()?;
    let is_refusal = matches!(status.code(), Code::Unauthenticated | Code::PermissionDenied);
    is_refusal.then(|| (status.code(), reason(&status)))
}

fn expected(rpc: &Rpc, who: &Somebody) -> Refused {
    let Rule::Role(needed) = rpc.rule else {
        return None;
    };
    match who.role {
        Ok(role) if role >= needed => None,
        Ok(_) => Some((Code::PermissionDenied, "ROLE_DENIED".to_owned())),
        // The reflection names no tenant.
        Err((_, "TENANT_DENIED")) if rpc.path.starts_with("/grpc.") => None,
        Err((code, reason)) => Some((code, reason.to_owned())),
    }
}

async fn call(channel: &Channel, rpc: &Rpc, token: Option<&str>) -> Refused {
    if let Some(ours) = rpc.path.strip_prefix("/chatbridge.v1.") {
        let request = with(token, dynamic::naming(ours, ACME));
        return refused(dynamic::open(channel, ours, request).await);
    }
    refused(foreign(channel, rpc.path, with(token, ())).await)
}

fn with<T>(token: Option<&str>, message: T) -> Request<T> {
    match token {
        Some(token) => by(token, message),
        None => Request::new(message),
    }
}

/// A call of health or reflection.
async fn foreign(channel: &Channel, path: &str, request: Request<()>) -> Result<(), Status> {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    use tonic_reflection::pb::{
        v1::{
            ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
            server_reflection_request::MessageRequest,
        },
        v1alpha,
    };
    let (metadata, extensions, ()) = request.into_parts();
    if path.contains("Health") {
        let asked = Request::from_parts(metadata, extensions, HealthCheckRequest::default());
        let mut client = HealthClient::new(channel.clone());
        return match path.ends_with("Watch") {
            true => client.watch(asked).await?.into_inner().message().await.map(drop),
            false => client.check(asked).await.map(drop),
        };
    }
    if path.contains("v1alpha") {
        let asked = v1alpha::ServerReflectionRequest {
            message_request: Some(v1alpha::server_reflection_request::MessageRequest::ListServices(
                String::new(),
            )),
            ..Default::default()
        };
        let asked = Request::from_parts(metadata, extensions, futures_util::stream::iter([asked]));
        let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel.clone());
        let mut answers = client.server_reflection_info(asked).await?.into_inner();
        return answers.message().await.map(drop);
    }
    let asked = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let asked = Request::from_parts(metadata, extensions, futures_util::stream::iter([asked]));
    let mut client = ServerReflectionClient::new(channel.clone());
    let mut answers = client.server_reflection_info(asked).await?.into_inner();
    answers.message().await.map(drop)
}

fn somebody(name: &'static str, token: &str, role: Result<Role, (Code, &'static str)>) -> Somebody {
    Somebody {
        name,
        token: Some(token.to_owned()).filter(|token| !token.is_empty()),
        role,
    }
}

#[tokio::test]
async fn every_rpc_is_for_those_with_its_role_and_for_nobody_else() {
    let world = World::new().await;
    let tables = [
        world.tenants(),
        caller("static-reader", "reader", ACME),
        caller("static-caller", "caller", ACME),
        caller("static-admin", "admin", ACME),
        caller("stranger", "admin", GLOBEX),
        world.issuer(),
    ]
    .concat();
    let service = world.serve(&tables).await;
    let channel = service.channel().await;
    let issued = |group, seconds| world.pair.token("svc", group, seconds);
    let unauthenticated = |reason| Err((Code::Unauthenticated, reason));
    let everybody = [
        somebody("nobody", "", unauthenticated("CREDENTIALS_MISSING")),
        somebody("a wrong token", "wrong", unauthenticated("CREDENTIALS_INVALID")),
        somebody(
            "an expired token",
            &issued("admin", -60),
            unauthenticated("CREDENTIALS_EXPIRED"),
        ),
        somebody(
            "a forged token",
            &super::Pair::new("k1").token("svc", "admin", 60),
            unauthenticated("CREDENTIALS_INVALID"),
        ),
        somebody(
            "a token without rights",
            &issued("guests", 60),
            Err((Code::PermissionDenied, "ROLE_DENIED")),
        ),
        somebody(
            "another tenant's",
            "stranger",
            Err((Code::PermissionDenied, "TENANT_DENIED")),
        ),
        somebody("a reader", "static-reader", Ok(Role::Reader)),
        somebody("a caller", "static-caller", Ok(Role::Caller)),
        somebody("an admin", "static-admin", Ok(Role::Admin)),
        somebody("an issuer's reader", &issued("reader", 600), Ok(Role::Reader)),
        somebody("an issuer's caller", &issued("caller", 600), Ok(Role::Caller)),
        somebody("an issuer's admin", &issued("admin", 600), Ok(Role::Admin)),
    ];
    let mut calls = 0;
    for rpc in RPCS {
        for who in &everybody {
            let got = call(&channel, rpc, who.token.as_deref()).await;
            assert_eq!(got, expected(rpc, who), "{} by {}", rpc.path, who.name);
            calls += 1;
        }
    }
    assert_eq!(calls, RPCS.len() * everybody.len());
}

#[tokio::test]
async fn a_call_that_does_not_exist_is_that_for_everybody() {
    let world = World::new().await;
    let tables = world.tenants() + &caller("admin", "admin", ACME);
    let service = world.serve(&tables).await;
    let mut client = tonic::client::Grpc::new(service.channel().await);
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let path = "/chatbridge.v1.ConversationService/Nothing".parse().unwrap();
    let answer = client.unary(by("admin", ()), path, codec).await;
    assert_eq!(answer.unwrap_err().code(), Code::Unimplemented);
}
