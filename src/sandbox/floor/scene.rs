//! What can happen in one conversation. Each act changes it, tells the webhook, and plans what follows.

use rand::rngs::StdRng;

use super::{
    agenda::Step,
    conversation::{Assignment, Author, Content, Conversation, State},
    house::{BOT_SCRIPT, ChannelType, House},
    notice::{Notice, emit},
    script::{self, Then},
    user::User,
};
use crate::sandbox::{delivery::Dispatcher, now_ms};

/// How many unanswered messages an agent remembers; the oldest go first.
const INBOX: usize = 100;

/// Which way a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// The REST API: whoever sent it knows it already.
    Api,
    /// The vendor's widget: the bot must hear of it.
    Widget,
}

/// Why somebody cannot drive the agent that way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeskError {
    #[error("no agent is in this conversation and none is about to join: it waits in no queue")]
    NoAgent,
    #[error("there is no queue with this queueId")]
    UnknownQueue,
}

/// One conversation with all that acts on it.
pub(crate) struct Scene<'a> {
    pub(crate) conversation: &'a mut Conversation,
    pub(crate) house: &'a House,
    pub(crate) dispatcher: &'a Dispatcher,
    pub(crate) random: &'a mut StdRng,
}

impl Scene<'_> {
    fn tell(&mut self, notice: &Notice<'_>) {
        emit(self.conversation, self.dispatcher, notice);
    }

    /// Tells that it exists and plans its first interaction.
    pub(crate) fn open(&mut self, first: Assignment) {
        self.tell(&Notice::Updated);
        self.conversation.plan.push_back(Step::Activate(first));
    }

    /// A conversation that begins in the widget: it is there at once, with its bot and its first message.
    pub(crate) fn open_in_widget(&mut self, text: String) {
        self.tell(&Notice::Updated);
        self.route(Assignment::Script(BOT_SCRIPT.to_owned()));
        self.customer_writes(Content::text(text), Via::Widget);
    }

    /// Does what was planned.
    pub(crate) fn run(&mut self, step: Step) {
        match step {
            Step::Activate(to) | Step::Route(to) => self.route(to),
            Step::Accept => self.accept(),
            Step::Type => self.show_typing(true),
            Step::Say(text) => self.say(text),
            Step::Transfer(queue_id) => self.transfer(&queue_id),
            Step::Leave => self.leave(),
            Step::Finish => self.finish(),
        }
    }

    /// Moves it, whatever went on before.
    fn route(&mut self, to: Assignment) {
        self.conversation.replan(|step| matches!(step, Step::Route(_)));
        self.agent_leaves();
        self.conversation.state = State::Active;
        self.conversation.assignment = Some(to.clone());
        self.tell(&Notice::Updated);
        if let Assignment::Queue(id) = to
            && let Some(queue) = self.house.queue(&id)
        {
            self.conversation.last_queue = Some(id);
            self.tell(&Notice::Queued(queue));
            self.conversation.plan.push_back(Step::Accept);
        }
    }

    fn accept(&mut self) {
        let house = self.house;
        let Some(Assignment::Queue(id)) = &self.conversation.assignment else {
            return;
        };
        let Some(queue) = house.queue(id) else {
            return;
        };
        self.conversation.agent = Some(queue.agent.id.clone());
        self.conversation.assignment = Some(Assignment::Agent(queue.agent.id.clone()));
        self.tell(&Notice::Updated);
        let agent = Author::Agent(queue.agent.id.clone());
        self.conversation.note(&agent, true);
        self.tell(&Notice::Joined(agent));
        if self.conversation.scripted {
            let greeting = script::greeting(queue, &self.conversation.user);
            self.conversation.plan.extend([Step::Type, Step::Say(greeting)]);
        }
    }

    /// Lets an agent who has nothing planned answer the next message.
    pub(crate) fn attend(&mut self) {
        let idle = self.conversation.plan.is_empty() && self.conversation.agent.is_some();
        if !idle || !self.conversation.scripted {
            return;
        }
        let Some(text) = self.conversation.inbox.pop_front() else {
            return;
        };
        let Some(queue) = self
            .house
            .queue(self.conversation.last_queue.as_deref().unwrap_or_default())
        else {
            return;
        };
        let reply = script::reply(queue, &text, self.random);
        self.conversation.plan.extend([Step::Type, Step::Say(reply.text)]);
        self.conversation.plan.extend(match reply.then {
            Then::Stay => None,
            Then::Leave => Some(Step::Leave),
            Then::PassOn { queue_id } => Some(Step::Transfer(queue_id)),
        });
    }

    fn show_typing(&mut self, typing: bool) {
        if self.conversation.agent_typing == typing {
            return;
        }
        let Some(agent) = self.conversation.agent.clone() else {
            return;
        };
        self.conversation.agent_typing = typing;
        self.tell(&Notice::Typing(typing.then_some(agent.as_str())));
    }

    fn say(&mut self, text: String) {
        let Some(agent) = self.conversation.agent.clone() else {
            return;
        };
        let said = self
            .conversation
            .keep(Author::Agent(agent), Content::text(text), false);
        self.tell(&Notice::Said(&said));
        self.show_typing(false);
    }

    fn transfer(&mut self, queue_id: &str) {
        self.tell(&Notice::Transferred);
        self.route(Assignment::Queue(queue_id.to_owned()));
    }

    fn leave(&mut self) {
        self.agent_leaves();
        self.conversation.plan.push_back(Step::Finish);
    }

    fn agent_leaves(&mut self) {
        self.show_typing(false);
        if let Some(agent) = self.conversation.agent.take() {
            let agent = Author::Agent(agent);
            self.conversation.note(&agent, false);
            self.tell(&Notice::Left(agent));
        }
    }

    fn finish(&mut self) {
        self.conversation.state = State::Idle;
        self.conversation.assignment = None;
        self.tell(&Notice::Updated);
        // Somebody wrote while the agent was writing it up.
        if !self.conversation.inbox.is_empty() {
            self.reopen();
        }
    }

    fn reopen(&mut self) {
        let channel = self.house.channel(&self.conversation.channel_id);
        let to = match (&self.conversation.last_queue, channel) {
            (Some(queue), _) => Assignment::Queue(queue.clone()),
            (None, Some(channel)) if channel.kind == ChannelType::ChatApi => {
                Assignment::Queue(channel.default_queue.clone())
            }
            (None, _) => Assignment::Script(BOT_SCRIPT.to_owned()),
        };
        self.route(to);
    }

    /// The customer wrote.
    pub(crate) fn customer_writes(&mut self, content: Content, via: Via) {
        if self.conversation.state == State::Idle {
            self.reopen();
        }
        if self.conversation.note(&Author::User, true) {
            self.tell(&Notice::Joined(Author::User));
        }
        let text = content.text.clone();
        let said = self.conversation.keep(Author::User, content, false);
        if via == Via::Widget {
            self.tell(&Notice::Said(&said));
        }
        let for_the_bot = matches!(self.conversation.assignment, Some(Assignment::Script(_)));
        // Whatever comes after the agent has left opens the conversation again, also where nobody follows the script.
        let too_late = self.conversation.plan.contains(&Step::Finish);
        if (self.conversation.scripted || too_late) && !for_the_bot {
            if self.conversation.inbox.len() >= INBOX {
                self.conversation.inbox.pop_front();
            }
            self.conversation.inbox.push_back(text);
        }
    }

    /// The bot wrote.
    pub(crate) fn bot_writes(&mut self, content: Content) {
        if self.conversation.state == State::Idle {
            self.reopen();
        }
        let said = self.conversation.keep(Author::Bot, content, false);
        self.tell(&Notice::Said(&said));
    }

    /// Customer or bot began to type: only the agent sees that.
    pub(crate) fn other_side_types(&mut self, who: Author) {
        self.conversation.typing_reported = Some((who, now_ms()));
    }

    /// The customer leaves, which ends the interaction; nothing happens if it had ended.
    pub(crate) fn customer_leaves(&mut self) {
        if self.conversation.state == State::Idle {
            return;
        }
        self.conversation.replan(|_| false);
        self.conversation.inbox.clear();
        if self.conversation.note(&Author::User, false) {
            self.tell(&Notice::Left(Author::User));
        }
        self.agent_leaves();
        self.finish();
    }

    /// Changes what is known of the customer.
    pub(crate) fn patch_user(&mut self, patch: User) {
        self.conversation.user.merge(patch);
        self.tell(&Notice::Updated);
    }

    /// Plans a move: the caller hears of it by its events.
    pub(crate) fn request_route(&mut self, to: Assignment) {
        self.conversation
            .replan(|step| matches!(step, Step::Activate(_) | Step::Route(_)));
        self.conversation.plan.push_back(Step::Route(to));
    }

    /// Turns the script off, and has an agent join who was about to.
    fn by_hand(&mut self) -> Result<(), DeskError> {
        if self.conversation.agent.is_none() {
            let waits = matches!(self.conversation.assignment, Some(Assignment::Queue(_)));
            if self.conversation.state != State::Active || !waits {
                return Err(DeskError::NoAgent);
            }
        }
        self.conversation.scripted = false;
        self.conversation.inbox.clear();
        self.conversation.replan(|step| !step.is_scripted());
        if self.conversation.agent.is_none() {
            self.conversation.replan(|step| *step != Step::Accept);
            self.accept();
        }
        Ok(())
    }

    /// Somebody lets the agent say something.
    pub(crate) fn hand_say(&mut self, text: String) -> Result<(), DeskError> {
        self.by_hand()?;
        self.say(text);
        Ok(())
    }

    /// Somebody lets the agent type.
    pub(crate) fn hand_type(&mut self) -> Result<(), DeskError> {
        self.by_hand()?;
        self.show_typing(true);
        Ok(())
    }

    /// Somebody lets the agent pass it on.
    pub(crate) fn hand_transfer(&mut self, queue_id: &str) -> Result<(), DeskError> {
        if self.house.queue(queue_id).is_none() {
            return Err(DeskError::UnknownQueue);
        }
        self.by_hand()?;
        self.transfer(queue_id);
        Ok(())
    }

    /// Somebody lets the agent leave.
    pub(crate) fn hand_leave(&mut self) -> Result<(), DeskError> {
        self.by_hand()?;
        self.leave();
        Ok(())
    }
}
