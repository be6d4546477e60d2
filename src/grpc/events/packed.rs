//! Responses as they go out: framed for gRPC, in bytes that are encoded once where several streams send the same.

use bytes::{BufMut as _, Bytes};
use prost::encoding::{self, WireType};

use crate::grpc::framing::{self, HEADER_BYTES};

/// Field numbers of `chatbridge.v1.AgentEventsResponse`.
const CURSOR: u32 = 1;
const SHARE: u32 = 7;

/// What is ready is packed together up to this.
const PACK_BYTES: usize = 32 * 1024;

/// `chatbridge.v1.AgentEventsResponse` in pieces that were encoded before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pieces<'a> {
    /// The place behind this response.
    pub(super) cursor: &'a [u8],
    /// Field number of the payload; 0: none.
    pub(super) tag: u32,
    /// The encoded payload, in pieces that are sent one behind the other.
    pub(super) payload: [&'a [u8]; 2],
    /// The share that the cursor belongs to, from 1; 0: none.
    pub(super) share: i32,
}

impl Pieces<'_> {
    fn payload_bytes(&self) -> usize {
        self.payload.iter().map(|piece| piece.len()).sum()
    }

    fn message_bytes(&self) -> usize {
        let field = |tag, bytes| encoding::key_len(tag) + encoding::encoded_len_varint(bytes as u64) + bytes;
        let cursor = field(CURSOR, self.cursor.len());
        let payload = match self.tag {
            0 => 0,
            tag => field(tag, self.payload_bytes()),
        };
        let share = match self.share {
            0 => 0,
            share => encoding::int32::encoded_len(SHARE, &share),
        };
        cursor + payload + share
    }

    /// Appends it as a message of a gRPC stream.
    fn put(&self, buffer: &mut Vec<u8>) {
        let bytes = self.message_bytes();
        buffer.reserve(HEADER_BYTES + bytes);
        framing::put_header(bytes, buffer);
        encoding::encode_key(CURSOR, WireType::LengthDelimited, buffer);
        encoding::encode_varint(self.cursor.len() as u64, buffer);
        buffer.put_slice(self.cursor);
        if self.tag != 0 {
            encoding::encode_key(self.tag, WireType::LengthDelimited, buffer);
            encoding::encode_varint(self.payload_bytes() as u64, buffer);
            for piece in self.payload {
                buffer.put_slice(piece);
            }
        }
        if self.share != 0 {
            encoding::int32::encode(SHARE, &self.share, buffer);
        }
    }

    /// It alone, as a message of a gRPC stream.
    pub(super) fn frame(&self) -> Bytes {
        let mut buffer = Vec::new();
        buffer.reserve_exact(HEADER_BYTES + self.message_bytes());
        self.put(&mut buffer);
        buffer.into()
    }
}

/// Responses that are ready to go out together.
///
/// It holds nothing while nothing is ready, and what it gives away it forgets: a buffer that each stream kept would be as large
/// as the largest that the stream ever sent.
#[derive(Debug, Default)]
pub(super) struct Packed {
    /// The first, while there is no other. Streams share it.
    only: Bytes,
    buffer: Vec<u8>,
}

impl Packed {
    /// Adds a response.
    pub(super) fn put(&mut self, pieces: &Pieces<'_>) {
        if self.is_empty() {
            self.only = pieces.frame();
        } else {
            self.unshare();
            pieces.put(&mut self.buffer);
        }
    }

    /// Adds a response that was framed before.
    pub(super) fn put_frame(&mut self, frame: &Bytes) {
        if self.is_empty() {
            self.only = frame.clone();
        } else {
            self.unshare();
            self.buffer.extend_from_slice(frame);
        }
    }

    fn unshare(&mut self) {
        if !self.only.is_empty() {
            self.buffer.extend_from_slice(&std::mem::take(&mut self.only));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.only.is_empty() && self.buffer.is_empty()
    }

    /// Whether it is enough to go out.
    pub(super) fn is_full(&self) -> bool {
        self.only.len() + self.buffer.len() >= PACK_BYTES
    }

    /// All of it.
    pub(super) fn take(&mut self) -> Bytes {
        if self.only.is_empty() {
            std::mem::take(&mut self.buffer).into()
        } else {
            std::mem::take(&mut self.only)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;
    use crate::grpc::proto::{AgentEvent, AgentEventsResponse, agent_events_response::Payload};

    fn response(cursor: &[u8], id: &str, raw: &[u8], share: i32) -> AgentEventsResponse {
        AgentEventsResponse {
            cursor: cursor.to_vec().into(),
            share,
            payload: Some(Payload::Event(AgentEvent {
                event_id: id.to_owned(),
                raw_json: raw.to_vec().into(),
                ..AgentEvent::default()
            })),
        }
    }

    /// Messages of a gRPC stream.
    fn messages(mut bytes: &[u8]) -> Vec<AgentEventsResponse> {
        let mut messages = Vec::new();
        while let Some((header, rest)) = bytes.split_at_checked(HEADER_BYTES) {
            assert_eq!(header[0], 0, "nothing is compressed");
            let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]);
            let (message, rest) = rest.split_at(length as usize);
            messages.push(AgentEventsResponse::decode(message).unwrap());
            bytes = rest;
        }
        assert!(bytes.is_empty());
        messages
    }

    proptest! {
        #[test]
        fn pieces_are_what_the_contract_says(
            each in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..300), "[a-z]{1,40}", prop::collection::vec(any::<u8>(), 0..200), 0..257_i32, any::<bool>()),
                0..12,
            )
        ) {
            let mut packed = Packed::default();
            let mut wanted = Vec::new();
            for (cursor, id, raw, share, framed) in &each {
                let event = AgentEvent { event_id: id.clone(), ..AgentEvent::default() }.encode_to_vec();
                let raw_piece = AgentEvent { raw_json: raw.clone().into(), ..AgentEvent::default() }.encode_to_vec();
                let pieces = Pieces { cursor, tag: 2, payload: [&event, &raw_piece], share: *share };
                if *framed {
                    packed.put_frame(&pieces.frame());
                } else {
                    packed.put(&pieces);
                }
                wanted.push(response(cursor, id, raw, *share));
            }
            prop_assert_eq!(packed.is_empty(), each.is_empty());
            prop_assert_eq!(messages(&packed.take()), wanted);
            prop_assert!(packed.is_empty());
        }
    }

    #[test]
    fn one_alone_is_not_copied() {
        let pieces = Pieces {
            cursor: b"cursor",
            ..Pieces::default()
        };
        let frame = pieces.frame();
        let mut packed = Packed::default();
        packed.put_frame(&frame);
        assert_eq!(packed.take().as_ptr(), frame.as_ptr());
    }
}
