//! How messages of the stream's service get into buffers.

use std::marker::PhantomData;

use prost::Message;
use tonic::{
    Status,
    codec::{BufferSettings, Codec, EncodeBuf, Encoder},
};
use tonic_prost::{ProstCodec, ProstDecoder};

/// A stream that waits holds no buffer: tonic's own would be 8 KiB for each, two thirds of what an idle stream costs.
const BUFFER_BYTES: usize = 0;
/// Messages that are ready are packed together up to this.
const PACK_BYTES: usize = 32 * 1024;

/// As tonic's codec for prost, but for the buffers.
pub struct LeanCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for LeanCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for LeanCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = LeanEncoder<T>;
    type Decoder = ProstDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        LeanEncoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        // A request is read once: its buffer may be as small as it is.
        ProstCodec::<T, U>::raw_decoder(BufferSettings::new(256, PACK_BYTES))
    }
}

/// Encodes messages into buffers that are as large as they are.
pub struct LeanEncoder<T>(PhantomData<T>);

impl<T: Message> Encoder for LeanEncoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, item: T, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buf.reserve(item.encoded_len());
        item.encode(buf)
            .map_err(|error| Status::internal(format!("a message does not fit its buffer: {error}")))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(BUFFER_BYTES, PACK_BYTES)
    }
}
