//! What a certificate says: until when it is valid, and whom it names.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::CertificateDer;
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, prelude::FromDer as _, time::ASN1Time,
};

use crate::grpc::line::ClientCertificate;

/// The longest name that is taken, in bytes; SPIFFE allows no longer one.
const NAME_BYTES_MAX: usize = 2048;
const SPIFFE: &str = "spiffe://";

/// From when until when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, String> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err("is no X.509 certificate".into()),
    }
}

fn time(of: ASN1Time) -> SystemTime {
    let seconds = u64::try_from(of.timestamp()).unwrap_or(0);
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// From when until when it is valid.
pub(super) fn validity(der: &CertificateDer<'_>) -> Result<Validity, String> {
    let certificate = parse(der)?;
    let validity = certificate.validity();
    Ok(Validity {
        not_before: time(validity.not_before),
        not_after: time(validity.not_after),
    })
}

/// Whom a client's certificate names. A session that is resumed brings the certificate of the handshake that began it, which
/// may have expired since, so `now` is compared here and not only by the library.
pub(super) fn of_client(der: &CertificateDer<'_>, now: SystemTime) -> Result<ClientCertificate, String> {
    let certificate = parse(der)?;
    let not_after = time(certificate.validity().not_after);
    if not_after < now {
        return Err("has expired".into());
    }
    let names = certificate
        .subject_alternative_name()
        .map_err(|_| "has a subject alternative name that cannot be read")?;
    let names = names.map_or(&[][..], |names| &names.value.general_names);
    let uris = names.iter().filter(|name| matches!(name, GeneralName::URI(_)));
    let is_spiffe = |name: &GeneralName<'_>| matches!(name, GeneralName::URI(uri) if uri.starts_with(SPIFFE));
    // Whoever checks only one of several would not know which its issuer vouched for (X.509-SVID, section 2).
    if uris.count() > 1 && names.iter().any(is_spiffe) {
        return Err("has a SPIFFE id and another URI beside it".into());
    }
    Ok(ClientCertificate {
        identities: names.iter().filter_map(identity).collect(),
        not_after,
    })
}

fn identity(name: &GeneralName<'_>) -> Option<String> {
    // Names are compared and logged: what cannot be seen has no place in them.
    let is_plain = |text: &str| {
        (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match name {
        GeneralName::URI(uri) if is_plain(uri) => Some((*uri).to_owned()),
        GeneralName::DNSName(name) if is_plain(name) => Some(format!("dns:{}", name.to_ascii_lowercase())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType, date_time_ymd};

    use super::*;

    fn certificate(names: Vec<SanType>) -> CertificateDer<'static> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2030, 1, 1);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn uri(text: &str) -> SanType {
        SanType::URI(text.try_into().unwrap())
    }

    fn dns(text: &str) -> SanType {
        SanType::DnsName(text.try_into().unwrap())
    }

    const BEFORE_2030: u64 = 1_893_455_999;

    #[test]
    fn identities_are_the_uris_and_dns_names_in_their_order() {
        let address = SanType::IpAddress([10, 0, 0, 1].into());
        let names = vec![
            dns("Bot.Example.org"),
            uri("spiffe://example.org/bot"),
            address,
            uri("with space"),
        ];
        // A URI that cannot be meant is no identity, but it is a URI beside a SPIFFE id.
        assert!(of_client(&certificate(names.clone()), at(BEFORE_2030)).is_err());
        let client = of_client(&certificate(names[..3].to_vec()), at(BEFORE_2030)).unwrap();
        assert_eq!(
            client.identities,
            ["dns:bot.example.org", "spiffe://example.org/bot"]
        );
        assert_eq!(client.not_after, at(BEFORE_2030 + 1));
        let client = of_client(&certificate(vec![]), at(BEFORE_2030)).unwrap();
        assert!(client.identities.is_empty());
    }

    #[test]
    fn two_spiffe_ids_are_none() {
        let names = vec![uri("spiffe://a/x"), uri("spiffe://b/y")];
        let refused = of_client(&certificate(names), at(BEFORE_2030)).unwrap_err();
        assert!(refused.contains("SPIFFE"), "{refused}");
        let others = vec![uri("urn:a"), uri("urn:b")];
        assert!(of_client(&certificate(others), at(BEFORE_2030)).is_ok());
    }

    #[test]
    fn what_has_expired_names_nobody() {
        let certificate = certificate(vec![dns("a")]);
        assert!(of_client(&certificate, at(BEFORE_2030 + 1)).is_ok());
        assert!(of_client(&certificate, at(BEFORE_2030 + 2)).is_err());
        assert!(of_client(&CertificateDer::from(vec![0x30, 0x00]), at(0)).is_err());
    }
}
