//! Compiles the contract with protox, so that building needs no `protoc`.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

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
    let descriptors = protox::compile(FILES, ["proto"])?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    // Reflection and the command line's JSON both read this.
    fs::write(out.join("chatbridge.bin"), descriptors.encode_to_vec())?;

    tonic_prost_build::configure()
        .bytes(".")
        // Ordered maps, so that equal requests have equal encodings: their digest tells a repeat from a reuse.
        .btree_map(".")
        .compile_fds(descriptors.clone())?;

    // The stream is served once more from its own trait: its response is bytes that were encoded when the event was
    // appended, so that a thousand subscribers cost one encoding. Only the server side of that one service.
    let streaming = prost_types::FileDescriptorSet {
        file: descriptors
            .file
            .into_iter()
            .filter(|f| f.name() == "chatbridge/v1/agent_event_service.proto")
            .collect(),
    };
    let encoded = out.join("encoded");
    fs::create_dir_all(&encoded)?;
    tonic_prost_build::configure()
        .build_client(false)
        .out_dir(&encoded)
        .extern_path(
            ".chatbridge.v1.AgentEventsResponse",
            "crate::grpc::encoded::EncodedResponse",
        )
        .extern_path(".chatbridge.v1", "crate::grpc::proto")
        .codec_path("crate::grpc::encoded::LeanCodec")
        .compile_fds(streaming)?;
    Ok(())
}
