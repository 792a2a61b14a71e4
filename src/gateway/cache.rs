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
    values: BTreeMap<Rc<str>, V>,
    books: Books,
}

/// What is no longer there.
#[derive(Debug)]
pub(super) struct Removed<V> {
    pub repository: String,
    pub value: V,
    /// When it was used last, in the cache's own time.
    pub used: u64,
}

impl<V> Cache<V> {
    /// An empty one with this capacity, in the unit of the weights.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            values: BTreeMap::new(),
            books: Books {
                capacity,
                ..Books::default()
            },
        }
    }

    /// The value, which counts as used now.
    pub(super) fn get(&mut self, repository: &str, key: &str) -> Option<&mut V> {
        let key = full(repository, key);
        self.books.touch(&key);
        self.values.get_mut(key.as_str())
    }

    /// The value, which does not count as used.
    pub(super) fn peek(&self, repository: &str, key: &str) -> Option<&V> {
        self.values.get(full(repository, key).as_str())
    }

    /// The key of what was used last at this time, in the cache's own time.
    pub(super) fn used_at(&self, repository: &str, used: u64) -> Option<&str> {
        let key = self.books.order_of(repository)?.get(&used)?;
        key.strip_prefix(repository)?.strip_prefix('\n')
    }

    /// All entries of one repository, the last used first.
    pub(super) fn entries_of(&self, repository: &str) -> impl Iterator<Item = (&str, &V)> {
        let prefix = full(repository, "");
        let order = self.books.order_of(repository).into_iter();
        let keys = order.flat_map(|order| order.values().rev());
        keys.filter_map(move |key| {
            Some((key.strip_prefix(prefix.as_str())?, self.values.get(key)?))
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
        let replaced = self.remove(repository, key);
        let key: Rc<str> = full(repository, key).into();
        self.values.insert(key.clone(), value);
        let (used, gone) = self.books.enter(key, weight);
        let evicted = gone.into_iter().filter_map(|gone| self.lose(gone));
        (used, replaced.into_iter().chain(evicted).collect())
    }

    /// Removes a value.
    pub(super) fn remove(&mut self, repository: &str, key: &str) -> Option<Removed<V>> {
        let gone = self.books.strike(&full(repository, key))?;
        self.lose(gone)
    }

    fn lose(&mut self, (key, used): (Rc<str>, u64)) -> Option<Removed<V>> {
        let (repository, _) = key.split_once('\n')?;
        Some(Removed {
            repository: repository.into(),
            value: self.values.remove(&key)?,
            used,
        })
    }
}

/// Of all keys, which begin with their repository: who owns them, what they weigh, and when they were
/// used last. The same for whatever is kept, so that it is compiled once.
#[derive(Debug, Default)]
struct Books {
    owners: BTreeMap<String, Owner>,
    /// The same by their weight, so that the heaviest is found without a look at the others.
    weights: BTreeSet<(usize, String)>,
    /// Of all entries.
    weight: usize,
    capacity: usize,
    clock: u64,
}

#[derive(Debug, Default)]
struct Owner {
    entries: BTreeMap<Rc<str>, Entry>,
    /// By the time of the last use.
    order: BTreeMap<u64, Rc<str>>,
    weight: usize,
}

#[derive(Debug)]
struct Entry {
    weight: usize,
    used: u64,
}

impl Books {
    fn order_of(&self, repository: &str) -> Option<&BTreeMap<u64, Rc<str>>> {
        Some(&self.owners.get(owner(repository))?.order)
    }

    fn now(&mut self) -> u64 {
        self.clock = self.clock.saturating_add(1);
        self.clock
    }

    /// It was used now.
    fn touch(&mut self, key: &str) {
        let now = self.now();
        let Some(owned) = self.owners.get_mut(owner(key)) else {
            return;
        };
        if let Some(entry) = owned.entries.get_mut(key)
            && let Some(key) = owned.order.remove(&entry.used)
        {
            entry.used = now;
            owned.order.insert(now, key);
        }
    }

    /// One more, that was used now; and which have to go.
    fn enter(&mut self, key: Rc<str>, weight: usize) -> (u64, Vec<(Rc<str>, u64)>) {
        let used = self.now();
        if weight > self.capacity {
            return (used, alloc::vec![(key, used)]);
        }
        let name = owner(&key);
        let owned = self.owners.entry(name.into()).or_default();
        owned.order.insert(used, key.clone());
        owned.entries.insert(key.clone(), Entry { weight, used });
        self.weigh(name, |before| before.saturating_add(weight));
        let mut gone = Vec::new();
        while self.weight > self.capacity {
            let Some(oldest) = self.oldest() else { break };
            gone.extend(self.strike(&oldest));
        }
        (used, gone)
    }

    /// The least recently used of the heaviest owner.
    fn oldest(&self) -> Option<Rc<str>> {
        let (_, heaviest) = self.weights.last()?;
        self.owners.get(heaviest)?.order.values().next().cloned()
    }

    /// The key that is there no more, and when it was used last.
    fn strike(&mut self, key: &str) -> Option<(Rc<str>, u64)> {
        let name = owner(key);
        let owned = self.owners.get_mut(name)?;
        let Entry { weight, used } = owned.entries.remove(key)?;
        let key = owned.order.remove(&used)?;
        self.weigh(name, |before| before.saturating_sub(weight));
        Some((key, used))
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

/// Of a repository, or of a key that begins with one.
fn owner(repository: &str) -> &str {
    repository.split(['/', '\n']).next().unwrap_or_default()
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
        let books = &cache.books;
        assert_eq!((books.weight, books.owners.len()), (0, 0));
        assert!(books.weights.is_empty() && cache.values.is_empty());
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
        assert!(cache.books.weight <= 100);
        // Repositories whose names begin alike are different repositories.
        assert!(cache.get("victim", "k").is_none() && cache.entries_of("victim").next().is_none());
    }
}
