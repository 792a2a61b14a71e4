//! A bounded map from repository and key to a value. Nothing in it needs a proof: records of a
//! store are checked before they are inserted.
//!
//! The owner (the first part of a repository's name) who fills it pays for it: what is evicted is
//! the least recently used entry of the owner who takes the most room, so that pushes to one
//! repository do not evict what is known of another's.

use crate::keyed::Keyed;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

/// The least recently used entries are evicted first.
#[derive(Debug)]
pub(super) struct Cache<V> {
    /// Where the books say.
    slots: Vec<Option<V>>,
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
            slots: Vec::new(),
            books: Books {
                capacity,
                ..Books::default()
            },
        }
    }

    /// The value, which counts as used now.
    pub(super) fn get(&mut self, repository: &str, key: &str) -> Option<&mut V> {
        let slot = self.books.touch(&full(repository, key))?;
        self.slots.get_mut(slot)?.as_mut()
    }

    /// The value, which does not count as used.
    pub(super) fn peek(&self, repository: &str, key: &str) -> Option<&V> {
        self.at(&full(repository, key))
    }

    fn at(&self, key: &str) -> Option<&V> {
        let slot = self.books.slot(key)?;
        self.slots.get(slot)?.as_ref()
    }

    /// The key of what was used last at this time, in the cache's own time.
    pub(super) fn used_at(&self, repository: &str, used: u64) -> Option<&str> {
        let key = self.books.order(repository)?.get(&used)?;
        key.strip_prefix(repository)?.strip_prefix('\n')
    }

    /// All entries of one repository, the last used first.
    pub(super) fn entries_of(&self, repository: &str) -> impl Iterator<Item = (&str, &V)> {
        let prefix = full(repository, "");
        let order = self.books.order(repository).into_iter();
        let keys = order.flat_map(|order| order.values().rev());
        keys.filter_map(move |key| Some((key.strip_prefix(prefix.as_str())?, self.at(key)?)))
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
        let slot = self.books.free.pop().unwrap_or(self.slots.len());
        match self.slots.get_mut(slot) {
            Some(free) => *free = Some(value),
            None => self.slots.push(Some(value)),
        }
        let key = full(repository, key).into();
        let (used, gone) = self.books.enter(key, slot, weight);
        let evicted = gone.into_iter().filter_map(|gone| self.lose(gone));
        (used, replaced.into_iter().chain(evicted).collect())
    }

    /// Removes a value.
    pub(super) fn remove(&mut self, repository: &str, key: &str) -> Option<Removed<V>> {
        let gone = self.books.strike(&full(repository, key))?;
        self.lose(gone)
    }

    fn lose(&mut self, gone: Gone) -> Option<Removed<V>> {
        self.books.free.push(gone.slot);
        let (repository, _) = gone.key.split_once('\n')?;
        Some(Removed {
            repository: repository.into(),
            value: self.slots.get_mut(gone.slot)?.take()?,
            used: gone.used,
        })
    }
}

/// Of all keys, which begin with their repository: who owns them, what they weigh, when they were
/// used last, and where their values are. Whatever these are, it is compiled once.
#[derive(Debug, Default)]
struct Books {
    owners: Keyed<Owner>,
    /// The same by their weight, so that the heaviest is found without a look at the others.
    weights: BTreeSet<(usize, String)>,
    /// Slots without a value.
    free: Vec<usize>,
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
    slot: usize,
    weight: usize,
    used: u64,
}

/// A key that is there no more.
struct Gone {
    key: Rc<str>,
    slot: usize,
    used: u64,
}

impl Books {
    fn slot(&self, key: &str) -> Option<usize> {
        Some(self.owners.get(owner(key))?.entries.get(key)?.slot)
    }

    fn order(&self, repository: &str) -> Option<&BTreeMap<u64, Rc<str>>> {
        Some(&self.owners.get(owner(repository))?.order)
    }

    fn now(&mut self) -> u64 {
        self.clock = self.clock.saturating_add(1);
        self.clock
    }

    /// It was used now.
    fn touch(&mut self, key: &str) -> Option<usize> {
        let now = self.now();
        let owned = self.owners.get_mut(owner(key))?;
        let entry = owned.entries.get_mut(key)?;
        let key = owned.order.remove(&entry.used)?;
        entry.used = now;
        owned.order.insert(now, key);
        Some(entry.slot)
    }

    /// One more, that was used now; and which have to go.
    fn enter(&mut self, key: Rc<str>, slot: usize, weight: usize) -> (u64, Vec<Gone>) {
        let used = self.now();
        if weight > self.capacity {
            return (used, alloc::vec![Gone { key, slot, used }]);
        }
        let name = owner(&key);
        if let Some(owned) = self.owners.of(name) {
            owned.order.insert(used, key.clone());
            let entry = Entry { slot, weight, used };
            owned.entries.insert(key.clone(), entry);
        }
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

    fn strike(&mut self, key: &str) -> Option<Gone> {
        let name = owner(key);
        let owned = self.owners.get_mut(name)?;
        let Entry { slot, weight, used } = owned.entries.remove(key)?;
        let key = owned.order.remove(&used)?;
        self.weigh(name, |before| before.saturating_sub(weight));
        Some(Gone { key, slot, used })
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
        assert!(books.weights.is_empty() && cache.slots.iter().all(Option::is_none));
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
        assert!(cache.books.weight <= 100 && cache.slots.len() < 60);
        // Repositories whose names begin alike are different repositories.
        assert!(cache.get("victim", "k").is_none() && cache.entries_of("victim").next().is_none());
    }
}
