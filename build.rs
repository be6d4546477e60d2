//! Compiles the contract with protox, so that building needs no `protoc`.

use std::{env, error::Error, fs, path::PathBuf, process::Command};

use prost::Message as _;
use prost_types::{
    FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

const FILES: [&str; 6] = [
    "chatbridge/v1/conversation_service.proto",
    "chatbridge/v1/agent_event_service.proto",
    "chatbridge/v1/session_service.proto",
    "chatbridge/v1/subscription_service.proto",
    "chatbridge/v1/attachment_service.proto",
    "chatbridge/v1/configuration_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    // Shown by the metric chatbridge_build_info, with what a build says of itself in CHATBRIDGE_REVISION.
    println!("cargo::rustc-env=CHATBRIDGE_RUSTC={}", compiler_version()?);
    println!("cargo::rerun-if-env-changed=CHATBRIDGE_REVISION");
    let descriptors = protox::compile(FILES, ["proto"])?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    // Reflection and the command line's JSON both read this.
    fs::write(out.join("chatbridge.bin"), descriptors.encode_to_vec())?;

    tonic_prost_build::configure()
        .bytes(".")
        // Ordered maps, so that equal requests have equal encodings: their digest tells a repeat from a reuse.
        .btree_map(".")
        .compile_fds(descriptors.clone())?;

    fs::write(out.join("subjects.rs"), subjects(&descriptors))?;

    // Streams of events and of files are served by hand (`server.rs` in `src/grpc/events` and `src/grpc/attachments`), so that their
    // bytes need not be copied. The other calls of those services have a server of their own.
    let mut unary: Vec<_> = descriptors.file;
    unary.retain(|file| {
        matches!(
            file.name(),
            "chatbridge/v1/agent_event_service.proto" | "chatbridge/v1/attachment_service.proto"
        )
    });
    for service in unary.iter_mut().flat_map(|file| &mut file.service) {
        service
            .method
            .retain(|method| !method.server_streaming() && !method.client_streaming());
    }
    let unary_out = out.join("unary");
    fs::create_dir_all(&unary_out)?;
    tonic_prost_build::configure()
        .build_client(false)
        .out_dir(&unary_out)
        .extern_path(".chatbridge.v1", "crate::grpc::proto")
        .compile_fds(FileDescriptorSet { file: unary })?;
    Ok(())
}

/// The compiler's version, such as `1.95.0`.
fn compiler_version() -> Result<String, Box<dyn Error>> {
    let rustc = env::var_os("RUSTC").ok_or("RUSTC is not set")?;
    let said = String::from_utf8(Command::new(rustc).arg("--version").output()?.stdout)?;
    let version = said.split_whitespace().nth(1);
    Ok(version.ok_or("rustc --version says nothing")?.to_owned())
}

/// Fields that say what a request is about, as the audit log has them.
const ABOUT: [&str; 9] = [
    "conversation_id",
    "message_id",
    "attachment_id",
    "card_id",
    "webhook_id",
    "channel_id",
    "subscription",
    "stream_id",
    "request_id",
];

/// For every message with a tenant, what it is about: an implementation of `grpc::asker::Subject`.
fn subjects(descriptors: &FileDescriptorSet) -> String {
    let mut code = String::new();
    for message in descriptors.file.iter().flat_map(|file| &file.message_type) {
        let texts: Vec<&str> = message
            .field
            .iter()
            .filter(|field| field.r#type() == Type::String && field.label() != Label::Repeated)
            .filter(|field| field.oneof_index.is_none())
            .map(|field| field.name())
            .collect();
        if !texts.contains(&"tenant") {
            continue;
        }
        let about: String = ABOUT
            .iter()
            .filter(|name| texts.contains(name))
            .map(|name| format!("({name:?}, &*self.{name}), "))
            .collect();
        let name = message.name();
        code += &format!(
            "impl Subject for proto::{name} {{ \
             fn about(&self) -> impl Iterator<Item = (&'static str, &str)> {{ [{about}].into_iter() }} }}\n"
        );
    }
    code
}
