//! A response of `AgentEvents` whose event was encoded when it was appended.

mod codec;

use bytes::{Buf, BufMut, Bytes};
use prost::{
    DecodeError, Message,
    encoding::{self, DecodeContext, WireType},
};

pub use codec::{LeanCodec, LeanEncoder};

/// Field numbers of `chatbridge.v1.AgentEventsResponse`.
const CURSOR: u32 = 1;
const SHARE: u32 = 7;

/// `chatbridge.v1.AgentEventsResponse` in pieces that are shared between subscribers: only the cursor is their own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EncodedResponse {
    /// The place behind this response.
    pub cursor: Bytes,
    /// Field number of the payload; 0: none.
    pub tag: u32,
    /// The encoded payload, in pieces that are sent one behind the other.
    pub payload: [Bytes; 2],
    /// The share that the cursor belongs to, from 1; 0: none.
    pub share: i32,
}

impl EncodedResponse {
    fn payload_len(&self) -> usize {
        self.payload.iter().map(Bytes::len).sum()
    }
}

impl Message for EncodedResponse {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        encoding::bytes::encode(CURSOR, &self.cursor, buf);
        if self.tag != 0 {
            encoding::encode_key(self.tag, WireType::LengthDelimited, buf);
            encoding::encode_varint(self.payload_len() as u64, buf);
            for piece in &self.payload {
                buf.put_slice(piece);
            }
        }
        if self.share != 0 {
            encoding::int32::encode(SHARE, &self.share, buf);
        }
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        if tag == CURSOR {
            return encoding::bytes::merge(wire_type, &mut self.cursor, buf, ctx);
        }
        if tag == SHARE {
            return encoding::int32::merge(wire_type, &mut self.share, buf, ctx);
        }
        self.tag = tag;
        encoding::bytes::merge(wire_type, &mut self.payload[0], buf, ctx)
    }

    fn encoded_len(&self) -> usize {
        let payload = if self.tag == 0 {
            0
        } else {
            let len = self.payload_len();
            encoding::key_len(self.tag) + encoding::encoded_len_varint(len as u64) + len
        };
        let share = if self.share == 0 {
            0
        } else {
            encoding::int32::encoded_len(SHARE, &self.share)
        };
        encoding::bytes::encoded_len(CURSOR, &self.cursor) + payload + share
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}
