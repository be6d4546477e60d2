//! The driver's calls by their names.

use std::fmt::Write as _;

use crate::rpc::Rpc;

const HEAD: &str = "\
//! The client's methods by their names in the contract.

use bytes::Bytes;
use chatbridge_client::{Client, Error};
use futures_util::TryStreamExt as _;
use prost::Message as _;

use crate::answer::{Wrong, decode};

";

/// `examples/driver/dispatch.rs`.
pub(crate) fn code(rpcs: &[Rpc]) -> String {
    let mut code = HEAD.to_owned();
    code += "/// Makes a call by the client's own method.\n";
    code += "pub(crate) async fn call(client: &Client, method: &str, request: Bytes) -> Result<Result<Vec<u8>, Error>, Wrong> {\n";
    code += "    Ok(match method {\n";
    for rpc in rpcs.iter().filter(|rpc| !rpc.streamed) {
        let _ = writeln!(
            code,
            "        \"{}\" => client.{}(decode(request)?).await.map(|response| response.encode_to_vec()),",
            rpc.name, rpc.snake
        );
    }
    code += "        _ => return Err(Wrong::unknown(method)),\n    })\n}\n\n";
    code += "/// Reads a whole list by the client's own iteration.\n";
    code += "pub(crate) async fn iterate(client: &Client, method: &str, request: Bytes) -> Result<Result<Vec<Bytes>, Error>, Wrong> {\n";
    code += "    Ok(match method {\n";
    for rpc in rpcs.iter().filter(|rpc| rpc.items.is_some()) {
        let _ = writeln!(
            code,
            "        \"{}\" => client.{}(decode(request)?).map_ok(|item| item.encode_to_vec().into()).try_collect().await,",
            rpc.name,
            rpc.snake.replacen("list_", "iterate_", 1),
        );
    }
    code += "        _ => return Err(Wrong::unknown(method)),\n    })\n}\n";
    code
}
