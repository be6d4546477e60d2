//! Deliveries that were signed by another implementation, and the key that they were signed with: `tests/fixtures/webhooks`.

use std::{fs, path::PathBuf, sync::OnceLock};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chatbridge::webhook::{
    VerifyingKey,
    signature::{CUSTOMER, EVENT, RETRY, SIGNATURE, TENANT, TRANSMISSION_TIME},
};
use http::HeaderName;
use serde_json::Value;

/// The headers that the vendor signs, and the one with the signature.
pub static HEADERS: [HeaderName; 6] = [TENANT, CUSTOMER, EVENT, TRANSMISSION_TIME, RETRY, SIGNATURE];

/// A signed delivery.
#[derive(Debug)]
pub struct Delivery {
    /// What its file is called.
    pub name: String,
    /// The values of [`HEADERS`].
    pub headers: [String; 6],
    /// The raw body.
    pub body: Vec<u8>,
}

/// The deliveries, all signed with [`key`].
pub fn deliveries() -> &'static [Delivery] {
    static DELIVERIES: OnceLock<Vec<Delivery>> = OnceLock::new();
    DELIVERIES.get_or_init(|| {
        let files = fs::read_dir(fixtures().join("deliveries")).expect("the fixtures are there");
        let mut deliveries: Vec<Delivery> = files.map(|file| read(&file.unwrap().path())).collect();
        deliveries.sort_by(|a, b| a.name.cmp(&b.name));
        deliveries
    })
}

/// The key as the vendor would answer it.
pub fn jwk() -> &'static str {
    static JWK: OnceLock<String> = OnceLock::new();
    JWK.get_or_init(|| fs::read_to_string(fixtures().join("key.json")).expect("the fixtures are there"))
}

/// The id of [`key`].
pub fn kid() -> &'static str {
    static KID: OnceLock<String> = OnceLock::new();
    KID.get_or_init(|| {
        let jwk: Value = serde_json::from_str(jwk()).unwrap();
        jwk["kid"].as_str().unwrap().to_owned()
    })
}

/// The key that the deliveries were signed with.
pub fn key() -> &'static VerifyingKey {
    static KEY: OnceLock<VerifyingKey> = OnceLock::new();
    KEY.get_or_init(|| VerifyingKey::from_jwk(jwk(), kid()).expect("the key of the fixtures is one"))
}

/// What the first of the deliveries has signed, and its signature.
pub fn known_answer() -> (&'static [u8], &'static [u8]) {
    static KNOWN: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    let (input, signature) = KNOWN.get_or_init(|| {
        let delivery = &deliveries()[0];
        let [tenant, customer, event, sent_ms, retry, signature] = &delivery.headers;
        let checksum = crc32fast::hash(&delivery.body);
        let (protected, signature) = signature.split_once("..").unwrap();
        let input = format!(
            r#"{protected}.{{"checksum":{checksum},"cid":"{customer}","eid":"{event}","retry":{retry},"tid":"{tenant}","tt":{sent_ms}}}"#
        );
        (input.into_bytes(), URL_SAFE_NO_PAD.decode(signature).unwrap())
    });
    (input, signature)
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/webhooks")
}

fn read(path: &std::path::Path) -> Delivery {
    let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let header = |name: &HeaderName| file["headers"][name.as_str()].as_str().unwrap().to_owned();
    Delivery {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        headers: HEADERS.each_ref().map(header),
        body: STANDARD.decode(file["body_base64"].as_str().unwrap()).unwrap(),
    }
}
