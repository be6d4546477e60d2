//! Calls by name with JSON in and JSON out, so that a test can be a table.

use std::sync::LazyLock;

use bytes::{Buf as _, BufMut as _, Bytes};
use chatbridge::grpc::proto::DESCRIPTORS;
use futures_util::stream;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor, ServiceDescriptor};
use serde_json::Value;
use tonic::{
    Request, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).unwrap());

/// The services of the contract.
pub fn services() -> Vec<ServiceDescriptor> {
    POOL.services().collect()
}

/// A method by its name, such as `ConversationService/GetMessage`.
pub fn method(name: &str) -> MethodDescriptor {
    let (service, method) = name.split_once('/').unwrap();
    let service = POOL
        .get_service_by_name(&format!("chatbridge.v1.{service}"))
        .unwrap_or_else(|| panic!("no service {service}"));
    let found = service.methods().find(|m| m.name() == method);
    found.unwrap_or_else(|| panic!("no method {name}"))
}

/// Calls a method with these requests, one unless it streams, and answers what came back.
pub async fn call(channel: &Channel, name: &str, requests: &[Value]) -> Result<Vec<Value>, Status> {
    call_with(channel, name, Request::new(requests.to_vec())).await
}

/// As [`call`], with metadata.
pub async fn call_with(
    channel: &Channel,
    name: &str,
    requests: Request<Vec<Value>>,
) -> Result<Vec<Value>, Status> {
    let method = method(name);
    let input = method.input();
    let requests = requests.map(|all| {
        let encoded: Vec<Bytes> = all.iter().map(|json| encode(&input, json)).collect();
        stream::iter(encoded)
    });
    let mut client = tonic::client::Grpc::new(channel.clone());
    client
        .ready()
        .await
        .map_err(|error| Status::unavailable(error.to_string()))?;
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let path = PathAndQuery::try_from(path).unwrap();
    let mut answers = client.streaming(requests, path, Raw).await?.into_inner();
    let mut all = Vec::new();
    while let Some(answer) = answers.message().await? {
        all.push(decode(&method.output(), answer));
    }
    Ok(all)
}

fn encode(descriptor: &MessageDescriptor, json: &Value) -> Bytes {
    let message = DynamicMessage::deserialize(descriptor.clone(), json)
        .unwrap_or_else(|error| panic!("{json} is no {}: {error}", descriptor.name()));
    message.encode_to_vec().into()
}

/// A request of a method that names a tenant, wherever its request has that, and says nothing else.
pub fn naming(name: &str, tenant: &str) -> Value {
    let input = method(name).input();
    match input.get_field_by_name("tenant") {
        Some(_) => serde_json::json!({ "tenant": tenant }),
        None => serde_json::json!({ "start": { "tenant": tenant } }),
    }
}

/// Opens a call with one request and waits until it is answered, not until it ends.
pub async fn open(channel: &Channel, name: &str, request: Request<Value>) -> Result<(), Status> {
    let method = method(name);
    let input = method.input();
    let request = request.map(|json| stream::iter([encode(&input, &json)]));
    let mut client = tonic::client::Grpc::new(channel.clone());
    client
        .ready()
        .await
        .map_err(|error| Status::unavailable(error.to_string()))?;
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let mut answers = client
        .streaming(request, PathAndQuery::try_from(path).unwrap(), Raw)
        .await?
        .into_inner();
    answers.message().await.map(drop)
}

fn decode(descriptor: &MessageDescriptor, bytes: Bytes) -> Value {
    let message = DynamicMessage::decode(descriptor.clone(), bytes).unwrap();
    serde_json::to_value(message).unwrap()
}

/// Messages as the bytes that they are.
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = from.remaining();
        Ok(Some(from.copy_to_bytes(length)))
    }
}
