//! A replica: its own way to the store, and a hub that tails the log.

use std::sync::Arc;

use chatbridge::{fanout::Hub, store::Store};
use rand::{SeedableRng as _, rngs::StdRng};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    Mutant,
    warped::{Warped, Weather},
};

/// A replica.
pub(super) struct Replica {
    pub(super) store: Arc<dyn Store>,
    pub(super) hub: Arc<Hub>,
    pub(super) weather: Arc<Weather>,
    _feed: AbortOnDropHandle<()>,
}

impl Replica {
    /// Starts one.
    pub(super) fn start(store: Arc<dyn Store>, chance: &mut StdRng, mutant: Option<&Mutant>) -> Self {
        let weather = Arc::new(Weather::new(StdRng::from_rng(chance)));
        let store: Arc<dyn Store> = Arc::new(Warped {
            store,
            weather: Arc::clone(&weather),
            planted: mutant.and_then(Mutant::planted),
        });
        let hub = Hub::new(Arc::clone(&store));
        let feed = tokio::spawn(Arc::clone(&hub).run(CancellationToken::new()));
        Self {
            store,
            hub,
            weather,
            _feed: AbortOnDropHandle::new(feed),
        }
    }
}
