//! Certificates of the ports and for Redis.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::{
    Options, Report,
    finding::{TLS_CHAIN, TLS_DATES, TLS_FILES, TLS_NAMES},
};
use crate::{
    config::Config,
    tls::{Inspected, TlsFiles},
};

/// How long before a certificate's end somebody should look: most are renewed earlier.
const RENEWED_BEFORE: Duration = Duration::from_secs(14 * 24 * 3600);

pub(super) fn examine(config: &Config, options: &Options, report: &mut Report) {
    if let Some(files) = &config.grpc_tls {
        port("grpc", files, report);
    }
    if let Some(files) = &config.webhook_tls
        && let Some(inspected) = port("webhook", files, report)
    {
        names(&inspected, options, report);
    }
    let chat_v2 = config.chat_v2.as_ref().and_then(|it| it.tls.as_ref());
    if let Some(files) = chat_v2 {
        port("chat_v2", files, report);
    }
    redis(config, report);
    let has_any = [&config.grpc_tls, &config.webhook_tls]
        .into_iter()
        .any(Option::is_some)
        || chat_v2.is_some();
    if !has_any && config.redis_tls == Default::default() {
        report.ok(
            TLS_FILES,
            "",
            "No port has a certificate, and none is set for Redis.",
        );
    }
}

fn port(name: &str, files: &TlsFiles, report: &mut Report) -> Option<Inspected> {
    let inspected = match files.inspect() {
        Ok(inspected) => inspected,
        Err(error) => {
            report.error(
                TLS_FILES,
                name,
                format!("{error}."),
                format!(
                    "Check {name}_tls_cert_file, {name}_tls_key_file and {name}_tls_client_ca_file: PEM files that the \
                     user who runs the service may read."
                ),
            );
            return None;
        }
    };
    match &inspected.usable {
        Ok(()) => report.ok(TLS_FILES, name, "Certificate and key can be read, and belong together."),
        Err(error) => report.error(
            TLS_FILES,
            name,
            format!("{error}."),
            format!(
                "Put the key of this certificate into {name}_tls_key_file, or the certificate of this key into \
                 {name}_tls_cert_file; both change together when they are renewed."
            ),
        ),
    }
    dates(name, &inspected, SystemTime::now(), report);
    chain(name, files, &inspected, report);
    Some(inspected)
}

fn dates(name: &str, inspected: &Inspected, now: SystemTime, report: &mut Report) {
    let renew = format!(
        "Renew it, and put the new one into {name}_tls_cert_file and its key into {name}_tls_key_file: a \
                         service that runs takes them up by itself."
    );
    let until = shown(inspected.not_after);
    if inspected.not_after < now {
        report.error(
            TLS_DATES,
            name,
            format!("The certificate has expired: it was valid until {until}."),
            renew,
        );
    } else if inspected.not_before > now {
        report.error(
            TLS_DATES,
            name,
            format!(
                "The certificate is not valid before {}.",
                shown(inspected.not_before)
            ),
            "Set the clock of this machine, or wait until then.",
        );
    } else if inspected.not_after < now + RENEWED_BEFORE {
        report.warning(
            TLS_DATES,
            name,
            format!("The certificate is valid only until {until}."),
            renew,
        );
    } else {
        report.ok(
            TLS_DATES,
            name,
            format!("The certificate is valid until {until}."),
        );
    }
}

fn chain(name: &str, files: &TlsFiles, inspected: &Inspected, report: &mut Report) {
    let Some(gap) = &inspected.breaks_at else {
        return report.ok(TLS_CHAIN, name, "The chain of certificates is whole.");
    };
    let file = files.cert.display();
    let sentence = if gap.is_followed {
        format!(
            "In {file} certificate {} is followed by one that did not issue it.",
            gap.number
        )
    } else {
        format!(
            "{file} holds the server's certificate alone, which was issued by {:?}.",
            gap.issuer
        )
    };
    report.warning(
        TLS_CHAIN,
        name,
        sentence,
        format!(
            "Put the certificate of {:?} behind it in {name}_tls_cert_file, and so on up to the root, unless every client \
             has it as an authority.",
            gap.issuer
        ),
    );
}

fn names(inspected: &Inspected, options: &Options, report: &mut Report) {
    let named = match inspected.names.len() {
        0 => "no host".to_owned(),
        _ => inspected.names.join(", "),
    };
    let host = options.webhook_url.as_ref().and_then(|url| url.host_str());
    match host {
        Some(host) if !inspected.covers(host) => report.error(
            TLS_NAMES,
            "webhook",
            format!("The certificate names {named}, and 8x8 is to reach the door as {host}."),
            format!(
                "Get a certificate with the subject alternative name {host}; a common name says nothing."
            ),
        ),
        Some(host) => report.ok(TLS_NAMES, "webhook", format!("The certificate names {host}.")),
        None if inspected.names.is_empty() => report.error(
            TLS_NAMES,
            "webhook",
            "The certificate names no host in a subject alternative name, so no client believes it.",
            "Get a certificate with the host of the webhook's URL as subject alternative name.",
        ),
        None => report.ok(
            TLS_NAMES,
            "webhook",
            format!("The certificate names {named}; --webhook-url says which is needed."),
        ),
    }
}

fn redis(config: &Config, report: &mut Report) {
    let tls = &config.redis_tls;
    let files = [
        ("redis_tls_ca_file", &tls.ca),
        ("redis_tls_cert_file", &tls.cert),
        ("redis_tls_key_file", &tls.key),
    ];
    let mut is_any = false;
    for (setting, file) in files {
        let Some(file) = file else { continue };
        is_any = true;
        if let Err(error) = crate::tls::read(file) {
            report.error(
                TLS_FILES,
                "redis",
                format!("{error}."),
                format!("Check {setting}: a PEM file that the user who runs the service may read."),
            );
            return;
        }
    }
    if is_any {
        report.ok(TLS_FILES, "redis", "The files for TLS with Redis can be read.");
    }
}

fn shown(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| "an unknown time".to_owned(), |time| time.to_string())
}
