//! A map by text. Its tree is one for all that such maps hold: the standard library's is compiled
//! anew for each type, which was a tenth of the modules that pages load.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Values by their keys, in the order of these (byte by byte).
#[derive(Clone)]
pub(crate) struct Keyed<V> {
    places: Places,
    values: Vec<Option<V>>,
}

/// Where the value of each key lies.
#[derive(Clone, Default)]
struct Places {
    tree: BTreeMap<String, usize>,
    /// Where nothing lies any more.
    free: Vec<usize>,
}

impl Places {
    fn enter(&mut self, key: String) -> usize {
        // None is empty but those that are free.
        let next = self.tree.len().saturating_add(self.free.len());
        let place = self.free.pop().unwrap_or(next);
        self.tree.insert(key, place);
        place
    }

    fn leave(&mut self, key: &str) -> Option<usize> {
        let place = self.tree.remove(key)?;
        self.free.push(place);
        Some(place)
    }
}

/// Keys alone.
pub(crate) type Keys = Keyed<()>;

impl<V> Default for Keyed<V> {
    fn default() -> Self {
        Self {
            places: Places::default(),
            values: Vec::new(),
        }
    }
}

impl<V: fmt::Debug> fmt::Debug for Keyed<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<V: PartialEq> PartialEq for Keyed<V> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<V: Eq> Eq for Keyed<V> {}

impl<V> Keyed<V> {
    pub(crate) fn len(&self) -> usize {
        self.places.tree.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.tree.is_empty()
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.places.tree.contains_key(key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.values.get(*self.places.tree.get(key)?)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.values.get_mut(*self.places.tree.get(key)?)?.as_mut()
    }

    /// The value of `key` before, if it had one.
    pub(crate) fn insert(&mut self, key: impl Into<String>, value: V) -> Option<V> {
        self.put(key.into(), value)
    }

    fn put(&mut self, key: String, value: V) -> Option<V> {
        if let Some(held) = self.get_mut(&key) {
            return Some(core::mem::replace(held, value));
        }
        let place = self.places.enter(key);
        match self.values.get_mut(place) {
            Some(empty) => *empty = Some(value),
            None => self.values.push(Some(value)),
        }
        None
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<V> {
        let place = self.places.leave(key)?;
        self.values.get_mut(place)?.take()
    }

    /// By key, in their order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &V)> {
        self.places
            .tree
            .iter()
            .filter_map(|(key, place)| Some((key.as_str(), self.values.get(*place)?.as_ref()?)))
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

impl<V: Default> Keyed<V> {
    /// The value of `key`, which is the default if it had none.
    pub(crate) fn of(&mut self, key: &str) -> Option<&mut V> {
        if !self.contains(key) {
            self.insert(key, V::default());
        }
        self.get_mut(key)
    }
}

impl Keys {
    /// Whether `key` was not there.
    pub(crate) fn add(&mut self, key: impl Into<String>) -> bool {
        self.insert(key, ()).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The standard library's map is the oracle.
        #[test]
        fn it_is_a_map(steps in proptest::collection::vec(("[a-e]{0,2}", any::<u8>(), 0..4), 0..60)) {
            let (mut ours, mut theirs) = (Keyed::default(), BTreeMap::new());
            for (key, value, what) in steps {
                match what {
                    0 => prop_assert_eq!(ours.remove(&key), theirs.remove(&key)),
                    1 => {
                        *ours.of(&key).unwrap() = value;
                        *theirs.entry(key.clone()).or_default() = value;
                    }
                    _ => prop_assert_eq!(ours.insert(key.as_str(), value), theirs.insert(key.clone(), value)),
                }
                prop_assert_eq!(ours.get(&key), theirs.get(&key));
                prop_assert_eq!(ours.contains(&key), theirs.contains_key(&key));
                prop_assert_eq!((ours.len(), ours.is_empty()), (theirs.len(), theirs.is_empty()));
                prop_assert!(ours.iter().eq(theirs.iter().map(|(key, value)| (key.as_str(), value))));
                // What is removed leaves room for what comes.
                prop_assert!(ours.values.len() <= 31);
            }
        }
    }
}
