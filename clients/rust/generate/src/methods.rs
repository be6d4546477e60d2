//! The client's methods: one for each call with one request and one response, and an iteration for each list.

use std::fmt::Write as _;

use crate::rpc::{Items, Rpc};

const HEAD: &str = "\
//! The methods of the contract.

use futures_util::Stream;

use crate::{
    Client, Error,
    call::{Idempotency, Method, Prepare, identify, scope},
    pages::pages,
    v1,
};

";

/// `src/methods.rs`.
pub(crate) fn code(rpcs: &[Rpc]) -> String {
    let mut code = HEAD.to_owned();
    for rpc in rpcs {
        constant(&mut code, rpc);
    }
    for rpc in rpcs.iter().filter(|rpc| !rpc.streamed) {
        prepare(&mut code, rpc);
    }
    code += "\nimpl Client {\n";
    for rpc in rpcs.iter().filter(|rpc| !rpc.streamed) {
        method(&mut code, rpc);
        if let Some(items) = &rpc.items {
            iteration(&mut code, rpc, items);
        }
    }
    code += "}\n";
    code
}

fn constant(code: &mut String, rpc: &Rpc) {
    let _ = writeln!(
        code,
        "pub(crate) const {}: Method = Method {{ path: \"/{}\", idempotency: Idempotency::{} }};",
        rpc.snake.to_uppercase(),
        rpc.name,
        rpc.idempotency,
    );
}

fn prepare(code: &mut String, rpc: &Rpc) {
    let tenant = if rpc.has_tenant {
        "scope(&mut self.tenant, tenant);"
    } else {
        "let _ = tenant;"
    };
    let id = if rpc.has_request_id {
        "identify(&mut self.request_id);"
    } else {
        ""
    };
    let _ = writeln!(
        code,
        "\nimpl Prepare for v1::{} {{\n fn prepare(&mut self, tenant: &str) {{ {tenant} {id} }}\n}}",
        rpc.request
    );
}

fn method(code: &mut String, rpc: &Rpc) {
    for line in &rpc.comment {
        let _ = writeln!(code, "    /// {line}");
    }
    let _ = writeln!(
        code,
        "    pub async fn {}(&self, request: v1::{}) -> Result<v1::{}, Error> {{\n        self.unary(&{}, request).await\n    }}\n",
        rpc.snake,
        rpc.request,
        rpc.response,
        rpc.snake.to_uppercase(),
    );
}

fn iteration(code: &mut String, rpc: &Rpc, items: &Items) {
    let name = rpc.snake.replacen("list_", "iterate_", 1);
    let Items { field, message } = items;
    let Rpc { snake, request, .. } = rpc;
    let _ = writeln!(
        code,
        "    /// Every item of [`Client::{snake}`], page after page, from the page of the request on.
    pub fn {name}(
        &self,
        request: v1::{request},
    ) -> impl Stream<Item = Result<v1::{message}, Error>> + Send + use<> {{
        let client = self.clone();
        pages(request, move |mut request| {{
            let client = client.clone();
            async move {{
                let page = client.{snake}(request.clone()).await?;
                request.page_token = page.next_page_token;
                Ok((page.{field}, (!request.page_token.is_empty()).then_some(request)))
            }}
        }})
    }}
"
    );
}
