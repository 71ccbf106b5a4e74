//! Row ids: a record has the same id in every load.
//!
//! A record that production already has keeps its id there, so that foreign keys and
//! bookmarked URLs keep working. A new record gets a UUIDv5 of its record id, so that a second
//! load yields the same ids. A record without an id gets a UUIDv5 of its place: the SHA-256 of
//! its input, its member and its byte offset.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use sha1::{Digest, Sha1};
use uuid::Uuid;

/// Computes UUIDv5s in one namespace. It runs for every row of a load.
#[derive(Clone, Debug)]
struct NameHasher {
    namespace: Uuid,
}

/// The state that SHA-1 begins with (FIPS 180-4).
const SHA1: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
/// The bytes of a message that fits one block of SHA-1, with its length.
const ONE_BLOCK: usize = 55;

impl NameHasher {
    /// The namespace is itself the UUIDv5 of a text, under the nil UUID.
    fn new(namespace: &str) -> Self {
        NameHasher { namespace: Uuid::new_v5(&Uuid::nil(), namespace.as_bytes()) }
    }

    fn of_record(&self, record_id: &[u8]) -> Uuid {
        let namespace = self.namespace.as_bytes();
        let length = namespace.len() + record_id.len();
        if length > ONE_BLOCK {
            return self.of(&[record_id]);
        }
        // Without the buffer of the general hasher, which costs more than the hash.
        let mut block = [0; 64];
        block[..namespace.len()].copy_from_slice(namespace);
        block[namespace.len()..length].copy_from_slice(record_id);
        block[length] = 0x80;
        block[56..].copy_from_slice(&(length as u64 * 8).to_be_bytes());
        let mut state = SHA1;
        sha1::block_api::compress(&mut state, &[block]);
        let mut bytes = [0; 16];
        for (bytes, word) in bytes.chunks_exact_mut(4).zip(state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        uuid::Builder::from_sha1_bytes(bytes).into_uuid()
    }

    fn of(&self, parts: &[&[u8]]) -> Uuid {
        let mut hasher = Sha1::new_with_prefix(self.namespace);
        parts.iter().for_each(|part| hasher.update(part));
        let digest: [u8; 20] = hasher.finalize().into();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        uuid::Builder::from_sha1_bytes(bytes).into_uuid()
    }
}

/// Production's row ids by record id: exact, at about 40 bytes per row.
#[derive(Debug)]
pub struct RowIds {
    known: HashTable<Known>,
    hasher: DefaultHashBuilder,
    /// All record ids, one after the other.
    names: Vec<u8>,
    ambiguous: u64,
    records: NameHasher,
    places: NameHasher,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    at: usize,
    len: usize,
    /// Nil if two rows of production share the record id.
    id: Uuid,
}

impl Default for RowIds {
    fn default() -> Self {
        RowIds {
            known: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            names: Vec::new(),
            ambiguous: 0,
            records: NameHasher::new("sterna.record"),
            places: NameHasher::new("sterna.place"),
        }
    }
}

impl RowIds {
    /// Records that production has `id` for `record_id`. A record id shared by two rows
    /// identifies neither: its records get new ids.
    pub fn carry_over(&mut self, record_id: &[u8], id: Uuid) {
        let hash = self.hasher.hash_one(record_id);
        let names = &self.names;
        let same = |k: &Known| &names[k.at..k.at + k.len] == record_id;
        if let Some(known) = self.known.find_mut(hash, same) {
            self.ambiguous += u64::from(!known.id.is_nil());
            known.id = Uuid::nil();
            return;
        }
        let (at, len) = (self.names.len(), record_id.len());
        self.names.extend_from_slice(record_id);
        let (names, hasher) = (&self.names, &self.hasher);
        self.known.insert_unique(hash, Known { at, len, id }, |k| {
            hasher.hash_one(&names[k.at..k.at + k.len])
        });
    }

    /// Whether production has this record id.
    #[must_use]
    pub fn is_known(&self, record_id: &[u8]) -> bool {
        let same = |k: &Known| &self.names[k.at..k.at + k.len] == record_id;
        self.known.find(self.hasher.hash_one(record_id), same).is_some()
    }

    /// The number of record ids shared by several rows of production.
    #[must_use]
    pub fn ambiguous(&self) -> u64 {
        self.ambiguous
    }

    /// The number of record ids in production.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether production has no record id.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The id of a row, from its record id or else from its place: the key of its file, and its
    /// byte offset there.
    #[must_use]
    pub fn row_id(&self, record_id: Option<&[u8]>, place: (&[u8], u64)) -> Uuid {
        let Some(record_id) = record_id.filter(|id| !id.is_empty()) else {
            let (member_key, byte_offset) = place;
            return self.places.of(&[member_key, &byte_offset.to_be_bytes()]);
        };
        let names = &self.names;
        let same = |k: &Known| &names[k.at..k.at + k.len] == record_id;
        match self.known.find(self.hasher.hash_one(record_id), same) {
            Some(known) if !known.id.is_nil() => known.id,
            _ => self.records.of_record(record_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOWHERE: (&[u8], u64) = (b"", 0);

    proptest! {
        #[test]
        fn ids_are_those_of_the_uuid_crate(name in prop::collection::vec(any::<u8>(), 0..100)) {
            let hasher = NameHasher::new("sterna.record");
            let wanted = Uuid::new_v5(&hasher.namespace, &name);
            prop_assert_eq!(hasher.of_record(&name), wanted);
            let (start, end) = name.split_at(name.len() / 2);
            prop_assert_eq!(hasher.of(&[start, end]), wanted);
        }
    }

    #[test]
    fn known_records_keep_their_id_and_new_ones_get_a_stable_one() {
        let mut ids = RowIds::default();
        for i in 0..1000u32 {
            ids.carry_over(i.to_string().as_bytes(), Uuid::from_u128(u128::from(i) + 1));
        }
        assert_eq!(ids.row_id(Some(b"41"), NOWHERE), Uuid::from_u128(42));
        let new = ids.row_id(Some(b"1000"), NOWHERE);
        assert_eq!(new, RowIds::default().row_id(Some(b"1000"), (b"elsewhere", 7)));
        assert_eq!(new.get_version_num(), 5);
        assert_eq!(new.to_string(), "41a5403f-2db7-57e7-9b73-315012d3df25");
    }

    #[test]
    fn a_record_id_of_two_rows_identifies_neither() {
        let mut ids = RowIds::default();
        for id in 1..=3 {
            ids.carry_over(b"7", Uuid::from_u128(id));
        }
        assert_eq!(ids.ambiguous(), 1);
        assert_eq!(ids.row_id(Some(b"7"), NOWHERE), RowIds::default().row_id(Some(b"7"), NOWHERE));
    }

    #[test]
    fn without_a_record_id_the_place_decides() {
        let ids = RowIds::default();
        let at = |key: &'static [u8], offset| ids.row_id(Some(b""), (key, offset));
        assert_eq!(at(b"a", 1), ids.row_id(None, (b"a", 1)));
        assert_ne!(at(b"a", 1), at(b"a", 2));
        assert_ne!(at(b"a", 1), at(b"b", 1));
    }
}
