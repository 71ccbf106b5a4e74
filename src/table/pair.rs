//! A table and its staging table, and the names of what belongs to them.

use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::pg::catalog::Relation;
use crate::pg::{Distribution, Ident, MAX_NAME_BYTES, Table};

/// The suffix of a staging table's name.
pub const SUFFIX: &str = "_staging";

/// The suffix of an old table's name, after another has taken its place.
pub const OLD_SUFFIX: &str = "_old";

/// The name of an object of the table, such as an index, while the table has this suffix. A
/// name that would be truncated is shortened before the suffix, with a digest of the whole
/// name to keep it unique.
///
/// # Errors
/// None in practice: the name is as short as it has to be.
pub fn attached_name(name: &str, suffix: &str) -> Result<Ident> {
    let longest = MAX_NAME_BYTES - suffix.len();
    if name.len() <= longest {
        return Ident::new(format!("{name}{suffix}"));
    }
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(name));
    let digest = format!("_{:08x}", u32::from_be_bytes([a, b, c, d]));
    let kept = name.floor_char_boundary(longest - digest.len());
    Ident::new(format!("{}{digest}{suffix}", &name[..kept]))
}

/// A table and its staging table.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The table to replace.
    pub table: Table,
    /// Its OID.
    pub table_oid: u32,
    /// The table that rows are loaded into.
    pub staging: Table,
    /// The partitioned table that it is a partition of, on whatever level; itself if it is none.
    /// What belongs to all of the rows, such as the species, is beside it.
    pub whole: Table,
    /// Whether both are partitioned.
    pub partitioned: bool,
    /// Where the rows of the table are.
    pub distribution: Distribution,
}

impl Pair {
    pub(crate) fn new(table: &Table, staging: Table, found: Relation) -> Self {
        let Relation { oid, partitioned, distribution, whole, .. } = found;
        Pair { table: table.clone(), table_oid: oid, staging, whole, partitioned, distribution }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_be_cut_stay_apart() {
        assert_eq!(attached_name("t_pkey", "_old").unwrap().name(), "t_pkey_old");
        let long = "ß".repeat(31);
        let [a, b] = ["x", "y"].map(|end| attached_name(&format!("{long}{end}"), SUFFIX).unwrap());
        assert_ne!(a, b);
        assert!(a.name().len() <= MAX_NAME_BYTES && a.name().ends_with(SUFFIX), "{a}");
        assert!(a.name().starts_with("ßßß"));
        let longest = "x".repeat(MAX_NAME_BYTES - SUFFIX.len());
        assert_eq!(attached_name(&longest, SUFFIX).unwrap().name(), format!("{longest}_staging"));
    }
}
