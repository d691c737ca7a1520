//! Bytes in a document made of text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// Bytes that are text nearly always: written as a string if they are UTF-8,
/// and as a list of numbers if not, such as a line of which a half has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Octets(pub Vec<u8>);

impl From<&[u8]> for Octets {
    fn from(bytes: &[u8]) -> Octets {
        Octets(bytes.to_vec())
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => serializer.collect_seq(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Octets, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Octets;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of bytes")
            }

            fn visit_str<E>(self, text: &str) -> Result<Octets, E> {
                Ok(text.as_bytes().into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<Octets, A::Error> {
                let mut octets = Vec::new();
                while let Some(byte) = bytes.next_element()? {
                    octets.push(byte);
                }
                Ok(Octets(octets))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_a_string_and_anything_else_a_list() {
        for (bytes, written) in [
            (&b""[..], "\"\""),
            ("Zoë\r\n".as_bytes(), "\"Zoë\\r\\n\""),
            (b"\x01ACTION\x01", "\"\\u0001ACTION\\u0001\""),
            // The second half of a character.
            (&"ë!".as_bytes()[1..], "[171,33]"),
        ] {
            let octets = Octets::from(bytes);
            assert_eq!(serde_json::to_string(&octets).unwrap(), written);
            assert_eq!(serde_json::from_str::<Octets>(written).unwrap(), octets);
        }
    }
}
