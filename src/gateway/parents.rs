//! Which documents that were served here list a digest, found by that digest.

use super::cache::Cache;
use crate::digest::Digest;
use crate::keyed::Keyed;
use crate::limits;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// Of all repositories.
#[derive(Debug)]
pub(super) struct Parents {
    listed: Cache<DigestPrefixes>,
    /// Of each repository, what is listed, and when what lists it was used last. One tree for all would
    /// have places that whoever pushes to one repository could fill for another.
    found: Keyed<BTreeSet<(u64, u64)>>,
}

impl Parents {
    /// Of so many bytes.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            listed: Cache::new(capacity),
            found: Keyed::default(),
        }
    }

    /// Documents that may list this digest, the last used first.
    pub(super) fn of(&self, repository: &str, child: &Digest) -> impl Iterator<Item = Digest> {
        let child = prefix(child);
        let found = self.found.get(repository).into_iter();
        let found = found.flat_map(move |found| found.range((child, 0)..=(child, u64::MAX)).rev());
        found.filter_map(move |(_, used)| {
            let parent = self.listed.used_at(repository, *used)?;
            Digest::parse(parent).ok()
        })
    }

    /// Whether this is known to list these.
    pub(super) fn knows(&self, repository: &str, parent: &str, listed: &DigestPrefixes) -> bool {
        self.listed.peek(repository, parent) == Some(listed)
    }

    /// This lists these, and was used now.
    pub(super) fn insert(&mut self, repository: &str, parent: &str, listed: DigestPrefixes) {
        let children: Vec<u64> = listed.iter().collect();
        let weight = children.len().saturating_mul(limits::KEPT_LINK);
        let weight = weight.saturating_add(limits::KEPT_PARENT);
        let (used, removed) = self.listed.insert(repository, parent, listed, weight);
        if let Some(found) = self.found.of(repository) {
            found.extend(children.into_iter().map(|child| (child, used)));
        }
        for gone in removed {
            self.lose(&gone.repository, &gone.value, gone.used);
        }
    }

    fn lose(&mut self, repository: &str, listed: &DigestPrefixes, used: u64) {
        let Some(found) = self.found.get_mut(repository) else {
            return;
        };
        for child in listed.iter() {
            found.remove(&(child, used));
        }
        if found.is_empty() {
            self.found.remove(repository);
        }
    }

    /// All documents of a repository, and what they list, the last used first.
    pub(super) fn all(&self, repository: &str) -> impl Iterator<Item = (&str, &DigestPrefixes)> {
        self.listed.entries_of(repository)
    }
}

/// The digests that a document lists, by their first eight bytes: enough to find the document by
/// one of them, and then the document itself is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DigestPrefixes(Vec<u64>);

impl DigestPrefixes {
    pub(super) fn of<'d>(digests: impl Iterator<Item = &'d Digest>) -> Self {
        Self::new(digests.map(prefix).collect())
    }

    pub(super) fn new(mut prefixes: Vec<u64>) -> Self {
        prefixes.sort_unstable();
        prefixes.dedup();
        Self(prefixes)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }
}

/// The first eight bytes.
fn prefix(digest: &Digest) -> u64 {
    digest
        .bytes()
        .first_chunk()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;

    fn digest(number: usize) -> Digest {
        Digest::of(&number.to_be_bytes())
    }

    /// Who fills it pays for it; and what is found by its children goes with what lists them.
    #[test]
    fn what_is_evicted_is_found_no_more() {
        let mut parents = Parents::new(100 * limits::KEPT_PARENT);
        let children: Vec<Digest> = (0..40).map(digest).collect();
        let listed = || DigestPrefixes::of(children.iter());
        parents.insert("victim/app", &digest(1_000).to_string(), listed());
        for number in 0..1_000 {
            let (repository, parent) = (format!("tenant/r{}", number % 3), digest(number % 700));
            parents.insert(&repository, &parent.to_string(), listed());
            let found = parents.of(&repository, &children[7]).next();
            assert_eq!(found.as_ref(), Some(&parent));
        }
        let of = |repository: &str| parents.of(repository, &children[7]).count();
        assert_eq!((of("victim/app"), of("victim"), of("tenant/r3")), (1, 0, 0));
        // 256 bytes for a manifest, and 32 for each of 40.
        let all: usize = ["victim/app", "tenant/r0", "tenant/r1", "tenant/r2"]
            .map(of)
            .iter()
            .sum();
        assert_eq!(all, 100 * 256 / (256 + 40 * 32));
        let found = |parents: &Parents| parents.found.values().map(BTreeSet::len).sum::<usize>();
        assert_eq!(found(&parents), 40 * all);
        // What is too heavy is not kept, nor what it replaces.
        let many = DigestPrefixes::new((0..2_000).collect());
        parents.insert("victim/app", &digest(1_000).to_string(), many);
        assert_eq!(parents.of("victim/app", &children[7]).count(), 0);
        assert_eq!(found(&parents), 40 * (all - 1));
        // Of a repository without any, nothing stays.
        assert!(parents.found.get("victim/app").is_none());
    }
}
