//! In which trace the last call about a conversation was made.

use chatbridge::event::{ConversationKey, TenantId};
use rstest::rstest;

use super::fixture::{Fixture, Kind, tenant};

const FIRST: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const SECOND: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[rstest]
#[tokio::test]
async fn the_last_trace_of_each_conversation_is_known(
    #[values(Kind::Memory, Kind::Redis, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = ConversationKey::new(tenant(), "c-1");
    assert_eq!(f.store.trace(&key).await.unwrap(), None);
    for traceparent in [FIRST, SECOND] {
        f.store.note_trace(&key, traceparent).await.unwrap();
        assert_eq!(f.store.trace(&key).await.unwrap().as_deref(), Some(traceparent));
    }
    for other in [
        ConversationKey::new(tenant(), "c-2"),
        ConversationKey::new(TenantId::new("other"), "c-1"),
    ] {
        assert_eq!(f.store.trace(&other).await.unwrap(), None);
    }
}
