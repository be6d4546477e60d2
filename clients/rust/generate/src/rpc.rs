//! The methods of the contract, as the code needs to know them.

use std::collections::BTreeMap;

use prost_types::{
    DescriptorProto, FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto,
    field_descriptor_proto::{Label, Type},
    method_options::IdempotencyLevel,
};

/// A method.
pub(crate) struct Rpc {
    /// Such as `chatbridge.v1.ConversationService/SendMessage`.
    pub(crate) name: String,
    /// Such as `send_message`.
    pub(crate) snake: String,
    /// Such as `SendMessageRequest`.
    pub(crate) request: String,
    /// Such as `SendMessageResponse`.
    pub(crate) response: String,
    /// `Unknown`, `Idempotent` or `NoSideEffects`.
    pub(crate) idempotency: &'static str,
    /// Whether either side streams.
    pub(crate) streamed: bool,
    /// What the contract says of it, line by line.
    pub(crate) comment: Vec<String>,
    /// Whether the request has a `tenant`.
    pub(crate) has_tenant: bool,
    /// Whether the request has a `request_id`.
    pub(crate) has_request_id: bool,
    /// What a page has, where it is a list.
    pub(crate) items: Option<Items>,
}

/// The items of a page.
pub(crate) struct Items {
    /// Their field, such as `messages`.
    pub(crate) field: String,
    /// Their type, such as `Message`.
    pub(crate) message: String,
}

/// All methods, in the order of the contract's files.
pub(crate) fn all(descriptors: &FileDescriptorSet) -> Vec<Rpc> {
    let messages: BTreeMap<String, &DescriptorProto> = descriptors
        .file
        .iter()
        .flat_map(|file| {
            file.message_type
                .iter()
                .map(|message| (format!(".{}.{}", file.package(), message.name()), message))
        })
        .collect();
    let mut rpcs = Vec::new();
    for file in &descriptors.file {
        for (at, service) in file.service.iter().enumerate() {
            for (index, method) in service.method.iter().enumerate() {
                let name = format!("{}.{}/{}", file.package(), service.name(), method.name());
                let comment = comment(file, &[6, position(at), 2, position(index)]);
                rpcs.push(rpc(name, method, comment, &messages));
            }
        }
    }
    rpcs
}

fn rpc(
    name: String,
    method: &MethodDescriptorProto,
    comment: Vec<String>,
    messages: &BTreeMap<String, &DescriptorProto>,
) -> Rpc {
    let has = |field: &str| {
        messages.get(method.input_type()).is_some_and(|message| {
            message
                .field
                .iter()
                .any(|known| known.name() == field && known.r#type() == Type::String)
        })
    };
    Rpc {
        name,
        snake: snake(method.name()),
        request: last(method.input_type()),
        response: last(method.output_type()),
        idempotency: match method
            .options
            .as_ref()
            .map_or(IdempotencyLevel::IdempotencyUnknown, |it| it.idempotency_level())
        {
            IdempotencyLevel::IdempotencyUnknown => "Unknown",
            IdempotencyLevel::Idempotent => "Idempotent",
            IdempotencyLevel::NoSideEffects => "NoSideEffects",
        },
        streamed: method.client_streaming() || method.server_streaming(),
        comment,
        has_tenant: has("tenant"),
        has_request_id: has("request_id"),
        items: if has("page_token") {
            messages.get(method.output_type()).and_then(|page| items(page))
        } else {
            None
        },
    }
}

fn items(page: &DescriptorProto) -> Option<Items> {
    let field = page
        .field
        .iter()
        .find(|field| field.label() == Label::Repeated && field.r#type() == Type::Message)?;
    Some(Items {
        field: field.name().to_owned(),
        message: last(field.type_name()),
    })
}

fn comment(file: &FileDescriptorProto, path: &[i32]) -> Vec<String> {
    let locations = file.source_code_info.iter().flat_map(|info| &info.location);
    let text = locations
        .filter(|location| location.path == path)
        .map(|location| location.leading_comments());
    text.flat_map(str::lines)
        .map(|line| line.trim().to_owned())
        .collect()
}

fn position(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

fn last(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_owned()
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
