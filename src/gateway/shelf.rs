//! What one isolate remembers: bounded, each kind by a budget of its own, the least recently used
//! first to go. Nothing here needs a proof: whatever comes from a store was checked before it was
//! put here.
//!
//! Whoever fills a kind pays for it: what goes is the oldest of the owner (the first part of a
//! repository's name) who takes the most room, so that pushes to one repository do not push out
//! what is known of another's.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// A bounded map, least recently used first to go.
#[derive(Debug)]
pub(super) struct Shelf<V> {
    owners: BTreeMap<String, Owned<V>>,
    /// Of everything, in the unit of the weights.
    weight: usize,
    most: usize,
    clock: u64,
}

#[derive(Debug)]
struct Owned<V> {
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

impl<V> Shelf<V> {
    /// An empty one with room for so much.
    pub(super) fn new(most: usize) -> Self {
        Self {
            owners: BTreeMap::new(),
            weight: 0,
            most,
            clock: 0,
        }
    }

    /// What is there; it counts as used.
    pub(super) fn find(&mut self, repository: &str, key: &str) -> Option<&mut V> {
        self.clock = self.clock.saturating_add(1);
        let owned = self.owners.get_mut(owner(repository))?;
        let key = full(repository, key);
        let entry = owned.entries.get_mut(&key)?;
        owned.order.remove(&entry.used);
        entry.used = self.clock;
        owned.order.insert(self.clock, key);
        Some(&mut entry.value)
    }

    /// Everything of one repository, the last used first.
    pub(super) fn of(&self, repository: &str) -> impl Iterator<Item = (&str, &V)> {
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

    /// Puts a value there; what has no room at all is not kept.
    pub(super) fn put(&mut self, repository: &str, key: &str, value: V, weight: usize) {
        self.remove(repository, key);
        if weight > self.most {
            return;
        }
        self.clock = self.clock.saturating_add(1);
        let key = full(repository, key);
        let owned = self
            .owners
            .entry(owner(repository).to_string())
            .or_insert_with(|| Owned {
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
        while self.weight > self.most {
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
            self.forget(&heaviest, &oldest);
        }
    }

    /// Takes a value away.
    pub(super) fn remove(&mut self, repository: &str, key: &str) {
        let key = full(repository, key);
        self.forget(&owner(repository).to_string(), &key);
    }

    fn forget(&mut self, owner: &String, key: &str) {
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

/// What a manifest or index lists, by the first eight bytes of each digest: enough to find it
/// again, and whoever finds it looks into the document itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed(Vec<u64>);

impl Listed {
    pub(super) fn new(mut parts: Vec<u64>) -> Self {
        parts.sort_unstable();
        parts.dedup();
        Self(parts)
    }

    pub(super) fn has(&self, part: u64) -> bool {
        self.0.binary_search(&part).is_ok()
    }

    pub(super) fn parts(&self) -> &[u64] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut shelf = Shelf::new(3);
        for key in ["a", "b", "c"] {
            shelf.put("r", key, key, 1);
        }
        assert!(shelf.find("r", "a").is_some());
        shelf.put("r", "d", "d", 1);
        let left: Vec<&str> = shelf.of("r").map(|(key, _)| key).collect();
        assert_eq!(left, ["d", "a", "c"]);
        shelf.put("r", "a", "a again", 3);
        assert_eq!(
            shelf.of("r").map(|(_, value)| *value).collect::<Vec<_>>(),
            ["a again"]
        );
        shelf.put("r", "e", "too large", 4);
        assert!(shelf.find("r", "e").is_none() && shelf.find("r", "a").is_some());
        shelf.remove("r", "a");
        assert_eq!((shelf.weight, shelf.owners.len()), (0, 0));
    }

    /// Whoever pushes much pushes out what is his own.
    #[test]
    fn the_heaviest_owner_pays() {
        let mut shelf = Shelf::new(100);
        shelf.put("victim/app", "k", 0, 10);
        for number in 0..1_000 {
            shelf.put(
                &alloc::format!("tenant/r{}", number % 7),
                &number.to_string(),
                number,
                3,
            );
        }
        assert_eq!(shelf.find("victim/app", "k"), Some(&mut 0));
        assert!(shelf.weight <= 100);
        // Repositories whose names begin alike are told apart.
        assert!(shelf.find("victim", "k").is_none() && shelf.of("victim").next().is_none());
    }

    #[test]
    fn listed_finds_its_parts() {
        let listed = Listed::new(alloc::vec![3, 1, 2, 3]);
        assert!(listed.has(1) && listed.has(3) && !listed.has(4));
        assert_eq!(listed.parts(), [1, 2, 3]);
    }
}
