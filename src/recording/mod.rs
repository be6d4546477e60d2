//! Recordings of what passes between 8x8 and a service: webhooks one way, calls the other. `docs/recording.md` is the manual.
//!
//! `tap` records: it stands between the two and hands everything on as it came. `redact` takes out what customers and agents said,
//! before anything is written. `entry` is the file's format. `stage` plays a recording to a service: it stands in for 8x8, sends
//! the webhooks anew, signed by a key of its own, and answers calls as 8x8 did. `caller` plays the other side: it makes the calls anew,
//! to a sandbox.

mod caller;
mod entry;
mod redact;
mod stage;
mod tap;

pub use self::{
    caller::{Caller, CallerError, Made, Outcome},
    entry::{Call, Entry, Hook, Recording, RecordingError, Writer},
    redact::Redactor,
    stage::{Played, Stage, StageError},
    tap::{Tap, TapError, TapSettings},
};
