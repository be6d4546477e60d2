//! The scripts that Redis runs, and how they are called.

use std::sync::LazyLock;

use ::redis::{Cmd, ToRedisArgs, cmd};

use crate::conversation::{
    change::{FieldChange, SessionChange},
    session::{member_field, member_value},
};

const SESSION: &str = include_str!("session.lua");

/// Appends an event.
pub(super) static APPEND: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[SESSION, include_str!("append.lua")]));
/// Changes a session without an event.
pub(super) static CHANGE_SESSION: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[SESSION, include_str!("change_session.lua")]));
/// Reads a conversation through its index.
pub(super) static CONVERSATION: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("conversation.lua")]));
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
/// Hands out conversations that have been wrapping up for long.
pub(super) static UNSETTLED: LazyLock<Script> =
    LazyLock::new(|| Script::new(&[include_str!("unsettled.lua")]));
/// Notes and checks what the log is.
pub(super) static SCHEMA: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("schema.lua")]));

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

    /// The command that runs it.
    pub(super) fn command(&self, call: &Call) -> Cmd {
        let mut command = cmd("EVALSHA");
        command.arg(&self.sha1).arg(call.keys.len());
        for key in &call.keys {
            command.arg(key);
        }
        for arg in &call.args {
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

/// Keys and arguments of one call.
#[derive(Default)]
pub(super) struct Call {
    keys: Vec<String>,
    args: Vec<Vec<u8>>,
}

impl Call {
    pub(super) fn new(keys: impl IntoIterator<Item = String>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            args: Vec::new(),
        }
    }

    pub(super) fn arg(mut self, arg: impl ToRedisArgs) -> Self {
        arg.write_redis_args(&mut self.args);
        self
    }

    /// A change, as `session.lua` reads it.
    pub(super) fn change(mut self, change: &SessionChange) -> Self {
        self = self
            .arg(change.at_ms)
            .arg(change.row.digits())
            .arg(change.agents as u8);
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
