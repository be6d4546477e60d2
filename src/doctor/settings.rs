//! Settings, files with secrets, and who may call.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{
    Report,
    finding::{CALLERS, PATH_SECRET, PLAINTEXT, SECRET_FILES, SETTINGS},
};
use crate::{config::Config, gateway::is_loopback};

/// Bits of a file's mode by which everybody may do something with it.
const FOR_EVERYBODY: u32 = 0o007;

/// What is wrong with a setting.
pub(super) fn mistake(report: &mut Report, mistake: &str) {
    let remedy = if mistake.contains("_LISTEN: is not a loopback address") {
        "Set token_sha256 (`chatbridge token` makes one), [[callers]] or [[jwt_issuers]], or listen on 127.0.0.1."
    } else if mistake.contains("is required and not set") {
        "Set it in the file or as a variable; docs/configuration.md lists all settings."
    } else if mistake.contains("cannot be read") {
        "Check that the file is there, and that the user who runs the service may read it."
    } else if mistake.contains("there is no such setting") {
        "Correct its name, or take it out; docs/configuration.md lists all settings."
    } else {
        "Correct it as the sentence says; docs/configuration.md lists all settings with their ranges."
    };
    report.error(SETTINGS, "", mistake, remedy);
}

pub(super) fn examine(config: &Config, report: &mut Report) {
    report.ok(SETTINGS, "", "The settings can be read, and none is wrong.");
    secret_files(config, report);
    callers(config, report);
    plaintext(config, report);
    path_secret(config, report);
}

fn secret_files(config: &Config, report: &mut Report) {
    let mut files: Vec<PathBuf> = config.origin.secret_files();
    let ports = [&config.grpc_tls, &config.webhook_tls];
    files.extend(ports.into_iter().flatten().map(|tls| tls.key.clone()));
    if let Some(chat_v2) = &config.chat_v2 {
        files.extend(chat_v2.tls.as_ref().map(|tls| tls.key.clone()));
        files.extend(chat_v2.signing_key_file.clone());
    }
    files.extend(config.redis_tls.key.clone());
    let master_keys = config.master_keys.as_ref().and_then(|ring| ring.file());
    files.extend(master_keys.map(Path::to_owned));
    files.sort();
    files.dedup();
    let before = report.findings.len();
    for file in &files {
        secret_file(file, report);
    }
    if report.findings.len() == before {
        let sentence = match files.len() {
            0 => "No file holds a secret.".to_owned(),
            n => format!("{n} file(s) hold secrets, and not everybody may read or change them."),
        };
        report.ok(SECRET_FILES, "", sentence);
    }
}

fn secret_file(file: &Path, report: &mut Report) {
    let shown = file.display().to_string();
    match fs::metadata(file) {
        Ok(metadata) if metadata.permissions().mode() & FOR_EVERYBODY != 0 => {
            let mode = metadata.permissions().mode() & 0o777;
            report.warning(
                SECRET_FILES,
                &shown,
                format!("It holds a secret, and everybody on this machine may read or change it (mode {mode:03o})."),
                format!("chmod o-rwx {shown}, and let the user who runs the service own it."),
            );
        }
        Ok(_) => {}
        Err(error) => report.error(
            SECRET_FILES,
            &shown,
            format!("It cannot be looked at: {error}."),
            "Check that the file is there, and that the user who runs the service may read it.",
        ),
    }
}

fn callers(config: &Config, report: &mut Report) {
    // A port that others reach is refused without, as a mistake in the settings.
    let sentence = if config.policy.is_open() {
        "Callers are not asked who they are; only this machine reaches the gRPC port."
    } else {
        "Callers are asked who they are."
    };
    report.ok(CALLERS, "", sentence);
}

fn plaintext(config: &Config, report: &mut Report) {
    let before = report.findings.len();
    if is_open(config.grpc_listen) && config.grpc_tls.is_none() {
        report.warning(
            PLAINTEXT,
            "grpc",
            "Others reach the gRPC port, and it speaks without TLS: tokens and customers' words can be read on the way.",
            "Set grpc_tls_cert_file and grpc_tls_key_file, or let only a proxy that ends TLS reach the port.",
        );
    }
    if let Some(chat_v2) = &config.chat_v2
        && is_open(chat_v2.listen)
        && chat_v2.tls.is_none()
    {
        report.warning(
            PLAINTEXT,
            "chat_v2",
            "Others reach the port for Chat API v2, and it speaks without TLS: clients' secrets and customers' words can be read \
             on the way.",
            "Set chat_v2_tls_cert_file and chat_v2_tls_key_file, or let only a proxy that ends TLS reach the port.",
        );
    }
    for tenant in &config.tenants {
        if tenant.gateway_url.scheme() == "http" && !is_loopback(&tenant.gateway_url) {
            report.error(
                PLAINTEXT,
                tenant.id.as_str(),
                "The API key goes to the Chat Gateway over a network without TLS.",
                "Let gateway_url begin with https://.",
            );
        }
    }
    if report.findings.len() == before {
        report.ok(PLAINTEXT, "", "Nothing secret leaves this machine without TLS.");
    }
}

fn path_secret(config: &Config, report: &mut Report) {
    if config.webhook_path_secret.is_some() {
        report.ok(PATH_SECRET, "", "The path of the webhook door holds a secret.");
    } else if !is_open(config.webhook_listen) {
        report.ok(
            PATH_SECRET,
            "",
            "The webhook door has no secret in its path; it listens on this machine only.",
        );
    } else {
        report.warning(
            PATH_SECRET,
            "",
            "Others reach the webhook door, and its path holds no secret: whoever got hold of one signed delivery could \
             make another body of the same checksum and send it under that signature for some minutes.",
            "Set webhook_path_secret (`openssl rand -hex 24` makes one), and put it at the end of the webhook's URL at 8x8.",
        );
    }
}

fn is_open(address: SocketAddr) -> bool {
    !address.ip().is_loopback()
}
