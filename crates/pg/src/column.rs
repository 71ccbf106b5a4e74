//! Columns of a table as the catalog describes them, and the types that sterna encodes.

use crate::Ident;

/// A column type that sterna can encode, with its modifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// `uuid`
    Uuid,
    /// `text`, and `varchar` without a length
    Text,
    /// `varchar(n)`: at most `n` characters
    Varchar(u32),
    /// `char(n)`: the server pads it with blanks to `n` characters
    Char(u32),
    /// `smallint`
    SmallInt,
    /// `integer`
    Integer,
    /// `bigint`
    BigInt,
    /// `numeric`, or `numeric(p,s)`
    Numeric(Option<NumericType>),
    /// `real`
    Real,
    /// `double precision`
    Double,
    /// `boolean`
    Boolean,
    /// `date`
    Date,
    /// `timestamptz(n)`: fractional digits of a second, 6 by default
    Timestamptz(u8),
}

/// `numeric(precision, scale)`: total digits, and digits after the decimal point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumericType {
    /// Total decimal digits, 1 to 1000.
    pub precision: u16,
    /// Digits after the decimal point, -1000 to 1000; a negative scale rounds before it.
    pub scale: i16,
}

impl ColumnType {
    /// The type for `pg_type.typname` and `pg_attribute.atttypmod`; `None` if sterna does
    /// not encode it.
    #[must_use]
    pub fn from_catalog(type_name: &str, typmod: i32) -> Option<Self> {
        // A length or precision is stored with the 4 bytes of a varlena header added.
        let modifier = u32::try_from(typmod - 4).ok().filter(|_| typmod >= 4);
        Some(match type_name {
            "uuid" => Self::Uuid,
            "text" => Self::Text,
            "varchar" => modifier.map_or(Self::Text, Self::Varchar),
            "bpchar" => modifier.map_or(Self::Text, Self::Char),
            "int2" => Self::SmallInt,
            "int4" => Self::Integer,
            "int8" => Self::BigInt,
            "numeric" => Self::Numeric(modifier.map(NumericType::from_modifier)),
            "float4" => Self::Real,
            "float8" => Self::Double,
            "bool" => Self::Boolean,
            "date" => Self::Date,
            "timestamptz" => Self::Timestamptz(u8::try_from(typmod).unwrap_or(6)),
            _ => return None,
        })
    }
}

impl NumericType {
    fn from_modifier(modifier: u32) -> Self {
        // 16 bits of precision above 11 bits of scale, which is signed.
        let scale = (modifier & 0x7ff) as i16;
        let scale = if scale >= 1024 { scale - 2048 } else { scale };
        NumericType { precision: (modifier >> 16) as u16, scale }
    }
}

/// A column of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Ident,
    /// Its type, if sterna encodes it.
    pub kind: Option<ColumnType>,
    /// Its type in SQL, such as `numeric(10,2)`.
    pub sql_type: String,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// Its default expression.
    pub default: Option<String>,
    /// Whether only the server sets it (`GENERATED ALWAYS`): a generated or identity column.
    pub generated: bool,
    /// Whether it is an identity column, `ALWAYS` or `BY DEFAULT`.
    pub identity: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_are_taken_apart() {
        let numeric = |p: i32, s: i32| ((p << 16) | (s & 0x7ff)) + 4;
        let kind = |p, s| Some(ColumnType::Numeric(Some(NumericType { precision: p, scale: s })));
        assert_eq!(ColumnType::from_catalog("numeric", numeric(10, 2)), kind(10, 2));
        assert_eq!(ColumnType::from_catalog("numeric", numeric(5, -3)), kind(5, -3));
        assert_eq!(ColumnType::from_catalog("numeric", -1), Some(ColumnType::Numeric(None)));
        assert_eq!(ColumnType::from_catalog("varchar", 24), Some(ColumnType::Varchar(20)));
        assert_eq!(ColumnType::from_catalog("varchar", -1), Some(ColumnType::Text));
        let seconds = |typmod| ColumnType::from_catalog("timestamptz", typmod);
        assert_eq!(seconds(-1), Some(ColumnType::Timestamptz(6)));
        assert_eq!(seconds(0), Some(ColumnType::Timestamptz(0)));
        assert_eq!(ColumnType::from_catalog("jsonb", -1), None);
    }
}
