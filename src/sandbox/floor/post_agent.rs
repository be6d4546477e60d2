//! What becomes of a conversation once its agent has left, where somebody asked for more than its end.

use std::time::Duration;

use tokio::time::Instant;

/// Who takes a conversation over after its agent. It holds for the interaction in which it was asked for.
#[derive(Debug, Clone)]
pub(crate) struct PostAgent {
    /// The webhook that hears what happens from then on.
    pub(crate) webhook_id: String,
    /// Whether the channel's own webhook hears it too.
    pub(crate) notify_channel: bool,
    /// After how many minutes it ends in any case.
    pub(crate) max_total_minutes: Option<u32>,
    /// After how many minutes it ends if the customer leaves the bot's last message unanswered.
    pub(crate) user_timeout_minutes: Option<u32>,
    /// Set while the bot has it.
    pub(crate) with_bot: Option<WithBot>,
}

/// The bot has the conversation again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WithBot {
    pub(crate) since: Instant,
    /// When the bot last wrote, unless the customer has answered.
    pub(crate) unanswered_since: Option<Instant>,
}

impl PostAgent {
    /// When the bot's time is up; `None` if it is not with the bot or may stay there.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let with_bot = self.with_bot?;
        let after = |from: Instant, minutes: u32| from + Duration::from_secs(60 * u64::from(minutes));
        let total = self
            .max_total_minutes
            .map(|minutes| after(with_bot.since, minutes));
        let unanswered = with_bot.unanswered_since.zip(self.user_timeout_minutes);
        let unanswered = unanswered.map(|(from, minutes)| after(from, minutes));
        total.into_iter().chain(unanswered).min()
    }
}
