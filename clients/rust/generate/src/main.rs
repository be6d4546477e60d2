//! Writes what follows from the contract into the Rust client, so that whoever builds it needs neither `protoc` nor the contract.
//!
//! Run in the project's root, with the client's directory, or another of the same shape, as its argument.

mod driver;
mod methods;
mod rpc;

use std::{env, error::Error, fs, path::Path};

use prost_types::FileDescriptorSet;

const HEADER: &str = "// Generated from the contract by `scripts/clients/rust.sh generate`. Do not edit.\n\n";

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::args_os()
        .nth(1)
        .ok_or("usage: chatbridge-client-generate DIRECTORY")?;
    let out = Path::new(&out);

    let contract = protox::compile(contract_files("proto/chatbridge/v1")?, ["proto"])?;
    let rpcs = rpc::all(&contract);
    write(&out.join("src/v1.rs"), &messages(&contract, "chatbridge.v1")?)?;
    write(&out.join("src/methods.rs"), &methods::code(&rpcs))?;

    let protocol = protox::compile(["driver.proto"], ["tests/scenarios"])?;
    write(
        &out.join("examples/driver/protocol.rs"),
        &messages(&protocol, "chatbridge.driver.v1")?,
    )?;
    write(&out.join("examples/driver/dispatch.rs"), &driver::code(&rpcs))?;
    Ok(())
}

fn contract_files(directory: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?
            .file_name()
            .into_string()
            .map_err(|_| "a file's name is not UTF-8")?;
        if name.ends_with(".proto") {
            files.push(format!("chatbridge/v1/{name}"));
        }
    }
    files.sort();
    Ok(files)
}

/// The messages and enums of a package.
fn messages(descriptors: &FileDescriptorSet, package: &str) -> Result<String, Box<dyn Error>> {
    let mut config = prost_build::Config::new();
    // Ordered maps, so that a request that is repeated has the same encoding.
    config.bytes(["."]).btree_map(["."]);
    let wanted = prost_build::Module::from_protobuf_package_name(package);
    let files = descriptors
        .file
        .iter()
        .map(|file| {
            // Methods are written by `methods`.
            let mut file = file.clone();
            file.service.clear();
            (
                prost_build::Module::from_protobuf_package_name(file.package()),
                file,
            )
        })
        .collect();
    config
        .generate(files)?
        .remove(&wanted)
        .ok_or_else(|| format!("{package} has no messages").into())
}

fn write(path: &Path, code: &str) -> Result<(), Box<dyn Error>> {
    fs::write(path, format!("{HEADER}{code}")).map_err(|error| format!("{}: {error}", path.display()).into())
}
