//! What can happen in one conversation. Each act changes it, tells the webhook, and plans what follows.

use rand::rngs::StdRng;

use super::{
    agenda::Step,
    content::Content,
    conversation::{Assignment, Author, Conversation, State},
    house::{BOT_SCRIPT, ChannelType, House},
    notice::{Notice, Outlet, emit},
    roster::Roster,
    script::{self, Then, Unanswered},
    user::User,
};

mod after_agent;
mod cards;
mod desk;
mod offer;
mod seat;

pub(crate) use self::{
    cards::CardError,
    desk::DeskError,
    seat::{SeatError, To},
};

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

/// One conversation with all that acts on it.
pub(crate) struct Scene<'a> {
    pub(crate) conversation: &'a mut Conversation,
    pub(crate) house: &'a House,
    pub(crate) roster: &'a mut Roster,
    pub(crate) out: Outlet<'a>,
    pub(crate) random: &'a mut StdRng,
}

impl Scene<'_> {
    fn tell(&mut self, notice: &Notice<'_>) {
        emit(self.conversation, self.out, notice);
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
            Step::Accept => self.accept_offer(),
            Step::OfferEnds(_) => self.offer_ends(),
            Step::WrapUpEnds(_) => self.wrap_up_ends(),
            Step::Type => self.show_typing(true),
            Step::Say(text) => self.say(Content::text(text)),
            Step::Transfer(queue_id) => self.transfer(&queue_id),
            Step::Leave => self.leave(),
            Step::Finish if self.conversation.post_agent.is_some() => self.hand_back(),
            Step::Finish | Step::TimeOut(_) => self.finish(),
        }
    }

    /// Moves it, whatever went on before.
    fn route(&mut self, to: Assignment) {
        self.conversation.replan(|step| matches!(step, Step::Route(_)));
        self.agent_leaves();
        self.withdraw_offer();
        self.abandon_wrap_up();
        self.conversation.passed_over.clear();
        self.take_from_bot();
        if self.conversation.state != State::Active {
            self.conversation.begin_interaction(self.out.dispatcher.tenant());
        }
        self.conversation.state = State::Active;
        self.conversation.assignment = Some(to.clone());
        self.tell(&Notice::Updated);
        if let Assignment::Queue(id) = to
            && let Some(queue) = self.house.queue(&id)
        {
            self.conversation.last_queue = Some(id);
            self.tell(&Notice::Queued(queue));
        }
    }

    /// Lets an agent who has nothing planned answer the next message.
    pub(crate) fn attend(&mut self) {
        let Some(agent) = &self.conversation.agent else {
            return;
        };
        let idle = self.conversation.plan.is_empty() && self.roster.follows_script(agent);
        if !idle || !self.conversation.scripted {
            return;
        }
        let Some(said) = self.conversation.inbox.pop_front() else {
            return;
        };
        let Some(queue) = self
            .house
            .queue(self.conversation.last_queue.as_deref().unwrap_or_default())
        else {
            return;
        };
        let reply = script::reply(queue, &said, self.random);
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

    fn say(&mut self, content: Content) {
        let Some(agent) = self.conversation.agent.clone() else {
            return;
        };
        let said = self.conversation.keep(Author::Agent(agent), content, false);
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
            self.roster.release(&agent, &self.conversation.id);
            let agent = Author::Agent(agent);
            self.conversation.note(&agent, false);
            self.tell(&Notice::Left(agent));
        }
    }

    fn finish(&mut self) {
        self.conversation.state = State::Idle;
        self.conversation.assignment = None;
        self.conversation.end_interaction();
        self.tell(&Notice::Updated);
        self.conversation.post_agent = None;
        // Somebody wrote while the agent was writing it up.
        if !self.conversation.inbox.is_empty() {
            self.reopen();
        }
    }

    fn reopen(&mut self) {
        let of_channel = || {
            let channel = self.house.channel(&self.conversation.channel_id);
            let queue = channel.map(|it| it.default_queue.clone());
            queue.or_else(|| self.house.first_queue().map(|it| it.id.clone()))
        };
        // A queue may have gone since.
        let last = self.conversation.last_queue.clone();
        let last = last.filter(|id| self.house.queue(id).is_some());
        let queue = match self.conversation.channel_type {
            _ if last.is_some() => last,
            ChannelType::ChatApi => of_channel(),
            ChannelType::WebChat => None,
        };
        let script = || Assignment::Script(BOT_SCRIPT.to_owned());
        self.route(queue.map_or_else(script, Assignment::Queue));
    }

    /// The customer wrote.
    pub(crate) fn customer_writes(&mut self, content: Content, via: Via) {
        if self.conversation.state == State::Idle {
            self.reopen();
        }
        if self.conversation.note(&Author::User, true) {
            self.tell(&Notice::Joined(Author::User));
        }
        let unanswered = Unanswered {
            text: content.text.clone(),
            files: content.attachments.iter().map(|it| it.name.clone()).collect(),
        };
        let said = self.conversation.keep(Author::User, content, false);
        if via == Via::Widget {
            self.tell(&Notice::Said(&said));
        }
        let for_the_bot = self.conversation.is_with_bot();
        self.customer_answered_bot();
        // Whatever comes after the agent has left opens the conversation again, also where nobody follows the script.
        let too_late = self.conversation.plan.contains(&Step::Finish) || self.conversation.wrap_up.is_some();
        let agent = self.conversation.agent.as_deref();
        let by_script = self.conversation.scripted && agent.is_none_or(|it| self.roster.follows_script(it));
        if (by_script || too_late) && !for_the_bot {
            if self.conversation.inbox.len() >= INBOX {
                self.conversation.inbox.pop_front();
            }
            self.conversation.inbox.push_back(unanswered);
        }
    }

    /// The bot wrote.
    pub(crate) fn bot_writes(&mut self, content: Content) {
        if self.conversation.state == State::Idle {
            self.reopen();
        }
        self.conversation.indicators.thinking = None;
        let said = self.conversation.keep(Author::Bot, content, false);
        self.tell(&Notice::Said(&said));
        self.bot_wrote();
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
        let person = self.conversation.agent.clone();
        let person = person.filter(|it| self.roster.get(it).is_some_and(|it| it.signed_in));
        self.agent_leaves();
        self.withdraw_offer();
        let writing = self.conversation.wrap_up.take();
        self.finish();
        // The agent has yet to say what it was about, which nobody outside hears of.
        if let Some(agent) = person.or(writing.map(|it| it.agent)) {
            self.begin_wrap_up(agent);
        }
    }

    /// Changes what is known of the customer.
    pub(crate) fn patch_user(&mut self, patch: User) {
        self.conversation.user.merge(patch);
        self.tell(&Notice::Updated);
    }

    /// Puts another customer in the place of the one that was known.
    pub(crate) fn replace_user(&mut self, user: User) {
        self.conversation.user = user;
        self.tell(&Notice::Updated);
    }

    /// Plans a move: the caller hears of it by its events.
    pub(crate) fn request_route(&mut self, to: Assignment) {
        self.conversation
            .replan(|step| matches!(step, Step::Activate(_) | Step::Route(_)));
        self.conversation.plan.push_back(Step::Route(to));
    }
}
