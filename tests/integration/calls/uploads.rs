//! Repeated uploads, and what else is created once.

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use chatbridge::{
    error::Error,
    event::AuthorType,
    gateway::{NewAttachment, StoredAttachment, Webhook},
    store::{Begun, Finished, IdempotencyKey},
};
use futures_util::{Stream, stream};
use rstest::rstest;
use serde_json::json;

use super::{ATTACHMENT_MAX, ID, Kind, World, request, unknown};

const CONTENT: &[u8] = b"the content of a file";

fn file(size_bytes: u64) -> NewAttachment {
    NewAttachment {
        file_name: "a.txt".into(),
        media_type: "text/plain".into(),
        size_bytes,
        author: AuthorType::Bot,
    }
}

fn content(chunks: &[&'static [u8]]) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
    let chunks: Vec<_> = chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk))).collect();
    stream::iter(chunks)
}

impl World {
    /// Records that a call was made before, with this end.
    async fn was_called(&self, method: &'static str, end: Finished) {
        let key = IdempotencyKey {
            tenant: self.tenant.id.clone(),
            caller: String::new(),
            method,
            request_id: ID.into(),
        };
        let digest = request(ID, "").digest;
        let begun = self
            .fixture
            .store
            .begin(&key, &digest, br#"{"token":"t","mark":null}"#, 1, 60_000)
            .await
            .unwrap();
        assert_eq!(begun, Begun::New);
        self.fixture.store.finish(&key, 1, &end).await.unwrap();
    }

    async fn was_uploaded(&self) {
        let hash: String = digest(&SHA256, CONTENT)
            .as_ref()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let answer = json!({ "attachment": stored(), "sha256": hash });
        let end = Finished::Done(answer.to_string().into());
        self.was_called("UploadAttachment", end).await;
    }

    async fn upload(
        &self,
        new: &NewAttachment,
        chunks: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
    ) -> Result<StoredAttachment, Error> {
        self.calls
            .upload(&self.tenant, "conv", &request(ID, ""), new, chunks)
            .await
    }
}

fn stored() -> StoredAttachment {
    StoredAttachment {
        id: "file-1".into(),
        file_name: "a.txt".into(),
        size_bytes: Some(CONTENT.len() as u64),
        ..StoredAttachment::default()
    }
}

#[rstest]
#[case::whole(&[CONTENT, b""], "")]
#[case::cut(&[&CONTENT[..3], b"", &CONTENT[3..]], "")]
#[case::other(&[&b"the content of a FILE"[..]], "REQUEST_ID_REUSED")]
#[case::shorter(&[&CONTENT[..3]], "INVALID_FIELD")]
#[case::longer(&[CONTENT, b"!"], "INVALID_FIELD")]
#[tokio::test]
async fn a_repeated_upload_must_have_the_same_content(
    #[case] chunks: &[&'static [u8]],
    #[case] reason: &str,
) {
    let world = World::new(Kind::Memory).await;
    world.was_uploaded().await;
    let answer = world.upload(&file(CONTENT.len() as u64), content(chunks)).await;
    match answer {
        Ok(attachment) => assert_eq!((attachment, reason), (stored(), "")),
        Err(error) => assert_eq!(error.reason(), reason, "{error}"),
    }
    assert_eq!(world.vendor.posts(), 0);
}

#[tokio::test]
async fn an_upload_that_was_found_again_knows_no_content() {
    let world = World::new(Kind::Memory).await;
    let answer = json!({ "attachment": stored(), "sha256": null });
    let end = Finished::Done(answer.to_string().into());
    world.was_called("UploadAttachment", end).await;
    let unread = stream::poll_fn(|_| panic!("nobody reads it"));
    assert_eq!(
        world.upload(&file(CONTENT.len() as u64), unread).await.unwrap(),
        stored()
    );
}

#[tokio::test]
async fn an_upload_of_which_nothing_more_is_known_stays_unknown() {
    let world = World::new(Kind::Memory).await;
    world.was_called("UploadAttachment", Finished::Unknown).await;
    unknown(world.upload(&file(21), content(&[CONTENT])).await);
    assert_eq!(world.vendor.posts(), 0);
}

#[tokio::test]
async fn a_file_over_the_limit_is_refused_before_anything_else() {
    let world = World::new(Kind::Memory).await;
    let unread = stream::poll_fn(|_| panic!("nobody reads it"));
    let Error::Invalid(violations) = world.upload(&file(ATTACHMENT_MAX + 1), unread).await.unwrap_err()
    else {
        panic!("it is a wrong field")
    };
    assert_eq!(violations[0].field, "start.size_bytes");
    assert!(violations[0].problem.contains("1000"), "{violations:?}");
    // Nothing is recorded of it.
    world.was_uploaded().await;
}

fn webhook() -> Webhook {
    Webhook {
        id: String::new(),
        name: "ours".into(),
        uri: "https://example.com/secret".into(),
        version: "Chat Gateway v1.0".into(),
    }
}

#[tokio::test]
async fn a_repeated_webhook_gets_the_first_answer_whose_address_is_kept_nowhere() {
    let world = World::new(Kind::Memory).await;
    let answer = json!({ "id": "wh-1", "name": "ours", "version": "Chat Gateway v1.0" });
    world
        .was_called("CreateWebhook", Finished::Done(answer.to_string().into()))
        .await;
    let again = world
        .calls
        .create_webhook(&world.tenant, &request(ID, ""), &webhook())
        .await
        .unwrap();
    let expected = Webhook {
        id: "wh-1".into(),
        ..webhook()
    };
    assert_eq!(again, expected);
}

#[tokio::test]
async fn a_webhook_that_may_exist_is_not_created_again() {
    let world = World::new(Kind::Memory).await;
    world.was_called("CreateWebhook", Finished::Unknown).await;
    let again = world
        .calls
        .create_webhook(&world.tenant, &request(ID, ""), &webhook())
        .await;
    assert!(unknown(again).contains("list the webhooks"));
    assert_eq!(world.vendor.posts(), 0);
}
