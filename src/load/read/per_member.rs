//! Values per member, with equal ones stored once: a folder may hold a hundred thousand files
//! with the same header.

use std::ops::Index;
use std::sync::Arc;

/// A value for each member, of which only few are distinct.
#[derive(Clone, Debug)]
pub struct PerMember<T> {
    distinct: Vec<T>,
    /// Index into `distinct`, by member.
    of_member: Arc<[u32]>,
}

impl<T> PerMember<T> {
    /// Stores one value for a number of members.
    #[must_use]
    pub fn same(value: T, members: usize) -> Self {
        PerMember { distinct: vec![value], of_member: vec![0; members].into() }
    }

    /// Stores the distinct values, and for each member the index of its value.
    #[must_use]
    pub fn new(distinct: Vec<T>, of_member: Vec<u32>) -> Self {
        PerMember { distinct, of_member: of_member.into() }
    }

    /// The number of members.
    #[must_use]
    pub fn members(&self) -> usize {
        self.of_member.len()
    }

    /// The distinct values, in order of first use.
    #[must_use]
    pub fn distinct(&self) -> &[T] {
        &self.distinct
    }

    /// The distinct values, to be changed for all members at once.
    pub fn distinct_mut(&mut self) -> &mut [T] {
        &mut self.distinct
    }

    /// The value of each member, in member order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.of_member.iter().map(|which| &self.distinct[*which as usize])
    }

    /// The value of a member, if that member exists.
    #[must_use]
    pub fn get(&self, member: usize) -> Option<&T> {
        Some(&self.distinct[*self.of_member.get(member)? as usize])
    }

    /// Maps each distinct value once.
    #[must_use]
    pub fn map<U>(&self, make: impl FnMut(&T) -> U) -> PerMember<U> {
        let distinct = self.distinct.iter().map(make).collect();
        PerMember { distinct, of_member: Arc::clone(&self.of_member) }
    }
}

impl<T> Index<usize> for PerMember<T> {
    type Output = T;

    fn index(&self, member: usize) -> &T {
        &self.distinct[self.of_member[member] as usize]
    }
}
