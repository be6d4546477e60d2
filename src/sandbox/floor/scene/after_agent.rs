//! A conversation that a bot has again after its agent.

use tokio::time::Instant;

use super::Scene;
use crate::sandbox::floor::{
    agenda::Step,
    notice::Notice,
    post_agent::{PostAgent, WithBot},
};

impl Scene<'_> {
    /// Says who takes the conversation over once its agent has left. A later word replaces an earlier one.
    pub(crate) fn assign_after_agent(&mut self, mut new: PostAgent) {
        let before = self.conversation.post_agent.take();
        new.with_bot = before.and_then(|it| it.with_bot);
        self.conversation.post_agent = Some(new);
        self.set_clock();
    }

    /// The agent has left and written it up: it stays active, and nobody is assigned to it.
    pub(super) fn hand_back(&mut self) {
        if let Some(after) = &mut self.conversation.post_agent {
            after.with_bot = Some(WithBot {
                since: Instant::now(),
                unanswered_since: None,
            });
        }
        self.conversation.assignment = None;
        // What the customer wrote meanwhile is for the bot.
        self.conversation.inbox.clear();
        self.tell(&Notice::Updated);
        self.set_clock();
    }

    /// It is routed elsewhere.
    pub(super) fn take_from_bot(&mut self) {
        if let Some(after) = &mut self.conversation.post_agent {
            after.with_bot = None;
        }
    }

    pub(super) fn bot_wrote(&mut self) {
        self.unanswered(Some(Instant::now()));
    }

    pub(super) fn customer_answered_bot(&mut self) {
        self.unanswered(None);
    }

    fn unanswered(&mut self, since: Option<Instant>) {
        let after = self.conversation.post_agent.as_mut();
        if let Some(with_bot) = after.and_then(|it| it.with_bot.as_mut()) {
            with_bot.unanswered_since = since;
            self.set_clock();
        }
    }

    pub(super) fn set_clock(&mut self) {
        let Some(after) = self
            .conversation
            .post_agent
            .as_ref()
            .filter(|it| it.with_bot.is_some())
        else {
            return;
        };
        let deadline = after.deadline();
        self.conversation.replan(|step| !matches!(step, Step::TimeOut(_)));
        self.conversation.plan.extend(deadline.map(Step::TimeOut));
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::sandbox::{
        Pace,
        delivery::{Dispatcher, DispatcherSettings},
        floor::{
            Floor, NewConversation, Via,
            content::Content,
            conversation::{Assignment, Conversation, State},
            house::House,
            user::User,
        },
        links::Links,
    };

    const MINUTE: Duration = Duration::from_secs(60);

    /// A floor with one conversation, which its agent has just left. The bot has 20 minutes, the customer 10 for an answer.
    struct Scenery {
        floor: Floor,
        id: String,
        begun: Instant,
    }

    impl Scenery {
        fn new() -> Self {
            let settings = DispatcherSettings {
                tenant: "t".to_owned(),
                customer_id: "c".to_owned(),
                webhook: None,
                stop: CancellationToken::new(),
            };
            let dispatcher = Dispatcher::new(settings).unwrap();
            let links = Arc::new(Links::new(String::new()));
            let mut floor = Floor::new(House::new(), dispatcher, links, Pace::instant(), Some(1));
            let channel = floor.house.channel("sandbox-chat").unwrap().clone();
            let new = NewConversation {
                user: User::default(),
                assignment: None,
                history: Vec::new(),
            };
            let (id, _) = floor.create(&channel, new).unwrap();
            let mut it = Self {
                floor,
                id,
                begun: Instant::now(),
            };
            it.pass(Duration::from_secs(1));
            it.act(|scene| {
                scene.assign_after_agent(PostAgent {
                    webhook_id: "w".to_owned(),
                    notify_channel: false,
                    max_total_minutes: Some(20),
                    user_timeout_minutes: Some(10),
                    with_bot: None,
                });
                scene.hand_leave().unwrap();
            });
            it.pass(Duration::from_secs(1));
            it
        }

        fn act(&mut self, what: impl FnOnce(&mut Scene<'_>)) {
            self.floor.act(&self.id, what).unwrap();
        }

        fn pass(&mut self, since_the_beginning: Duration) {
            self.floor.run_due(self.begun + since_the_beginning);
        }

        fn conversation(&self) -> &Conversation {
            self.floor.conversation(&self.id).unwrap()
        }
    }

    #[tokio::test]
    async fn what_the_customer_writes_is_the_bots_until_its_time_is_up() {
        let mut it = Scenery::new();
        let now = it.conversation();
        assert_eq!((now.state, &now.assignment), (State::Active, &None));
        assert_eq!(now.agent, None);
        it.act(|scene| scene.customer_writes(Content::text("Hello?"), Via::Api));
        it.pass(19 * MINUTE);
        assert_eq!(
            it.conversation().state,
            State::Active,
            "nobody was routed anywhere"
        );
        assert_eq!(it.conversation().assignment, None);
        it.pass(21 * MINUTE);
        let now = it.conversation();
        assert_eq!(now.state, State::Idle);
        assert!(now.post_agent.is_none() && now.interactions[0].end_ms.is_some());
    }

    #[tokio::test]
    async fn a_customer_who_does_not_answer_the_bot_ends_it() {
        let mut it = Scenery::new();
        it.act(|scene| scene.bot_writes(Content::text("How was it?")));
        it.act(|scene| scene.customer_writes(Content::text("Fine"), Via::Api));
        it.pass(11 * MINUTE);
        assert_eq!(it.conversation().state, State::Active, "it was answered");
        it.act(|scene| scene.bot_writes(Content::text("And the tea?")));
        it.pass(9 * MINUTE);
        assert_eq!(it.conversation().state, State::Active);
        it.pass(11 * MINUTE);
        assert_eq!(it.conversation().state, State::Idle);
    }

    #[tokio::test]
    async fn a_route_ends_the_bots_time_and_the_next_agent_hands_back_again() {
        let mut it = Scenery::new();
        it.act(|scene| scene.request_route(Assignment::Queue("200".to_owned())));
        it.pass(30 * MINUTE);
        let now = it.conversation();
        assert_eq!(now.assignment, Some(Assignment::Agent("ivan".to_owned())));
        assert_eq!(now.interactions.len(), 1, "it is still the same interaction");
        it.act(|scene| scene.hand_leave().unwrap());
        it.pass(2 * MINUTE);
        assert!(it.conversation().is_with_bot());
        it.act(|scene| scene.customer_leaves());
        assert_eq!(it.conversation().state, State::Idle);
        it.act(|scene| scene.customer_writes(Content::text("Again"), Via::Api));
        it.pass(MINUTE);
        assert_eq!(it.conversation().interactions.len(), 2);
        it.act(|scene| scene.hand_leave().unwrap());
        it.pass(2 * MINUTE);
        assert_eq!(
            it.conversation().state,
            State::Idle,
            "it held for one interaction"
        );
    }
}
