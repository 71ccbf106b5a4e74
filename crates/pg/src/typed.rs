//! Parameter values with their SQL types.
//!
//! The server could report the types as well, but in an extra round trip. If the client
//! sends them, a statement takes one round trip.

use tokio_postgres::types::{Json, ToSql, Type};
use uuid::Uuid;

/// A parameter's value and its type.
pub trait Typed: ToSql + Sync {
    /// The SQL type that is sent to the server.
    fn sql_type(&self) -> Type;
}

/// A Rust type with a fixed SQL type.
trait Known: ToSql + Sync {
    const ONE: Type;
    const MANY: Type;
}

macro_rules! known {
    ($($rust:ty => $one:ident, $many:ident;)*) => {$(
        impl Known for $rust {
            const ONE: Type = Type::$one;
            const MANY: Type = Type::$many;
        }

        impl Typed for $rust {
            fn sql_type(&self) -> Type {
                Type::$one
            }
        }
    )*};
}

known! {
    bool => BOOL, BOOL_ARRAY;
    i8 => CHAR, CHAR_ARRAY;
    i16 => INT2, INT2_ARRAY;
    i32 => INT4, INT4_ARRAY;
    i64 => INT8, INT8_ARRAY;
    u32 => OID, OID_ARRAY;
    f64 => FLOAT8, FLOAT8_ARRAY;
    &str => TEXT, TEXT_ARRAY;
    String => TEXT, TEXT_ARRAY;
    Uuid => UUID, UUID_ARRAY;
    serde_json::Value => JSONB, JSONB_ARRAY;
}

impl<T: serde::Serialize + std::fmt::Debug + Sync> Known for Json<T> {
    const ONE: Type = Type::JSONB;
    const MANY: Type = Type::JSONB_ARRAY;
}

impl<T: serde::Serialize + std::fmt::Debug + Sync> Typed for Json<T> {
    fn sql_type(&self) -> Type {
        Type::JSONB
    }
}

impl<T: Known> Known for &T {
    const ONE: Type = T::ONE;
    const MANY: Type = T::MANY;
}

impl<T: Typed> Typed for &T {
    fn sql_type(&self) -> Type {
        (**self).sql_type()
    }
}

impl<T: Known> Typed for Option<T> {
    fn sql_type(&self) -> Type {
        T::ONE
    }
}

impl<T: Known> Typed for &[T] {
    fn sql_type(&self) -> Type {
        T::MANY
    }
}

impl<T: Known> Typed for Vec<T> {
    fn sql_type(&self) -> Type {
        T::MANY
    }
}
