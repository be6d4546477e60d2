//! TLS for the ports that others reach: certificates from PEM files, which are read again when they change.
//!
//! TLS 1.3 and 1.2 are spoken, by rustls with aws-lc-rs. `files` makes a server's configuration of what the files hold,
//! `reload` keeps the one in force, `certificate` reads what a certificate says, `inspect` looks at what is in the files, and
//! `wire` is a connection with or without TLS.

mod certificate;
mod files;
mod inspect;
mod reload;
mod wire;

pub(crate) use files::read;
pub use files::{ClientAuth, TlsError, TlsFiles};
pub use inspect::{Break, Inspected};
pub use reload::Endpoint;
pub use wire::Wire;

/// Lets libraries that ask for the process's cryptography find ours.
pub fn install_provider() {
    // It fails only where somebody has installed one before, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
