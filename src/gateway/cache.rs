//! A bounded map from repository and key to a value. Nothing in it needs a proof: records of a
//! store are checked before they are inserted.
//!
//! The owner (the first part of a repository's name) who fills it pays for it: what is evicted is
//! the least recently used entry of the owner who takes the most room, so that pushes to one
//! repository do not evict what is known of another's.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

/// The least recently used entries are evicted first.
#[derive(Debug)]
pub(super) struct Cache<V> {
    owners: BTreeMap<String, Owner<V>>,
    /// Of all entries.
    weight: usize,
    capacity: usize,
    clock: u64,
}

#[derive(Debug)]
struct Owner<V> {
    entries: BTreeMap<String, Entry<V>>,
    /// By the time of the last use.
    order: BTreeMap<u64, String>,
    weight: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    weight: usize,
    used: u64,
}

impl<V> Cache<V> {
    /// An empty one with this capacity, in the unit of the weights.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            owners: BTreeMap::new(),
            weight: 0,
            capacity,
            clock: 0,
        }
    }

    /// The value, which counts as used now.
    pub(super) fn get(&mut self, repository: &str, key: &str) -> Option<&mut V> {
        self.clock = self.clock.saturating_add(1);
        let owned = self.owners.get_mut(owner(repository))?;
        let key = full(repository, key);
        let entry = owned.entries.get_mut(&key)?;
        owned.order.remove(&entry.used);
        entry.used = self.clock;
        owned.order.insert(self.clock, key);
        Some(&mut entry.value)
    }

    /// All entries of one repository, the last used first.
    pub(super) fn entries_of(&self, repository: &str) -> impl Iterator<Item = (&str, &V)> {
        let prefix = full(repository, "");
        let owned = self.owners.get(owner(repository));
        let keys = owned
            .into_iter()
            .flat_map(|owned| owned.order.values().rev().map(move |key| (owned, key)));
        keys.filter_map(move |(owned, key)| {
            Some((
                key.strip_prefix(prefix.as_str())?,
                &owned.entries.get(key)?.value,
            ))
        })
    }

    /// Inserts or replaces a value; one that is heavier than the capacity is not kept.
    pub(super) fn insert(&mut self, repository: &str, key: &str, value: V, weight: usize) {
        self.remove(repository, key);
        if weight > self.capacity {
            return;
        }
        self.clock = self.clock.saturating_add(1);
        let key = full(repository, key);
        let owned = self
            .owners
            .entry(owner(repository).to_string())
            .or_insert_with(|| Owner {
                entries: BTreeMap::new(),
                order: BTreeMap::new(),
                weight: 0,
            });
        owned.order.insert(self.clock, key.clone());
        owned.entries.insert(
            key,
            Entry {
                value,
                weight,
                used: self.clock,
            },
        );
        owned.weight = owned.weight.saturating_add(weight);
        self.weight = self.weight.saturating_add(weight);
        while self.weight > self.capacity {
            let Some(heaviest) = self
                .owners
                .iter()
                .max_by_key(|(_, owned)| owned.weight)
                .map(|(name, _)| name.clone())
            else {
                return;
            };
            let oldest = self
                .owners
                .get(&heaviest)
                .and_then(|owned| owned.order.values().next().cloned());
            let Some(oldest) = oldest else { return };
            self.evict(&heaviest, &oldest);
        }
    }

    /// Removes a value.
    pub(super) fn remove(&mut self, repository: &str, key: &str) {
        let key = full(repository, key);
        self.evict(&owner(repository).to_string(), &key);
    }

    fn evict(&mut self, owner: &String, key: &str) {
        let Some(owned) = self.owners.get_mut(owner) else {
            return;
        };
        if let Some(entry) = owned.entries.remove(key) {
            owned.order.remove(&entry.used);
            owned.weight = owned.weight.saturating_sub(entry.weight);
            self.weight = self.weight.saturating_sub(entry.weight);
        }
        if owned.entries.is_empty() {
            self.owners.remove(owner);
        }
    }
}

fn owner(repository: &str) -> &str {
    repository.split('/').next().unwrap_or_default()
}

fn full(repository: &str, key: &str) -> String {
    let mut full = String::from(repository);
    full.push('\n');
    full.push_str(key);
    full
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut cache = Cache::new(3);
        for key in ["a", "b", "c"] {
            cache.insert("r", key, key, 1);
        }
        assert!(cache.get("r", "a").is_some());
        cache.insert("r", "d", "d", 1);
        let left: Vec<&str> = cache.entries_of("r").map(|(key, _)| key).collect();
        assert_eq!(left, ["d", "a", "c"]);
        cache.insert("r", "a", "a again", 3);
        assert_eq!(
            cache
                .entries_of("r")
                .map(|(_, value)| *value)
                .collect::<Vec<_>>(),
            ["a again"]
        );
        cache.insert("r", "e", "too large", 4);
        assert!(cache.get("r", "e").is_none() && cache.get("r", "a").is_some());
        cache.remove("r", "a");
        assert_eq!((cache.weight, cache.owners.len()), (0, 0));
    }

    /// An owner who fills the cache evicts his own entries.
    #[test]
    fn the_heaviest_owner_pays() {
        let mut cache = Cache::new(100);
        cache.insert("victim/app", "k", 0, 10);
        for number in 0..1_000 {
            cache.insert(
                &alloc::format!("tenant/r{}", number % 7),
                &number.to_string(),
                number,
                3,
            );
        }
        assert_eq!(cache.get("victim/app", "k"), Some(&mut 0));
        assert!(cache.weight <= 100);
        // Repositories whose names begin alike are different repositories.
        assert!(cache.get("victim", "k").is_none() && cache.entries_of("victim").next().is_none());
    }
}
