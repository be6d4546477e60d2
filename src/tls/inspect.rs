//! What a port's certificate says, for whoever wants to know whether it will do.

use std::{net::IpAddr, time::SystemTime};

use rustls::pki_types::CertificateDer;
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer as _};

use super::{
    certificate::validity,
    files::{TlsError, TlsFiles, certificates},
};

/// What the files of a port hold.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// Until when the server's own certificate is valid.
    pub not_after: SystemTime,
    /// From when.
    pub not_before: SystemTime,
    /// The hosts that it names: DNS names in lower case, and addresses.
    pub names: Vec<String>,
    /// The first certificate whose issuer is not the next one and not itself: where the way to a root breaks off.
    pub breaks_at: Option<Break>,
    /// Whether the files make a configuration, or why not; dates are left aside.
    pub usable: Result<(), TlsError>,
}

/// Where a chain breaks off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// Which certificate of the file, from 1.
    pub number: usize,
    /// Who issued it, as it says.
    pub issuer: String,
    /// Whether another one stands behind it, which is not its issuer's.
    pub is_followed: bool,
}

impl TlsFiles {
    /// Looks at the files as they are now.
    ///
    /// Fails where they cannot be read or hold no certificate.
    pub fn inspect(&self) -> Result<Inspected, TlsError> {
        let contents = self.read()?;
        let chain = certificates(&self.cert, contents.cert())?;
        let problem = |what: String| TlsError(format!("{}: {what}", self.cert.display()));
        let first = chain
            .first()
            .ok_or_else(|| problem("holds no certificate".into()))?;
        let dates = validity(first).map_err(problem)?;
        Ok(Inspected {
            not_before: dates.not_before,
            not_after: dates.not_after,
            names: names(first),
            breaks_at: breaks_at(&chain),
            // By a time at which it is valid, so that its dates hide nothing else.
            usable: self.build(&contents, &[], dates.not_after).map(drop),
        })
    }
}

impl Inspected {
    /// Whether the certificate names a host: itself, or by `*` for its first label.
    pub fn covers(&self, host: &str) -> bool {
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_ascii_lowercase();
        self.names.iter().any(|name| {
            let wild = name.strip_prefix("*.").zip(host.split_once('.'));
            *name == host || wild.is_some_and(|(rest, (_, parent))| rest == parent)
        })
    }
}

fn names(der: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return Vec::new();
    };
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|ip| ip.to_string()),
        _ => None,
    };
    names.value.general_names.iter().filter_map(name).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(four.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

fn breaks_at(chain: &[CertificateDer<'_>]) -> Option<Break> {
    let parsed: Vec<_> = chain
        .iter()
        .filter_map(|der| {
            X509Certificate::from_der(der)
                .ok()
                .map(|(_, certificate)| certificate)
        })
        .collect();
    for (at, certificate) in parsed.iter().enumerate() {
        let issuer = certificate.issuer();
        if issuer == certificate.subject() {
            return None;
        }
        let next = parsed.get(at + 1);
        if next.is_some_and(|next| next.subject() == issuer) {
            continue;
        }
        // A root is known to clients, so the one before it may be the last.
        if next.is_none() && at > 0 {
            return None;
        }
        return Some(Break {
            number: at + 1,
            issuer: issuer.to_string(),
            is_followed: next.is_some(),
        });
    }
    None
}
