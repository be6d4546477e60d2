//! The scripts that Redis runs, and how they are called.

use std::sync::{Arc, LazyLock};

use ::redis::{Arg, Cmd, ToRedisArgs, cmd};

use crate::{
    conversation::{
        change::{FieldChange, SessionChange},
        session::{member_field, member_value},
    },
    store::outbox::DEAD_LETTERS_MAX,
};

const SESSION: &str = include_str!("session.lua");
const APPEND: &str = include_str!("append.lua");
const APPEND_ENTRY: &str = include_str!("append_entry.lua");
const CHANGE_SESSION: &str = include_str!("change_session.lua");
const KEEP_SESSION: &str = include_str!("keep_session.lua");
const CHECK_KEY: &str = include_str!("check_key.lua");
const ERASED_AROUND: &str = include_str!("erased_around.lua");

/// Trims a partition.
pub(super) static TRIM: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("trim.lua")]));
/// Reads a conversation through its index.
pub(super) static CONVERSATION: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[ERASED_AROUND, include_str!("conversation.lua")]));
/// Looks at partitions around places.
pub(super) static LOOK: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[ERASED_AROUND, include_str!("look.lua")]));
/// Begins to erase a conversation.
pub(super) static BEGIN_ERASURE: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("begin_erasure.lua")]));
/// Erases some entries of a conversation.
pub(super) static ERASE_ENTRIES: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("erase_entries.lua")]));
/// Erases what a call was answered.
pub(super) static ERASE_CALL: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("erase_call.lua")]));
/// Finds or makes the data key of a conversation.
pub(super) static DATA_KEY: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("data_key.lua")]));
/// Replaces a data key that was wrapped anew.
pub(super) static REWRAP: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("rewrap.lua")]));
/// Which master keys wrap data keys of a partition.
pub(super) static MASTER_KEYS: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("master_keys.lua")]));
/// Begins a call that may be repeated.
pub(super) static BEGIN: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("begin.lua")]));
/// Records how a call ended.
pub(super) static FINISH: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("finish.lua")]));
/// Enters an operation in its ledger.
pub(super) static ANNOUNCE: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("announce.lua")]));
/// Enters what became of an operation.
pub(super) static CONCLUDE: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("conclude.lua")]));
/// Reads a ledger.
pub(super) static LEDGER: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("ledger.lua")]));
/// Finds a customer's conversation, or the attempt to create it.
pub(super) static CUSTOMER: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("customer.lua")]));
/// Notes a customer's conversation.
pub(super) static BIND_CUSTOMER: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("bind_customer.lua")]));
/// Forgets a customer's conversation.
pub(super) static RELEASE_CUSTOMER: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("release_customer.lua")]));
/// Keeps the definition of a subscription.
pub(super) static DEFINE: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("define.lua")]));
/// Forgets the definition of a subscription.
pub(super) static UNDEFINE: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("undefine.lua")]));
/// Deletes what is kept of a subscription.
pub(super) static FORGET: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("forget.lua")]));
/// Takes, keeps and gives back slots of a subscription.
pub(super) static SLOTS: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("slots.lua")]));
/// Moves a slot's place.
pub(super) static COMMIT: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("commit.lua")]));
/// Keeps a member on its subscription's roster.
pub(super) static MEMBERS: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("members.lua")]));
/// Changes what is kept for clients of Chat API v2.
pub(super) static CHAT_V2: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("chat_v2.lua")]));
/// Those of outboxes.
pub(super) static OUTBOX: LazyLock<OutboxScripts> = LazyLock::new(OutboxScripts::new);
/// Hands out conversations that have been wrapping up for long.
pub(super) static UNSETTLED: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("unsettled.lua")]));
/// Notes a stream that may be changed.
pub(super) static OPEN_STREAM: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("open_stream.lua")]));
/// Puts a change where its stream finds it.
pub(super) static CHANGE_STREAM: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("change_stream.lua")]));
/// Renews a stream that may be changed, and finds its changes.
pub(super) static STREAM_CHANGES: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("stream_changes.lua")]));
/// Notes and checks what the log is.
pub(super) static SCHEMA: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("schema.lua")]));

/// Notes in which format entries are written.
pub(super) static SET_FORMAT: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("set_format.lua")]));

/// What is the same for all calls of a script. It is written into the script: each argument of a call costs, and Redis
/// compiles a script once.
pub(super) struct Constants {
    /// How long claims and marks are kept, milliseconds.
    pub(super) dedupe_ms: u64,
    /// How long sessions are kept, milliseconds.
    pub(super) session_ms: u64,
    /// How long indexes are kept, milliseconds.
    pub(super) index_ms: u64,
}

/// Where a script that changes a session finds what only some calls have, among its keys and arguments.
struct Layout {
    /// The key of the awaited echoes.
    echo: usize,
    /// The first argument of the change.
    change: usize,
    /// The key of the data keys, and the argument with the identifier of one; `None`: nothing is encrypted.
    data_key: Option<(usize, usize)>,
}

impl Layout {
    fn lua(&self) -> String {
        let Self {
            echo,
            change,
            data_key,
        } = self;
        let places = format!("local ECHO, FROM = {echo}, {change}");
        match data_key {
            None => places,
            Some((keys, id)) => format!("{places}\nlocal DATA_KEYS, KEY_ID_AT = {keys}, {id}"),
        }
    }
}

impl Constants {
    fn lua(&self) -> String {
        let Self {
            dedupe_ms,
            session_ms,
            index_ms,
        } = self;
        let slice_ms = (session_ms / 64).max(1);
        format!(
            "local DEDUPE_MS = '{dedupe_ms}'\n\
             local SESSION_MS, SLICE_MS, INDEX_MS = {session_ms}, {slice_ms}, {index_ms}"
        )
    }
}

fn written_in(format: u16) -> String {
    format!("local FORMAT = '{format}'")
}

/// The part that writes an entry, with the name of its key among the entry's fields.
fn naming_the_key(entry: &str) -> String {
    entry.replace("'v', FORMAT,", "'v', FORMAT, 'k', KEY_ID,")
}

/// A script, known to Redis by its hash once it was loaded.
pub(super) struct Script {
    source: String,
    sha1: String,
}

impl Script {
    fn new(parts: &[&str]) -> Self {
        let source = parts.join("\n");
        let sha1 = ::redis::Script::new(&source).get_hash().to_owned();
        Self { source, sha1 }
    }

    /// Appends an event, in a format.
    pub(super) fn append(format: u16, constants: &Constants) -> Self {
        let layout = Layout {
            echo: 8,
            change: 7,
            data_key: None,
        };
        Self::new(&[
            &written_in(format),
            &constants.lua(),
            &layout.lua(),
            APPEND,
            SESSION,
            APPEND_ENTRY,
            KEEP_SESSION,
        ])
    }

    /// Appends an event whose content is encrypted. Where nothing is, scripts have no part in it.
    pub(super) fn append_sealed(format: u16, constants: &Constants) -> Self {
        let layout = Layout {
            echo: 9,
            change: 8,
            data_key: Some((8, 7)),
        };
        Self::new(&[
            &written_in(format),
            &constants.lua(),
            &layout.lua(),
            APPEND,
            CHECK_KEY,
            SESSION,
            &naming_the_key(APPEND_ENTRY),
            KEEP_SESSION,
        ])
    }

    /// Changes a session without an event.
    pub(super) fn change_session(constants: &Constants) -> Self {
        let layout = Layout {
            echo: 0,
            change: 2,
            data_key: None,
        };
        Self::new(&[
            &constants.lua(),
            &layout.lua(),
            CHANGE_SESSION,
            SESSION,
            KEEP_SESSION,
        ])
    }

    /// The same of a change in which something is encrypted.
    pub(super) fn change_session_sealed(constants: &Constants) -> Self {
        let layout = Layout {
            echo: 0,
            change: 3,
            data_key: Some((5, 2)),
        };
        Self::new(&[
            &constants.lua(),
            &layout.lua(),
            CHANGE_SESSION,
            CHECK_KEY,
            SESSION,
            KEEP_SESSION,
        ])
    }

    /// The command that runs it.
    pub(super) fn command(&self, call: &Call) -> Cmd {
        let args = call.args.args_iter().filter_map(|arg| match arg {
            Arg::Simple(bytes) => Some(bytes),
            _ => None,
        });
        // With room for the name, the hash and the number of keys.
        let bytes = args.clone().map(<[u8]>::len).sum::<usize>();
        let mut command = Cmd::with_capacity(call.args.args_iter().len() + 3, bytes + 64);
        command.arg("EVALSHA").arg(&self.sha1).arg(call.keys);
        for arg in args {
            command.arg(arg);
        }
        command
    }

    /// The command that makes it known.
    pub(super) fn load(&self) -> Cmd {
        let mut command = cmd("SCRIPT");
        command.arg("LOAD").arg(&self.source);
        command
    }
}

/// Scripts of outboxes.
pub(super) struct OutboxScripts {
    /// Puts an event into one.
    pub(super) enqueue: Arc<Script>,
    /// Claims conversations.
    pub(super) claim: Script,
    /// Says what became of a claimed event.
    pub(super) settle: Script,
    /// Moves events to another outbox.
    pub(super) route: Script,
    /// Puts dead letters back.
    pub(super) revive: Script,
    /// Deletes one.
    pub(super) discard: Script,
    /// Takes a conversation out.
    pub(super) erase: Script,
}

impl OutboxScripts {
    fn new() -> Self {
        let most_dead = format!("local DEAD_LETTERS_MAX = {DEAD_LETTERS_MAX}");
        let script = |own| Script::new(&[&most_dead, include_str!("outbox/part.lua"), own]);
        Self {
            enqueue: Arc::new(script(include_str!("outbox/enqueue.lua"))),
            claim: script(include_str!("outbox/claim.lua")),
            settle: script(include_str!("outbox/settle.lua")),
            route: script(include_str!("outbox/route.lua")),
            revive: script(include_str!("outbox/revive.lua")),
            discard: script(include_str!("outbox/discard.lua")),
            erase: script(include_str!("outbox/erase.lua")),
        }
    }
}

/// What most calls have of arguments besides their keys, and of bytes in those that are short.
const USUAL_ARGS: usize = 24;
const USUAL_BYTES: usize = 384;

/// Keys and arguments of one call.
pub(super) struct Call {
    keys: usize,
    /// The keys, then the arguments.
    args: Cmd,
}

impl Call {
    pub(super) fn new(keys: impl IntoIterator<Item = String>) -> Self {
        Self::with_room(keys, 0)
    }

    /// The same with room for arguments of so many bytes, which else come to lie elsewhere several times as they grow.
    pub(super) fn with_room(keys: impl IntoIterator<Item = String>, bytes: usize) -> Self {
        let keys: Vec<String> = keys.into_iter().collect();
        let own: usize = keys.iter().map(String::len).sum();
        let mut args = Cmd::with_capacity(keys.len() + USUAL_ARGS, own + USUAL_BYTES + bytes);
        for key in &keys {
            args.arg(key);
        }
        Self {
            keys: keys.len(),
            args,
        }
    }

    pub(super) fn arg(mut self, arg: impl ToRedisArgs) -> Self {
        self.args.arg(arg);
        self
    }

    /// A change, as `session.lua` reads it.
    pub(super) fn change(mut self, change: &SessionChange) -> Self {
        self = self
            .arg(change.at_ms)
            .arg(change.row.digits())
            .arg(change.agents as u8)
            .arg(change.fields.len());
        for field in &change.fields {
            self = match field {
                FieldChange::Latest(field, _) => self.arg(format!("{}@", field.name())),
                FieldChange::Earliest(milestone, _) => self.arg(milestone.name()),
                FieldChange::Member { who, .. } => self.arg(member_field(who)),
            };
        }
        for field in &change.fields {
            self = match field {
                FieldChange::Latest(field, value) => self.arg("L").arg(field.name()).arg(value),
                FieldChange::Earliest(milestone, ms) => self.arg("E").arg(milestone.name()).arg(*ms),
                FieldChange::Member { who, present } => {
                    let value = member_value(change.at_ms, *present, who);
                    self.arg("M").arg(member_field(who)).arg(value)
                }
            };
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_its_key_however_it_is_written() {
        let writes = APPEND_ENTRY.matches("'XADD'").count();
        assert_eq!(
            naming_the_key(APPEND_ENTRY).matches("'k', KEY_ID,").count(),
            writes
        );
        assert_eq!(writes, 2);
    }
}
