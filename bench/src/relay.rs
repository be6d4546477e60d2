//! The least that can stand between two: it passes bytes on, and knows nothing of them.

use std::path::Path;

use tokio::{
    io::copy_bidirectional_with_sizes,
    net::{TcpListener, TcpStream},
};

use crate::{Result, events::floor::write_ready};

/// What is read at once.
const BUFFER_BYTES: usize = 256 << 10;

/// Serves until it is killed.
pub(crate) async fn serve(ready: &str, to: &str) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    write_ready(
        Path::new(ready),
        &serde_json::json!({ "relay": listener.local_addr()? }),
    )?;
    loop {
        let (mut near, _) = listener.accept().await?;
        let mut far = TcpStream::connect(to).await?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        tokio::spawn(async move {
            // However it ends, both ends see it.
            let _ = copy_bidirectional_with_sizes(&mut near, &mut far, BUFFER_BYTES, BUFFER_BYTES).await;
        });
    }
}
