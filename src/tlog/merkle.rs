//! Merkle trees of RFC 9162 section 2.1 (RFC 6962 has the same), with SHA-256.
//!
//! In scope: that an entry is in a tree of a given size and root. Index, size, proof and root are
//! all the evidence's; a root means something only when a checkpoint that its log signed says it.

use super::error::TlogError;
use crate::digest::sha256;
use alloc::vec::Vec;

/// A node of a tree, or its root.
pub type NodeHash = [u8; 32];

/// RFC 9162 section 2.1.1: `HASH(0x00 || d)`. The prefix keeps a leaf from being passed off as a
/// node.
pub fn leaf_hash(entry: &[u8]) -> NodeHash {
    let mut bytes = Vec::with_capacity(entry.len() + 1);
    bytes.push(0);
    bytes.extend_from_slice(entry);
    sha256(&bytes)
}

/// RFC 9162 section 2.1.1: `HASH(0x01 || left || right)`.
pub fn node_hash(left: &NodeHash, right: &NodeHash) -> NodeHash {
    let mut bytes = Vec::with_capacity(65);
    bytes.push(1);
    bytes.extend_from_slice(left);
    bytes.extend_from_slice(right);
    sha256(&bytes)
}

/// RFC 9162 section 2.1.3.2. `node` and `last` are its `fn` and `sn`: the place of the entry and of
/// the last entry, one level up with each hash. The loop ends with the tree's height, however long
/// the proof.
///
/// # Errors
/// [`TlogError::ProofIndex`], [`TlogError::ProofLength`], [`TlogError::ProofRoot`].
pub fn verify_inclusion(
    leaf: &NodeHash,
    index: u64,
    size: u64,
    proof: &[NodeHash],
    root: &NodeHash,
) -> Result<(), TlogError> {
    // Step 1.
    if index >= size {
        return Err(TlogError::ProofIndex { index, size });
    }
    let length = TlogError::ProofLength {
        index,
        size,
        found: proof.len(),
    };
    // Steps 2 and 3.
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    // Step 4.
    for sibling in proof {
        if last == 0 {
            return Err(length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // A last node without a sibling is lifted to where it has one.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    // Step 5.
    if last != 0 {
        return Err(length);
    }
    if &hash == root {
        Ok(())
    } else {
        Err(TlogError::ProofRoot)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::encoding::hex;
    use crate::error::Coded;
    use alloc::format;
    use proptest::prelude::*;

    /// MTH of RFC 9162 section 2.1.1, as it is written there.
    pub(crate) fn root(leaves: &[NodeHash]) -> NodeHash {
        match leaves {
            [] => sha256(b""),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&root(left), &root(right))
            }
        }
    }

    /// PATH of RFC 9162 section 2.1.3.1, as it is written there.
    pub(crate) fn path(index: usize, leaves: &[NodeHash]) -> Vec<NodeHash> {
        if leaves.len() < 2 {
            return Vec::new();
        }
        let half = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(half);
        let (mut path, sibling) = if index < half {
            (path(index, left), root(right))
        } else {
            (path(index - half, right), root(left))
        };
        path.push(sibling);
        path
    }

    fn leaves(n: usize) -> Vec<NodeHash> {
        (0..n)
            .map(|i| leaf_hash(format!("entry {i}").as_bytes()))
            .collect()
    }

    fn verify(
        leaf: &NodeHash,
        index: usize,
        size: usize,
        proof: &[NodeHash],
        root: &NodeHash,
    ) -> Result<(), TlogError> {
        let (index, size) = (index.try_into().unwrap(), size.try_into().unwrap());
        verify_inclusion(leaf, index, size, proof, root)
    }

    /// The empty leaf and the tree of eight from transparency-dev/merkle, `testonly` (also in RFC
    /// 6962 implementations).
    #[test]
    fn known_hashes() {
        assert_eq!(
            hex::encode(&leaf_hash(b"")),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        let inputs: [&[u8]; 8] = [
            b"",
            b"\0",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let leaves: Vec<NodeHash> = inputs.iter().map(|entry| leaf_hash(entry)).collect();
        assert_eq!(
            hex::encode(&root(&leaves)),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        );
    }

    #[test]
    fn every_entry_of_every_small_tree_and_nothing_else() {
        for size in 1..=40 {
            let leaves = leaves(size);
            let root = root(&leaves);
            for index in 0..size {
                let proof = path(index, &leaves);
                verify(&leaves[index], index, size, &proof, &root).unwrap();
                for other in (0..size + 3).filter(|other| *other != index) {
                    assert!(
                        verify(&leaves[index], other, size, &proof, &root).is_err(),
                        "{index} as {other} of {size}"
                    );
                }
                for (other, leaf) in leaves
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| *other != index)
                {
                    assert_eq!(
                        verify(leaf, index, size, &proof, &root).unwrap_err().code(),
                        "proof.root",
                        "{other} for {index}"
                    );
                }
            }
        }
    }

    #[test]
    fn named_mutations() {
        let leaves = leaves(11);
        let (root, proof) = (root(&leaves), path(6, &leaves));
        let check = |index, size, proof: &[NodeHash]| {
            verify(&leaves[6], index, size, proof, &root)
                .map_or_else(|error| error.code(), |()| "ok")
        };
        let (mut longer, mut flipped, mut swapped) = (proof.clone(), proof.clone(), proof.clone());
        longer.push(root);
        flipped[1][0] ^= 1;
        swapped.swap(0, 1);
        for (name, found, expected) in [
            ("as it is", check(6, 11, &proof), "ok"),
            ("index at the size", check(11, 11, &proof), "proof.index"),
            ("empty tree", check(0, 0, &[]), "proof.index"),
            ("no hashes", check(6, 11, &[]), "proof.length"),
            ("one hash fewer", check(6, 11, &proof[..3]), "proof.length"),
            ("one hash more", check(6, 11, &longer), "proof.length"),
            ("a bit flipped", check(6, 11, &flipped), "proof.root"),
            ("two hashes swapped", check(6, 11, &swapped), "proof.root"),
            ("the neighbour's index", check(7, 11, &proof), "proof.root"),
            (
                "a far larger tree",
                check(6, 1 << 30, &proof),
                "proof.length",
            ),
            (
                "the largest",
                check(usize::MAX - 1, usize::MAX, &proof),
                "proof.length",
            ),
        ] {
            assert_eq!(found, expected, "{name}");
        }
    }

    proptest! {
        /// A tree of one size has proofs of the same shape as some of another size; the root tells
        /// them apart.
        #[test]
        fn another_index_size_or_leaf_never_verifies(size in 1_usize..200, at in 0_usize..200, index in 0_usize..220, length in 0_usize..220, leaf in 0_usize..200) {
            let leaves = leaves(size);
            let at = at % size;
            let proof = path(at, &leaves);
            prop_assert!(verify(&leaves[at], at, size, &proof, &root(&leaves)).is_ok());
            prop_assert!(index == at || verify(&leaves[at], index, size, &proof, &root(&leaves)).is_err());
            prop_assert!(leaf % size == at || verify(&leaves[leaf % size], at, size, &proof, &root(&leaves)).is_err());
            // The log's own root for another size.
            let more = self::leaves(length);
            prop_assert!(length == size || verify(&leaves[at], at, length, &proof, &root(&more)).is_err());
        }

        #[test]
        fn never_panics(leaf: [u8; 32], index: u64, size: u64, proof in proptest::collection::vec(any::<[u8; 32]>(), 0..70), root: [u8; 32]) {
            prop_assert!(verify_inclusion(&leaf, index, size, &proof, &root).is_err());
        }
    }
}
