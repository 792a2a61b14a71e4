//! Values of ours as JSON text (RFC 8259): how reports leave.
//!
//! In scope: writing what derives `Serialize`. Out of scope: reading, which is [`super::json`]'s.
//! One text crosses to JavaScript at once; an object built there member by member took hundreds of
//! calls (measured: half of those of a verification).

use super::json::quote;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use serde::{Serialize, ser};

/// A value has no JSON: none of ours is such a one.
#[derive(Debug, PartialEq, Eq)]
pub struct NoJson(String);

impl fmt::Display for NoJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for NoJson {}

impl ser::Error for NoJson {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// A value as JSON text.
///
/// # Errors
/// [`NoJson`]: bytes, or a map whose keys are no strings.
pub fn to_json(value: &impl Serialize) -> Result<String, NoJson> {
    let mut text = String::new();
    value.serialize(Writer(&mut text))?;
    Ok(text)
}

fn no_json<T>(what: &str) -> Result<T, NoJson> {
    Err(NoJson(format!("expected what has JSON, found {what}")))
}

struct Writer<'a>(&'a mut String);

impl<'a> Writer<'a> {
    fn put(self, text: &str) -> Result<(), NoJson> {
        self.0.push_str(text);
        Ok(())
    }

    fn list(self) -> Pieces<'a> {
        self.0.push('[');
        Pieces::new(self.0, "]")
    }

    fn object(self) -> Pieces<'a> {
        self.0.push('{');
        Pieces::new(self.0, "}")
    }

    /// A variant that holds something: an object whose one member has its name.
    fn variant(self, name: &str, open: char, close: &'static str) -> Pieces<'a> {
        self.0.push('{');
        self.0.push_str(&quote(name));
        self.0.push(':');
        self.0.push(open);
        Pieces::new(self.0, close)
    }
}

macro_rules! numbers {
    ($($method:ident $type:ty),+) => {
        $(fn $method(self, value: $type) -> Result<(), NoJson> {
            self.put(&value.to_string())
        })+
    };
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = NoJson;
    type SerializeSeq = Pieces<'a>;
    type SerializeTuple = Pieces<'a>;
    type SerializeTupleStruct = Pieces<'a>;
    type SerializeTupleVariant = Pieces<'a>;
    type SerializeMap = Pieces<'a>;
    type SerializeStruct = Pieces<'a>;
    type SerializeStructVariant = Pieces<'a>;

    numbers!(
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64
    );

    fn serialize_bool(self, value: bool) -> Result<(), NoJson> {
        self.put(if value { "true" } else { "false" })
    }

    fn serialize_f32(self, value: f32) -> Result<(), NoJson> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), NoJson> {
        if value.is_finite() {
            self.put(&value.to_string())
        } else {
            self.put("null")
        }
    }

    fn serialize_char(self, value: char) -> Result<(), NoJson> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), NoJson> {
        self.put(&quote(value))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), NoJson> {
        no_json("bytes")
    }

    fn serialize_none(self) -> Result<(), NoJson> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NoJson> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), NoJson> {
        self.put("null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), NoJson> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), NoJson> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NoJson> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), NoJson> {
        let mut parts = self.object();
        ser::SerializeStruct::serialize_field(&mut parts, variant, value)?;
        ser::SerializeStruct::end(parts)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Pieces<'a>, NoJson> {
        Ok(self.list())
    }

    fn serialize_tuple(self, _: usize) -> Result<Pieces<'a>, NoJson> {
        Ok(self.list())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Pieces<'a>, NoJson> {
        Ok(self.list())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Pieces<'a>, NoJson> {
        Ok(self.variant(variant, '[', "]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Pieces<'a>, NoJson> {
        Ok(self.object())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Pieces<'a>, NoJson> {
        Ok(self.object())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Pieces<'a>, NoJson> {
        Ok(self.variant(variant, '{', "}}"))
    }
}

/// The parts of a list or an object, with commas between them.
struct Pieces<'a> {
    text: &'a mut String,
    is_first: bool,
    close: &'static str,
}

impl<'a> Pieces<'a> {
    fn new(text: &'a mut String, close: &'static str) -> Self {
        Self {
            text,
            is_first: true,
            close,
        }
    }

    fn next(&mut self) -> Writer<'_> {
        if !core::mem::replace(&mut self.is_first, false) {
            self.text.push(',');
        }
        Writer(self.text)
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoJson> {
        value.serialize(self.next())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoJson> {
        self.text.push(':');
        value.serialize(Writer(self.text))
    }

    fn member<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), NoJson> {
        self.next().put(&quote(key))?;
        self.value(value)
    }

    fn close(self) -> Result<(), NoJson> {
        Writer(self.text).put(self.close)
    }
}

macro_rules! parts {
    ($($part:ident $method:ident($($key:ident)?) $inner:ident;)+) => {
        $(impl ser::$part for Pieces<'_> {
            type Ok = ();
            type Error = NoJson;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($key: &'static str,)?
                value: &T,
            ) -> Result<(), NoJson> {
                self.$inner($($key,)? value)
            }

            fn end(self) -> Result<(), NoJson> {
                self.close()
            }
        })+
    };
}

parts! {
    SerializeSeq serialize_element() item;
    SerializeTuple serialize_element() item;
    SerializeTupleStruct serialize_field() item;
    SerializeTupleVariant serialize_field() item;
    SerializeStruct serialize_field(key) member;
    SerializeStructVariant serialize_field(key) member;
}

impl ser::SerializeMap for Pieces<'_> {
    type Ok = ();
    type Error = NoJson;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NoJson> {
        let text = to_json(&key)?;
        if !text.starts_with('"') {
            return no_json("a key that is no string");
        }
        self.next().put(&text)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoJson> {
        self.value(value)
    }

    fn end(self) -> Result<(), NoJson> {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[derive(Serialize)]
    enum Kind {
        #[serde(rename = "plain")]
        Plain,
        One(u8),
        Two(u8, char),
        Named {
            a: f64,
        },
    }

    #[derive(Serialize)]
    struct Inner<'a> {
        text: &'a str,
        none: Option<u8>,
    }

    #[derive(Serialize)]
    struct Outer<'a> {
        #[serde(flatten)]
        inner: Inner<'a>,
        kinds: Vec<Kind>,
        pair: (i64, u64),
        map: BTreeMap<String, ()>,
        #[serde(skip_serializing_if = "Option::is_none")]
        left_out: Option<bool>,
    }

    fn outer(text: &str) -> Outer<'_> {
        Outer {
            inner: Inner { text, none: None },
            kinds: Vec::from([
                Kind::Plain,
                Kind::One(1),
                Kind::Two(2, '\u{1f600}'),
                Kind::Named { a: 1.5 },
                Kind::Named { a: f64::NAN },
            ]),
            pair: (i64::MIN, u64::MAX),
            map: BTreeMap::from([(text.into(), ())]),
            left_out: None,
        }
    }

    fn read(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map(any::<String>(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn what_has_no_json() {
        assert!(to_json(&BTreeMap::from([(1, 2)])).is_err());
        assert!(to_json(&BTreeMap::from([(Some(true), 2)])).is_err());
        struct Bytes;
        impl Serialize for Bytes {
            fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(b"x")
            }
        }
        assert!(to_json(&Bytes).is_err());
    }

    #[test]
    fn separators() {
        assert_eq!(
            to_json(&json!({"a": [], "b": {}, "c": [1, [2], {"d": 3}]})).as_deref(),
            Ok(r#"{"a":[],"b":{},"c":[1,[2],{"d":3}]}"#)
        );
    }

    proptest! {
        /// As serde_json has it.
        #[test]
        fn values(value in value()) {
            prop_assert_eq!(read(&to_json(&value).unwrap()), value);
        }

        #[test]
        fn structures(text: String) {
            let outer = outer(&text);
            prop_assert_eq!(
                read(&to_json(&outer).unwrap()),
                serde_json::to_value(&outer).unwrap()
            );
        }
    }
}
