//! Settings of traces.

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue};
use url::Url;

use super::Reader;
use crate::telemetry::traces::TraceSettings;

/// A mistake that has been noted.
pub(super) struct Mistaken;

impl Reader {
    /// How traces are exported; `None` where they are not.
    pub(super) fn traces(&mut self) -> Result<Option<TraceSettings>, Mistaken> {
        let endpoint = self.otlp_endpoint();
        let headers = self.otlp_headers();
        let tls_ca = self.path("otlp_tls_ca_file");
        let ratio = self.parsed::<f64>("trace_sample_ratio", "a number from 0 to 1");
        if ratio.is_some_and(|ratio| !(0.0..=1.0).contains(&ratio)) {
            self.mistake("trace_sample_ratio", "is not a number from 0 to 1");
        }
        let upstream = self.parsed("trace_upstream", "true or false");
        let endpoint = endpoint?;
        for name in ["otlp_headers", "otlp_tls_ca_file"] {
            if endpoint.is_none() && self.is_given(name) {
                self.mistake(name, "is of no use without otlp_endpoint");
            }
        }
        let Some(endpoint) = endpoint else { return Ok(None) };
        if endpoint.scheme() == "http" && tls_ca.is_some() {
            self.mistake(
                "otlp_tls_ca_file",
                "is of no use, since otlp_endpoint does not begin with https: let it begin so, or leave the file out",
            );
        }
        Ok(Some(TraceSettings {
            endpoint,
            headers: headers?,
            tls_ca,
            sample_ratio: ratio.ok_or(Mistaken)?,
            upstream: upstream.ok_or(Mistaken)?,
        }))
    }

    /// The value is never shown: people put credentials into URLs, although none belong here.
    fn otlp_endpoint(&mut self) -> Result<Option<Url>, Mistaken> {
        let value = self.text("otlp_endpoint");
        if value.is_empty() {
            return Ok(None);
        }
        let problem = match value.parse::<Url>() {
            Ok(url) if !matches!(url.scheme(), "http" | "https") || url.host().is_none() => {
                "must be an http or https URL with a host"
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "must have no user and no password: what proves who we are belongs into otlp_headers"
            }
            Ok(url) if url.path() != "/" || url.query().is_some() || url.fragment().is_some() => {
                "must have no path, query or fragment: OTLP over gRPC knows none (port 4317; over HTTP, on 4318, it is not spoken)"
            }
            Ok(url) => return Ok(Some(url)),
            Err(_) => "is not a URL such as http://otel-collector:4317",
        };
        self.mistake("otlp_endpoint", problem);
        Err(Mistaken)
    }

    /// In the form of `OTEL_EXPORTER_OTLP_HEADERS`. Values are never shown.
    fn otlp_headers(&mut self) -> Result<Vec<(String, SecretString)>, Mistaken> {
        let value = self.text("otlp_headers");
        let given = value.split(',').map(str::trim).filter(|one| !one.is_empty());
        let mut headers = Vec::new();
        for (n, header) in given.enumerate() {
            let read = header.split_once('=').and_then(|(name, value)| {
                let name = name.trim().to_ascii_lowercase();
                let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
                name.parse::<AsciiMetadataKey>().ok()?;
                value.parse::<AsciiMetadataValue>().ok()?;
                Some((name, SecretString::from(value.into_owned())))
            });
            match read {
                Some(header) => headers.push(header),
                None => {
                    let problem = format!(
                        "header {} is not NAME=VALUE with a name and a value that gRPC can send",
                        n + 1
                    );
                    self.mistake("otlp_headers", &problem);
                    return Err(Mistaken);
                }
            }
        }
        Ok(headers)
    }
}
