//! Webhooks of Chat API v2, and the channels that go to them.

use bytes::Bytes;
use chatbridge::{
    event::TenantId,
    store::chat_v2::{ChannelRecord, Removed, Replaced, WEBHOOKS_MAX},
};
use futures_util::future::join_all;
use rstest::rstest;

use super::fixture::{Fixture, Kind, tenant};

fn text(text: &str) -> Bytes {
    Bytes::from(text.to_owned())
}

#[rstest]
#[tokio::test]
async fn webhooks_are_numbered_kept_and_changed_by_revision(
    #[values(Kind::Memory, Kind::Redis, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let (s, t, other) = (&f.chat_v2, tenant(), TenantId::new("other"));
    assert_eq!(s.webhooks(&t).await.unwrap(), []);
    assert_eq!(s.webhook(&t, 1).await.unwrap(), None);
    for (n, definition) in ["one:1", "", "three"].iter().enumerate() {
        let added = s.add_webhook(&t, &text(definition)).await.unwrap().unwrap();
        assert_eq!((added.id, added.revision), (n as u64 + 1, 1));
        assert_eq!(s.webhook(&t, added.id).await.unwrap(), Some(added));
    }
    assert_eq!(s.webhooks(&other).await.unwrap(), []);

    let replace = async |id, expected, definition: &str| {
        s.replace_webhook(&t, id, expected, &text(definition))
            .await
            .unwrap()
    };
    assert_eq!(replace(1, None, "uno").await, Replaced::Done(2));
    assert_eq!(replace(1, Some(1), "ein").await, Replaced::Changed);
    assert_eq!(replace(1, Some(2), "un").await, Replaced::Done(3));
    assert_eq!(replace(9, None, "x").await, Replaced::Unknown);
    assert_eq!(s.webhook(&t, 1).await.unwrap().unwrap().definition, text("un"));

    assert_eq!(s.remove_webhook(&t, 2).await.unwrap(), Removed::Done);
    assert_eq!(s.remove_webhook(&t, 2).await.unwrap(), Removed::Unknown);
    assert_eq!(s.add_webhook(&t, &text("four")).await.unwrap().unwrap().id, 4);
    let ids: Vec<u64> = s.webhooks(&t).await.unwrap().iter().map(|it| it.id).collect();
    assert_eq!(ids, [1, 3, 4]);
}

#[rstest]
#[tokio::test]
async fn channels_go_to_webhooks_that_are_there_and_keep_them(
    #[values(Kind::Memory, Kind::Redis, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let (s, t) = (&f.chat_v2, tenant());
    let bind = async |channel: &str, webhook| s.bind_channel(&t, channel, webhook).await.unwrap();
    assert_eq!(bind("c:1", 1).await, None);
    for _ in 0..2 {
        s.add_webhook(&t, &text("x")).await.unwrap();
    }
    let first = ChannelRecord {
        webhook: 1,
        revision: 1,
    };
    let moved = ChannelRecord {
        webhook: 2,
        revision: 2,
    };
    assert_eq!(bind("c:1", 1).await, Some(first));
    assert_eq!(bind("c2", 1).await, Some(first));
    assert_eq!(bind("c:1", 2).await, Some(moved));
    assert_eq!(bind("c2", 3).await, None);
    assert_eq!(s.channel(&t, "c:1").await.unwrap(), Some(moved));
    let all = s.channels(&t).await.unwrap();
    assert_eq!(all, [("c2".to_owned(), first), ("c:1".to_owned(), moved)].into());

    assert_eq!(
        s.remove_webhook(&t, 1).await.unwrap(),
        Removed::InUse("c2".into())
    );
    assert_eq!(
        s.remove_webhook(&t, 2).await.unwrap(),
        Removed::InUse("c:1".into())
    );
    for _ in 0..2 {
        s.release_channel(&t, "c2").await.unwrap();
    }
    assert_eq!(s.channel(&t, "c2").await.unwrap(), None);
    assert_eq!(s.remove_webhook(&t, 1).await.unwrap(), Removed::Done);
    assert_eq!(bind("c:1", 1).await, None);
}

#[rstest]
#[tokio::test]
async fn many_at_once_get_numbers_of_their_own_up_to_the_most(
    #[values(Kind::Memory, Kind::Redis)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let (s, t) = (&f.chat_v2, tenant());
    let definition = text("x");
    let mut ids = Vec::new();
    for _ in 0..=WEBHOOKS_MAX / 50 {
        let added = join_all((0..50).map(|_| s.add_webhook(&t, &definition))).await;
        let added = added.into_iter().filter_map(|added| added.unwrap());
        ids.extend(added.map(|record| record.id));
    }
    ids.sort_unstable();
    assert_eq!(ids, (1..=WEBHOOKS_MAX as u64).collect::<Vec<_>>());
}
