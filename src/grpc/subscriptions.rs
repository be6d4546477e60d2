//! `SubscriptionService`: named subscriptions.

use std::collections::BTreeSet;

use prost_types::Duration;
use tonic::{Request, Response, Status as GrpcStatus};

use super::{
    asker::Asker,
    check::Check,
    convert, paging,
    proto::{self, subscription::Start, subscription_service_server::SubscriptionService},
    source,
};
use crate::{
    error::Error,
    event::{EventKind, TenantId},
    store::{cursor, subscription::LEASE_MAX_MS},
    subscription::{Definition, Kind, StartAt, State, Status, Subscription, Subscriptions},
    tenant::Tenants,
};

const CONVERSATIONS_MAX: usize = 1000;
/// Far more than there are kinds.
const KINDS_MAX: usize = 100;
const LEASE_DEFAULT_MS: u64 = 30_000;
const LEASE_MS: std::ops::RangeInclusive<u64> = 1000..=LEASE_MAX_MS;

/// The service.
pub struct Service {
    /// The subscriptions.
    pub subscriptions: Subscriptions,
    /// Whose they may be.
    pub tenants: Tenants,
}

#[tonic::async_trait]
impl SubscriptionService for Service {
    async fn create_subscription(
        &self,
        request: Request<proto::CreateSubscriptionRequest>,
    ) -> Result<Response<proto::CreateSubscriptionResponse>, GrpcStatus> {
        let asker = Asker::of(&request);
        let request = request.into_inner();
        let mut check = Check::default();
        let asked = request.subscription.unwrap_or_default();
        let definition = definition(&mut check, &asked);
        let tenant = asker.tenant_of(&self.tenants, &request.tenant);
        let tenant = check.of_tenant(tenant)?;
        self.subscriptions
            .create(&tenant.id, &asked.name, definition)
            .await?;
        Ok(Response::new(proto::CreateSubscriptionResponse {
            subscription: Some(self.read(&tenant.id, &asked.name).await?),
        }))
    }

    async fn get_subscription(
        &self,
        request: Request<proto::GetSubscriptionRequest>,
    ) -> Result<Response<proto::GetSubscriptionResponse>, GrpcStatus> {
        let asker = Asker::of(&request);
        let request = request.into_inner();
        let tenant = self.named(&asker, &request.tenant, &request.name)?;
        Ok(Response::new(proto::GetSubscriptionResponse {
            subscription: Some(self.read(&tenant, &request.name).await?),
        }))
    }

    async fn list_subscriptions(
        &self,
        request: Request<proto::ListSubscriptionsRequest>,
    ) -> Result<Response<proto::ListSubscriptionsResponse>, GrpcStatus> {
        let asker = Asker::of(&request);
        let request = request.into_inner();
        let tenant = asker.tenant_of(&self.tenants, &request.tenant);
        let mut check = Check::default();
        let size = check.read(paging::size(request.page_size)) as usize;
        let id = tenant.as_ref().map_or("", |tenant| tenant.id.as_str());
        let scope = paging::scope(&["subscriptions", id, &size.to_string()]);
        let behind = if tenant.is_ok() {
            check.read(paging::name(&request.page_token, scope))
        } else {
            String::new()
        };
        let tenant = check.of_tenant(tenant)?;
        let mut listed = self.subscriptions.list(&tenant.id, &behind, size + 1).await?;
        let more = listed.len() > size;
        listed.truncate(size);
        let last = listed.last().filter(|_| more).map(|(name, _, _)| name.as_str());
        Ok(Response::new(proto::ListSubscriptionsResponse {
            next_page_token: paging::next_name(scope, last),
            subscriptions: listed
                .iter()
                .map(|(name, subscription, status)| to_protobuf(&tenant.id, name, subscription, status))
                .collect(),
        }))
    }

    async fn delete_subscription(
        &self,
        request: Request<proto::DeleteSubscriptionRequest>,
    ) -> Result<Response<proto::DeleteSubscriptionResponse>, GrpcStatus> {
        let asker = Asker::of(&request);
        let request = request.into_inner();
        let tenant = self.named(&asker, &request.tenant, &request.name)?;
        self.subscriptions.delete(&tenant, &request.name).await?;
        Ok(Response::new(proto::DeleteSubscriptionResponse {}))
    }
}

impl Service {
    fn named(&self, asker: &Asker, tenant: &str, name: &str) -> Result<TenantId, Error> {
        let mut check = Check::default();
        source::name(&mut check, "name", name);
        asker.made("subscription", name);
        let tenant = asker.tenant_of(&self.tenants, tenant);
        Ok(check.of_tenant(tenant)?.id)
    }

    async fn read(&self, tenant: &TenantId, name: &str) -> Result<proto::Subscription, Error> {
        let (subscription, status) = self.subscriptions.get(tenant, name).await?;
        Ok(to_protobuf(tenant, name, &subscription, &status))
    }
}

/// Reads a definition. Paths of fields are those of `CreateSubscriptionRequest`.
fn definition(check: &mut Check, asked: &proto::Subscription) -> Definition {
    source::callers_name(check, "subscription.name", &asked.name);
    for (field, is_set) in [
        ("tenant", !asked.tenant.is_empty()),
        ("create_time", asked.create_time.is_some()),
        ("state", asked.state != 0),
        ("members", !asked.members.is_empty()),
        ("lag_at_most", asked.lag_at_most != 0),
        ("last_commit_time", asked.last_commit_time.is_some()),
    ] {
        if is_set {
            check.fail(&format!("subscription.{field}"), "is output only: leave it empty");
        }
    }
    let kind = match asked.r#type() {
        proto::SubscriptionType::Durable => Kind::Durable,
        proto::SubscriptionType::Shared => Kind::Shared,
        proto::SubscriptionType::Unspecified => {
            check.fail("subscription.type", "is required: DURABLE or SHARED");
            Kind::Durable
        }
    };
    if kind == Kind::Shared && !asked.conversation_ids.is_empty() {
        let problem = "may be set for DURABLE only: members of a SHARED subscription split all conversations";
        check.fail("subscription.conversation_ids", problem);
    }
    Definition {
        kind,
        conversations: conversations(check, &asked.conversation_ids),
        kinds: kinds(check, &asked.kinds),
        echoes: asked.include_echoes,
        start: start(check, asked.start.as_ref()),
        lease_ms: lease_ms(check, asked.lease.as_ref()),
    }
}

fn conversations(check: &mut Check, ids: &[String]) -> BTreeSet<String> {
    check.count("subscription.conversation_ids", ids.len(), CONVERSATIONS_MAX);
    for (i, id) in ids.iter().take(CONVERSATIONS_MAX).enumerate() {
        check.identifier(&format!("subscription.conversation_ids[{i}]"), id);
    }
    ids.iter().take(CONVERSATIONS_MAX).cloned().collect()
}

fn kinds(check: &mut Check, kinds: &[i32]) -> BTreeSet<i32> {
    check.count("subscription.kinds", kinds.len(), KINDS_MAX);
    for (i, kind) in kinds.iter().take(KINDS_MAX).enumerate() {
        if !(EventKind::ConversationUpdated as i32..=EventKind::Unknown as i32).contains(kind) {
            check.fail(&format!("subscription.kinds[{i}]"), "is not a kind of event");
        }
    }
    kinds.iter().take(KINDS_MAX).copied().collect()
}

fn start(check: &mut Check, start: Option<&Start>) -> StartAt {
    match start {
        None => StartAt::Latest,
        Some(Start::Position(number)) => match proto::StartPosition::try_from(*number) {
            Ok(proto::StartPosition::Earliest) => StartAt::Earliest,
            Ok(_) => StartAt::Latest,
            Err(_) => {
                check.fail("subscription.position", "is not a position: LATEST or EARLIEST");
                StartAt::Latest
            }
        },
        Some(Start::Time(time)) => {
            let ms = check.time("subscription.time", time);
            StartAt::Time(u64::try_from(ms).unwrap_or(0))
        }
        Some(Start::Cursor(bytes)) => {
            if let Err(problem) = cursor::Cursor::decode(bytes) {
                check.fail("subscription.cursor", problem.to_string());
            }
            StartAt::Cursor(bytes.clone())
        }
    }
}

fn lease_ms(check: &mut Check, lease: Option<&Duration>) -> u64 {
    let Some(lease) = lease else {
        return LEASE_DEFAULT_MS;
    };
    let ms = lease
        .seconds
        .checked_mul(1000)
        .and_then(|ms| ms.checked_add(i64::from(lease.nanos / 1_000_000)))
        .and_then(|ms| u64::try_from(ms).ok())
        .filter(|ms| LEASE_MS.contains(ms));
    ms.unwrap_or_else(|| {
        check.fail("subscription.lease", "must lie between 1 s and 10 min");
        LEASE_DEFAULT_MS
    })
}

fn time(ms: u64) -> Option<prost_types::Timestamp> {
    (ms > 0).then(|| convert::timestamp(ms.cast_signed()))
}

fn to_protobuf(tenant: &TenantId, name: &str, it: &Subscription, status: &Status) -> proto::Subscription {
    let definition = &it.definition;
    let is_shared = definition.kind == Kind::Shared;
    let members = status.members.iter().map(|member| proto::SubscriptionMember {
        id: member.id.clone(),
        name: member.name.clone(),
        since_time: time(member.since_ms),
        shares: if is_shared { i32::from(member.shares) } else { 0 },
        oldest_uncommitted_time: time(member.oldest_ms),
    });
    proto::Subscription {
        tenant: tenant.to_string(),
        name: name.to_owned(),
        r#type: match definition.kind {
            Kind::Durable => proto::SubscriptionType::Durable,
            Kind::Shared => proto::SubscriptionType::Shared,
        }
        .into(),
        conversation_ids: definition.conversations.iter().cloned().collect(),
        kinds: definition.kinds.iter().copied().collect(),
        include_echoes: definition.echoes,
        start: Some(match &definition.start {
            StartAt::Latest => Start::Position(proto::StartPosition::Latest.into()),
            StartAt::Earliest => Start::Position(proto::StartPosition::Earliest.into()),
            StartAt::Time(ms) => Start::Time(convert::timestamp(ms.cast_signed())),
            StartAt::Cursor(bytes) => Start::Cursor(bytes.clone()),
        }),
        lease: Some(Duration {
            seconds: (definition.lease_ms / 1000).cast_signed(),
            nanos: i32::try_from(definition.lease_ms % 1000 * 1_000_000).unwrap_or(0),
        }),
        create_time: time(it.created_ms),
        state: match status.state {
            State::Active => proto::SubscriptionState::Active,
            State::Idle => proto::SubscriptionState::Idle,
            State::Stalled => proto::SubscriptionState::Stalled,
        }
        .into(),
        members: members.collect(),
        lag_at_most: status.lag_at_most,
        last_commit_time: time(status.committed_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(asked: &proto::Subscription) -> Vec<String> {
        let mut check = Check::default();
        let _ = definition(&mut check, asked);
        match check.done(()) {
            Ok(()) => Vec::new(),
            Err(Error::Invalid(violations)) => violations.into_iter().map(|v| v.field).collect(),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn good() -> proto::Subscription {
        proto::Subscription {
            name: "orders".into(),
            r#type: proto::SubscriptionType::Shared.into(),
            ..proto::Subscription::default()
        }
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let mut check = Check::default();
        let definition = definition(&mut check, &good());
        assert!(check.done(()).is_ok());
        assert_eq!((definition.start, definition.lease_ms), (StartAt::Latest, 30_000));
    }

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        let asked = proto::Subscription {
            tenant: "t".into(),
            name: "Orders".into(),
            conversation_ids: vec![String::new()],
            kinds: vec![0, 99],
            start: Some(Start::Cursor(bytes::Bytes::from_static(b"x"))),
            lease: Some(Duration {
                seconds: 601,
                nanos: 0,
            }),
            lag_at_most: 1,
            ..good()
        };
        let mut named = wrong(&asked);
        named.sort();
        let fields = [
            "conversation_ids",
            "conversation_ids[0]",
            "cursor",
            "kinds[0]",
            "kinds[1]",
            "lag_at_most",
            "lease",
            "name",
            "tenant",
        ];
        assert_eq!(named, fields.map(|field| format!("subscription.{field}")));
        let nothing = proto::Subscription::default();
        assert_eq!(wrong(&nothing), ["subscription.name", "subscription.type"]);
    }

    #[test]
    fn leases_at_the_edges() {
        let lease = |seconds, nanos| proto::Subscription {
            lease: Some(Duration { seconds, nanos }),
            ..good()
        };
        for (seconds, nanos) in [(1, 0), (600, 0), (1, 500_000_000)] {
            assert!(wrong(&lease(seconds, nanos)).is_empty(), "{seconds} {nanos}");
        }
        for (seconds, nanos) in [
            (0, 0),
            (0, 999_000_000),
            (600, 1_000_000),
            (-1, 0),
            (i64::MAX, i32::MAX),
            (i64::MAX / 1000, i32::MAX),
            (i64::MIN, 0),
        ] {
            assert_eq!(
                wrong(&lease(seconds, nanos)),
                ["subscription.lease"],
                "{seconds} {nanos}"
            );
        }
    }
}
