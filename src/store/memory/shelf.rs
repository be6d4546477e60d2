//! A map whose values expire.

use std::{collections::HashMap, hash::Hash};

/// A map whose values expire. Times are Unix milliseconds.
#[derive(Clone)]
pub(super) struct Shelf<K, V> {
    values: HashMap<K, (u64, V)>,
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self {
            values: HashMap::new(),
        }
    }
}

impl<K: Eq + Hash, V> Shelf<K, V> {
    pub(super) fn get(&self, key: &K, now: u64) -> Option<&V> {
        let (expires, value) = self.values.get(key)?;
        (*expires > now).then_some(value)
    }

    pub(super) fn get_mut(&mut self, key: &K, now: u64) -> Option<&mut V> {
        let (expires, value) = self.values.get_mut(key)?;
        (*expires > now).then_some(value)
    }

    pub(super) fn put(&mut self, key: K, value: V, expires_ms: u64) {
        self.values.insert(key, (expires_ms, value));
    }

    /// The value, new where it was not there or had expired, which now lives for another `ttl_ms`.
    pub(super) fn renew(&mut self, key: K, now: u64, ttl_ms: u64) -> &mut V
    where
        V: Default,
    {
        let slot = self.values.entry(key).or_default();
        if slot.0 <= now {
            slot.1 = V::default();
        }
        slot.0 = now + ttl_ms;
        &mut slot.1
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.values.remove(key);
    }

    /// Keeps only what `stays`.
    pub(super) fn retain(&mut self, stays: impl Fn(&K) -> bool) {
        self.values.retain(|key, _| stays(key));
    }

    pub(super) fn iter(&self, now: u64) -> impl Iterator<Item = (&K, &V)> {
        self.values
            .iter()
            .filter(move |(_, (expires, _))| *expires > now)
            .map(|(key, (_, value))| (key, value))
    }

    /// All that was put and not swept, with when it expires.
    pub(super) fn all(&self) -> impl Iterator<Item = (&K, u64, &V)> {
        self.values
            .iter()
            .map(|(key, (expires, value))| (key, *expires, value))
    }

    pub(super) fn sweep(&mut self, now: u64) {
        self.values.retain(|_, (expires, _)| *expires > now);
    }
}
