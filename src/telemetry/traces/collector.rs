//! The collector, as a client of OTLP over gRPC sees it.

use std::{error::Error as _, fs, time::Duration};

use opentelemetry_proto::{
    tonic::collector::trace::v1::{ExportTraceServiceRequest, trace_service_client::TraceServiceClient},
    transform::{
        common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope,
    },
};
use opentelemetry_sdk::{Resource, trace::SpanData};
use secrecy::ExposeSecret as _;
use tonic::{
    Code, Request, Status,
    metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

use super::TraceSettings;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one request may take: OTLP's own default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where spans go.
pub(super) struct Collector {
    client: TraceServiceClient<Channel>,
    headers: MetadataMap,
    resource: ResourceAttributesWithSchema,
}

/// Why spans were not taken.
pub(super) struct Refused {
    /// For a person.
    pub(super) problem: String,
    /// Whether they may be taken later.
    pub(super) may_repeat: bool,
}

impl Collector {
    /// It is connected to when it is first needed. The error is a sentence.
    pub(super) fn new(settings: &TraceSettings, resource: &Resource) -> Result<Self, String> {
        let mut endpoint = Endpoint::from_shared(settings.endpoint.to_string())
            .map_err(|_| "otlp_endpoint is not a URL that can be connected to".to_owned())?
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT);
        if settings.endpoint.scheme() == "https" {
            endpoint = endpoint
                .tls_config(tls(settings)?)
                .map_err(|error| format!("TLS to the collector cannot be set up: {error}"))?;
        }
        let mut headers = MetadataMap::new();
        for (name, value) in &settings.headers {
            let name: AsciiMetadataKey = name
                .parse()
                .map_err(|_| "otlp_headers has a name that cannot be sent".to_owned())?;
            let mut value: AsciiMetadataValue = value
                .expose_secret()
                .parse()
                .map_err(|_| format!("otlp_headers has a value of {name} that cannot be sent"))?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        Ok(Self {
            client: TraceServiceClient::new(endpoint.connect_lazy()),
            headers,
            resource: resource.into(),
        })
    }

    /// Sends spans, and answers how many of them the collector did not take.
    pub(super) async fn send(&self, spans: Vec<SpanData>) -> Result<u64, Refused> {
        let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
        let mut request = Request::new(ExportTraceServiceRequest { resource_spans });
        request.metadata_mut().clone_from(&self.headers);
        let answer = self.client.clone().export(request).await.map_err(refused)?;
        let rejected = answer
            .into_inner()
            .partial_success
            .map(|part| part.rejected_spans);
        Ok(rejected.and_then(|n| n.try_into().ok()).unwrap_or_default())
    }
}

fn tls(settings: &TraceSettings) -> Result<ClientTlsConfig, String> {
    let Some(path) = &settings.tls_ca else {
        return Ok(ClientTlsConfig::new().with_webpki_roots());
    };
    let pem = fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    Ok(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)))
}

/// What OTLP says of each code: <https://opentelemetry.io/docs/specs/otlp/#failures>.
#[allow(clippy::needless_pass_by_value, reason = "as an error is handed on")]
fn refused(status: Status) -> Refused {
    let may_repeat = matches!(
        status.code(),
        Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss
            | Code::ResourceExhausted
            // What the transport makes of a connection that broke.
            | Code::Unknown
    );
    // The collector's own words may hold anything; those of the connection say what is wrong with it.
    let mut cause = status.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    let cause = cause.map(|cause| format!(", {cause}")).unwrap_or_default();
    Refused {
        problem: format!("{:?}{cause}", status.code()),
        may_repeat,
    }
}
