//! Authorities and certificates, made for a test, in files that it can replace.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use tempfile::TempDir;

/// An authority of its own.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, PEM.
#[derive(Clone)]
pub struct Issued {
    pub cert: String,
    pub key: String,
    pub der: Vec<u8>,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        // OpenSSL takes whatever has its issuer's name for an authority that signed itself.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        params
            .distinguished_name
            .push(DnType::CommonName, format!("authority {number}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// Its certificate, PEM.
    pub fn pem(&self) -> String {
        self.0.as_ref().pem()
    }

    /// A certificate for servers on this machine.
    pub fn server(&self) -> Issued {
        self.issue(&["localhost", "127.0.0.1"], &[], |_| {})
    }

    /// One that was valid until a year that is over.
    pub fn expired(&self) -> Issued {
        self.issue(&["localhost", "127.0.0.1"], &[], |params| {
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        })
    }

    /// One that is valid until the end of this year, which nobody else uses.
    pub fn until(&self, year: i32) -> Issued {
        self.issue(&["localhost", "127.0.0.1"], &[], |params| {
            params.not_after = date_time_ymd(year, 1, 1);
        })
    }

    /// A certificate for a client with this URI.
    pub fn client(&self, uri: &str) -> Issued {
        self.issue(&[], &[uri], |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        })
    }

    fn issue(&self, hosts: &[&str], uris: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Issued {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        for uri in uris {
            params
                .subject_alt_names
                .push(SanType::URI((*uri).try_into().unwrap()));
        }
        params.distinguished_name.push(DnType::CommonName, "end");
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Issued {
            cert: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().to_vec(),
        }
    }
}

/// Files as Kubernetes mounts a secret: the names are links through one link that is replaced.
pub struct Mounted {
    dir: TempDir,
    versions: std::cell::Cell<usize>,
}

impl Mounted {
    /// With these files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let mounted = Self {
            dir: tempfile::tempdir().unwrap(),
            versions: std::cell::Cell::new(0),
        };
        for (name, _) in files {
            let link = mounted.path(name);
            std::os::unix::fs::symlink(PathBuf::from("current").join(name), link).unwrap();
        }
        mounted.replace(files);
        mounted
    }

    /// Replaces all files at one instant.
    pub fn replace(&self, files: &[(&str, &str)]) {
        let number = self.versions.get() + 1;
        self.versions.set(number);
        let version = self.dir.path().join(format!("version-{number}"));
        std::fs::create_dir(&version).unwrap();
        for (name, content) in files {
            std::fs::write(version.join(name), content).unwrap();
        }
        let next = self.dir.path().join("next");
        std::os::unix::fs::symlink(&version, &next).unwrap();
        std::fs::rename(next, self.dir.path().join("current")).unwrap();
    }

    /// Replaces a server's certificate, key and, where they are mounted, its client authorities.
    pub fn serve(&self, issued: &Issued) {
        self.replace(&[("tls.crt", &issued.cert), ("tls.key", &issued.key)]);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// As text, for a setting.
    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }
}
