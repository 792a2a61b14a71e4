//! A bounded map from repository and key to a value. Nothing in it needs a proof: records of a
//! store are checked before they are inserted.
//!
//! The owner (the first part of a repository's name) who fills it pays for it: what is evicted is
//! the least recently used entry of the owner who takes the most room, so that pushes to one
//! repository do not evict what is known of another's.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

/// The least recently used entries are evicted first.
#[derive(Debug)]
pub(super) struct Cache<V> {
    owners: BTreeMap<String, Owner<V>>,
    /// The same by their weight, so that the heaviest is found without a look at the others.
    weights: BTreeSet<(usize, String)>,
    /// Of all entries.
    weight: usize,
    capacity: usize,
    clock: u64,
}

#[derive(Debug)]
struct Owner<V> {
    entries: BTreeMap<Rc<str>, Entry<V>>,
    /// By the time of the last use.
    order: BTreeMap<u64, Rc<str>>,
    weight: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    weight: usize,
    used: u64,
}

/// What is no longer there.
#[derive(Debug)]
pub(super) struct Removed<V> {
    pub repository: Rc<str>,
    pub value: V,
    /// When it was used last, in the cache's own time.
    pub used: u64,
}

impl<V> Cache<V> {
    /// An empty one with this capacity, in the unit of the weights.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            owners: BTreeMap::new(),
            weights: BTreeSet::new(),
            weight: 0,
            capacity,
            clock: 0,
        }
    }

    /// The value, which counts as used now.
    pub(super) fn get(&mut self, repository: &str, key: &str) -> Option<&mut V> {
        self.clock = self.clock.saturating_add(1);
        let owned = self.owners.get_mut(owner(repository))?;
        let entry = owned.entries.get_mut(full(repository, key).as_str())?;
        let key = owned.order.remove(&entry.used)?;
        entry.used = self.clock;
        owned.order.insert(self.clock, key);
        Some(&mut entry.value)
    }

    /// The value, which does not count as used.
    pub(super) fn peek(&self, repository: &str, key: &str) -> Option<&V> {
        let entries = &self.owners.get(owner(repository))?.entries;
        Some(&entries.get(full(repository, key).as_str())?.value)
    }

    /// The key of what was used last at this time, in the cache's own time.
    pub(super) fn used_at(&self, repository: &str, used: u64) -> Option<&str> {
        let key = self.owners.get(owner(repository))?.order.get(&used)?;
        key.strip_prefix(repository)?.strip_prefix('\n')
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

    /// Inserts or replaces a value; one that is heavier than the capacity is not kept. When it was
    /// used, in the cache's own time, and what is no longer there or never was.
    pub(super) fn insert(
        &mut self,
        repository: &str,
        key: &str,
        value: V,
        weight: usize,
    ) -> (u64, Vec<Removed<V>>) {
        let mut removed: Vec<_> = self.remove(repository, key).into_iter().collect();
        self.clock = self.clock.saturating_add(1);
        let used = self.clock;
        if weight > self.capacity {
            let repository = repository.into();
            removed.push(Removed {
                repository,
                value,
                used,
            });
            return (used, removed);
        }
        let key: Rc<str> = full(repository, key).into();
        let name = owner(repository);
        if !self.owners.contains_key(name) {
            self.owners.insert(name.into(), Owner::default());
        }
        if let Some(owned) = self.owners.get_mut(name) {
            owned.order.insert(used, key.clone());
            let entry = Entry {
                value,
                weight,
                used,
            };
            owned.entries.insert(key, entry);
        }
        self.weigh(name, |before| before.saturating_add(weight));
        while self.weight > self.capacity {
            let Some(oldest) = self.oldest() else { break };
            removed.extend(self.take(&oldest));
        }
        (used, removed)
    }

    /// Removes a value.
    pub(super) fn remove(&mut self, repository: &str, key: &str) -> Option<Removed<V>> {
        self.take(&full(repository, key))
    }

    /// The least recently used of the heaviest owner.
    fn oldest(&self) -> Option<Rc<str>> {
        let (_, heaviest) = self.weights.last()?;
        self.owners.get(heaviest)?.order.values().next().cloned()
    }

    fn take(&mut self, key: &str) -> Option<Removed<V>> {
        let (repository, _) = key.split_once('\n')?;
        let name = owner(repository);
        let owned = self.owners.get_mut(name)?;
        let entry = owned.entries.remove(key)?;
        owned.order.remove(&entry.used);
        self.weigh(name, |before| before.saturating_sub(entry.weight));
        Some(Removed {
            repository: repository.into(),
            value: entry.value,
            used: entry.used,
        })
    }

    /// Of an owner who has nothing left, nothing stays.
    fn weigh(&mut self, name: &str, change: impl FnOnce(usize) -> usize) {
        let Some(owned) = self.owners.get_mut(name) else {
            return;
        };
        let (before, after) = (owned.weight, change(owned.weight));
        owned.weight = after;
        self.weight = self.weight.saturating_sub(before).saturating_add(after);
        self.weights.remove(&(before, name.into()));
        if owned.entries.is_empty() {
            self.owners.remove(name);
        } else {
            self.weights.insert((after, name.into()));
        }
    }
}

impl<V> Default for Owner<V> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            order: BTreeMap::new(),
            weight: 0,
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
    use alloc::string::ToString;

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
        assert!(cache.weights.is_empty());
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
