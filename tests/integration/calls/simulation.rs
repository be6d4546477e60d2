//! Random worlds: two replicas over one store that fails, a vendor that loses answers and acts late, callers who leave, who repeat,
//! and who ask twice at once. Whatever happens, one `request_id` has one effect at the most, and what was reported as done is done.

mod faulty;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use chatbridge::{
    conversation::{Conversations, calls::RequestId},
    error::Error,
    event::{Assignment, AssignmentKind, AuthorType},
    gateway::NewAttachment,
    store::{Retention, Store, memory::MemoryStore},
    tenant::Tenant,
};
use futures_util::{StreamExt as _, future::join_all, stream};
use proptest::{
    prelude::*,
    test_runner::{TestError, TestRunner},
};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use self::faulty::Faulty;
use super::{
    late::{Late, Mode},
    message, new_conversation, tenant, use_cases,
};
use crate::store::fixture::PARTITIONS;

#[derive(Debug, Clone, Copy)]
enum Kind {
    Send,
    Upload,
    Create,
    FindOrCreate,
}

/// One try of a caller.
#[derive(Debug, Clone, Copy)]
struct Try {
    after_ms: u64,
    replica: usize,
    /// After how many milliseconds the caller leaves.
    patience_ms: u64,
}

/// What one caller wants once.
#[derive(Debug, Clone)]
struct Wish {
    /// Without a `request_id`: then there is one try.
    anonymous: bool,
    /// Each of these asks again and again, at the same time as the others.
    askers: Vec<Vec<Try>>,
}

#[derive(Debug, Clone)]
struct World {
    kind: Kind,
    modes: Vec<Mode>,
    wishes: Vec<Wish>,
    seed: u64,
}

fn worlds() -> impl Strategy<Value = World> {
    let mode = prop_oneof![
        3 => Just(Mode::Accept),
        3 => (1_u64..40).prop_map(Mode::Slow),
        4 => Just(Mode::LoseAnswer),
        3 => Just(Mode::LoseRequest),
        3 => (1_u64..40).prop_map(Mode::ActLate),
        1 => Just(Mode::Refuse(400)),
        1 => Just(Mode::Refuse(429)),
    ];
    let one = (0_u64..20, 0_usize..2, prop_oneof![1_u64..50, Just(5_000)]).prop_map(
        |(after_ms, replica, patience_ms)| Try {
            after_ms,
            replica,
            patience_ms,
        },
    );
    let askers = prop::collection::vec(prop::collection::vec(one, 1..6), 1..3);
    let wish = (prop::bool::weighted(0.2), askers).prop_map(|(anonymous, askers)| Wish { anonymous, askers });
    let kind = prop_oneof![
        2 => Just(Kind::Send),
        1 => Just(Kind::Upload),
        1 => Just(Kind::Create),
        1 => Just(Kind::FindOrCreate),
    ];
    let parts = (
        kind,
        prop::collection::vec(mode, 0..8),
        prop::collection::vec(wish, 1..4),
        any::<u64>(),
    );
    parts.prop_map(|(kind, modes, wishes, seed)| World {
        kind,
        modes,
        wishes,
        seed,
    })
}

/// What a caller does, from one of the replicas.
struct Caller {
    kind: Kind,
    replicas: Vec<Conversations>,
    tenant: Tenant,
    vendor: Late,
}

impl Caller {
    /// What the vendor notes the wish as. All callers who find or create ask for the same.
    fn whose(&self, n: usize) -> String {
        match self.kind {
            Kind::Send => n.to_string(),
            Kind::Upload => format!("{n:02}"),
            Kind::Create => format!("queue-{n}"),
            Kind::FindOrCreate => "queue".into(),
        }
    }

    async fn call(&self, replica: usize, request: &RequestId, n: usize) -> Result<(), Error> {
        let (calls, tenant) = (&self.replicas[replica], &self.tenant);
        let mut new = new_conversation("u");
        new.assignment = Some(Assignment {
            kind: Some(AssignmentKind::Queue),
            id: self.whose(n),
            resource_id: String::new(),
        });
        match self.kind {
            Kind::Send => {
                let message = message(AuthorType::Bot, &format!("ok{}", " ".repeat(n)));
                calls.send(tenant, "conv", request, &message).await.map(drop)
            }
            Kind::Upload => {
                let file = NewAttachment {
                    file_name: "a.txt".into(),
                    media_type: "text/plain".into(),
                    size_bytes: 10,
                    author: AuthorType::Bot,
                };
                let last = format!("{n:02}");
                let chunks = [Bytes::from_static(b"content-"), Bytes::from(last)];
                let content = stream::iter(chunks).then(|chunk| async {
                    sleep(Duration::from_millis(5)).await;
                    Ok(chunk)
                });
                calls
                    .upload(tenant, "conv", request, &file, content)
                    .await
                    .map(drop)
            }
            Kind::Create => calls
                .create(tenant, request, &new, &Default::default())
                .await
                .map(drop),
            Kind::FindOrCreate => calls
                .find_or_create(tenant, &new, &Default::default())
                .await
                .map(drop),
        }
    }

    /// Asks until it is done, and answers whether that was reported.
    async fn ask(&self, tries: &[Try], request: &RequestId, n: usize) -> Result<bool, TestCaseError> {
        for one in tries {
            sleep(Duration::from_millis(one.after_ms)).await;
            let patience = Duration::from_millis(one.patience_ms);
            match timeout(patience, self.call(one.replica, request, n)).await {
                Ok(Ok(())) => {
                    let effects = self.vendor.effects(&self.whose(n));
                    prop_assert!(effects > 0, "wish {} was reported as done and is not", n);
                    return Ok(true);
                }
                Ok(Err(error)) => {
                    let known = [
                        "UPSTREAM_OUTCOME_UNKNOWN",
                        "REQUEST_IN_FLIGHT",
                        "STORE_UNAVAILABLE",
                        "UPSTREAM_INVALID",
                        "UPSTREAM_RATE_LIMITED",
                        "UPSTREAM_THROTTLED",
                        "WAIT_TIMED_OUT",
                    ];
                    prop_assert!(known.contains(&error.reason()), "{}: {}", error.reason(), error);
                }
                Err(_) => {}
            }
        }
        Ok(false)
    }
}

/// Lives through a world; answers how many wishes were reported as done.
async fn live(world: World) -> Result<usize, TestCaseError> {
    let store = Arc::new(MemoryStore::new(PARTITIONS, Retention::default()));
    let (vendor, at) = Late::start(&store, world.modes).await;
    let tenant = tenant(&format!("http://{at}"));
    let replica = |n| {
        let store: Arc<dyn Store> = Arc::new(Faulty::new(&store, world.seed ^ n));
        use_cases(store, &tenant)
    };
    let caller = Caller {
        kind: world.kind,
        replicas: (0..2).map(replica).collect(),
        tenant: tenant.clone(),
        vendor: vendor.clone(),
    };
    let wishes = world.wishes.iter().enumerate().map(|(n, wish)| {
        let id = if wish.anonymous {
            String::new()
        } else {
            Uuid::new_v4().to_string()
        };
        let request = RequestId { id, digest: [7; 32] };
        let caller = &caller;
        async move {
            let askers: &[Vec<Try>] = if wish.anonymous {
                &[wish.askers[0][..1].to_vec()]
            } else {
                &wish.askers
            };
            let told = join_all(askers.iter().map(|tries| caller.ask(tries, &request, n))).await;
            let told = told.into_iter().collect::<Result<Vec<_>, _>>()?;
            Ok::<_, TestCaseError>(usize::from(told.contains(&true)))
        }
    });
    let told = join_all(wishes)
        .await
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    // What comes late has come then.
    sleep(Duration::from_millis(60)).await;
    for n in 0..world.wishes.len() {
        let effects = vendor.effects(&caller.whose(n));
        prop_assert!(effects <= 1, "wish {} was done {} times", n, effects);
    }
    Ok(told.into_iter().sum())
}

#[test]
fn nothing_is_done_twice_and_nothing_is_made_up() {
    const WORLDS: u32 = 10;
    const AT_ONCE: usize = 12;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let told = std::cell::Cell::new(0);
    let config = ProptestConfig {
        // One world is not lived through twice in the same way.
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::with_cases(WORLDS)
    };
    let all = prop::collection::vec(worlds(), AT_ONCE);
    let outcome = TestRunner::new(config).run(&all, |worlds| {
        let lived = worlds.into_iter().map(|world| async {
            let shown = format!("{world:?}");
            live(world).await.map_err(|problem| match problem {
                TestCaseError::Fail(reason) => TestCaseError::fail(format!("{reason} in {shown}")),
                other => other,
            })
        });
        let counts = runtime.block_on(join_all(lived));
        for count in counts {
            told.set(told.get() + count?);
        }
        Ok(())
    });
    if let Err(TestError::Fail(problem, _) | TestError::Abort(problem)) = outcome {
        panic!("{problem}");
    }
    assert!(told.get() > 50, "only {} wishes came true", told.get());
}
