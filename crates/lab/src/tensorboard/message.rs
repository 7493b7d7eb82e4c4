//! Protocol buffers, written field by field: a key (number and kind), then a varint, 4 or 8 bytes, or a length and bytes.
//!
//! Encoding: <https://protobuf.dev/programming-guides/encoding/>. Fields that have their default are written as well where
//! the caller names them; readers take both.

/// A message as it is being written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Message(Vec<u8>);

/// The kinds of field.
const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const LENGTH: u64 = 2;
const FOUR_BYTES: u64 = 5;

impl Message {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn push_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, field: u64, kind: u64) {
        self.push_varint(field << 3 | kind);
    }

    /// A whole number, an enum or a bool.
    pub(super) fn number(mut self, field: u64, value: u64) -> Self {
        self.key(field, VARINT);
        self.push_varint(value);
        self
    }

    pub(super) fn double(mut self, field: u64, value: f64) -> Self {
        self.key(field, EIGHT_BYTES);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn float(mut self, field: u64, value: f32) -> Self {
        self.key(field, FOUR_BYTES);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Bytes, or text.
    pub(super) fn blob(mut self, field: u64, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        self.key(field, LENGTH);
        self.push_varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    pub(super) fn message(self, field: u64, value: &Self) -> Self {
        self.blob(field, value.bytes())
    }

    /// A list of doubles in one field.
    pub(super) fn doubles(self, field: u64, values: impl IntoIterator<Item = f64>) -> Self {
        self.blob(field, values.into_iter().flat_map(f64::to_le_bytes).collect::<Vec<u8>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_guides_examples() {
        assert_eq!(Message::default().number(1, 150).bytes(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().blob(2, "testing").bytes(), b"\x12\x07testing");
        let inner = Message::default().number(1, 150);
        assert_eq!(Message::default().message(3, &inner).bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(Message::default().number(1, u64::MAX).bytes().len(), 11);
    }

    #[test]
    fn numbers_are_little_endian() {
        assert_eq!(Message::default().float(2, 1.0).bytes(), [0x15, 0, 0, 0x80, 0x3f]);
        assert_eq!(Message::default().double(1, 1.0).bytes(), [0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
        let list = Message::default().doubles(6, [1.0, -0.0]);
        assert_eq!(list.bytes()[..2], [0x32, 16]);
        assert_eq!(list.bytes()[2..10], 1f64.to_le_bytes());
    }
}
