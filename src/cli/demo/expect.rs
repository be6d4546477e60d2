//! What a journey expects to hear, in order. Pure.

use crate::{
    cli::render::summary,
    grpc::proto::{AgentEvent, AuthorType, ConversationState, MemberChange, Participant, agent_event::Body},
};

/// What an event is about, as far as a journey cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    /// The conversation exists.
    Created,
    /// It is active.
    Active,
    /// It is idle.
    Idle,
    /// It waits in a queue.
    Queued,
    /// An agent joined.
    AgentJoined,
    /// An agent left.
    AgentLeft,
    /// An agent passed it on.
    Transferred,
    /// Somebody types.
    Typing,
    /// An agent wrote.
    AgentMessage,
    /// The customer wrote.
    UserMessage,
    /// The bot's own message came back.
    Echo,
    /// Anything else.
    Other,
}

impl Topic {
    fn of(event: &AgentEvent) -> Self {
        let author = |who: &Option<Participant>| who.as_ref().map(Participant::r#type);
        match &event.body {
            Some(Body::ConversationUpdated(update)) => match update.state() {
                ConversationState::Created => Self::Created,
                ConversationState::Active => Self::Active,
                ConversationState::Idle => Self::Idle,
                ConversationState::Unspecified => Self::Other,
            },
            Some(Body::Queued(_)) => Self::Queued,
            Some(Body::MemberChanged(changed)) => match (author(&changed.member), changed.change()) {
                (Some(AuthorType::Agent), MemberChange::Joined) => Self::AgentJoined,
                (Some(AuthorType::Agent), MemberChange::Left) => Self::AgentLeft,
                _ => Self::Other,
            },
            Some(Body::Transferred(_)) => Self::Transferred,
            Some(Body::Typing(typing)) if !typing.participant_ids.is_empty() => Self::Typing,
            Some(Body::Message(_)) if event.echo => Self::Echo,
            Some(Body::Message(message)) => match author(&message.sender) {
                Some(AuthorType::Agent) => Self::AgentMessage,
                Some(AuthorType::User) => Self::UserMessage,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }

    /// Whether it may come more often than a journey names it: each change of the assignment is another update, and
    /// people begin to type as they like.
    fn repeats(self) -> bool {
        matches!(self, Self::Active | Self::Typing | Self::Other)
    }
}

/// What must be true of an event besides its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Detail {
    /// Nothing.
    Any,
    /// It is about this queue, by name.
    Queue(&'static str),
    /// It is about this participant, by identifier.
    Who(&'static str),
    /// Its text is this.
    Text(&'static str),
    /// It is the echo of the send with this `request_id`.
    Request(String),
}

impl Detail {
    fn fits(&self, event: &AgentEvent) -> bool {
        let is = |who: &Option<Participant>, id: &str| who.as_ref().is_some_and(|who| who.id == id);
        match (self, &event.body) {
            (Self::Any, _) => true,
            (Self::Request(id), _) => event.request_id == *id,
            (Self::Queue(name), Some(Body::Queued(queued))) => queued.queue_name == *name,
            (Self::Who(id), Some(Body::MemberChanged(changed))) => is(&changed.member, id),
            (Self::Who(id), Some(Body::Message(message))) => is(&message.sender, id),
            (Self::Who(id), Some(Body::Typing(typing))) => typing.participant_ids.iter().any(|p| p == id),
            (Self::Text(text), Some(Body::Message(message))) => message.text == *text,
            _ => false,
        }
    }
}

/// What we do once something was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// The customer answers through us.
    Answer(&'static str),
    /// The bot answers, under this `request_id`.
    BotAnswers {
        /// What it says.
        text: &'static str,
        /// The UUID by which its echo is known.
        request_id: String,
    },
    /// The customer writes in the vendor's widget.
    WidgetSays(&'static str),
    /// The bot hands over to people: to the queue with this identifier.
    HandOver(&'static str),
    /// The customer ends it through us.
    End,
}

/// One thing that must come, after all before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// In words.
    pub(super) label: &'static str,
    topic: Topic,
    detail: Detail,
    /// What may come as well while this is awaited, though other steps name it.
    tolerates: &'static [Topic],
    /// What we do then.
    pub(super) then: Option<Act>,
}

impl Step {
    /// Expects `topic` with `detail`.
    pub(super) fn new(label: &'static str, topic: Topic, detail: Detail) -> Self {
        Self {
            label,
            topic,
            detail,
            tolerates: &[],
            then: None,
        }
    }

    /// Lets these come too while this is awaited.
    pub(super) fn tolerating(self, tolerates: &'static [Topic]) -> Self {
        Self { tolerates, ..self }
    }

    /// Does this once it has come.
    pub(super) fn then(self, act: Act) -> Self {
        Self {
            then: Some(act),
            ..self
        }
    }

    fn fits(&self, event: &AgentEvent) -> bool {
        self.topic == Topic::of(event) && self.detail.fits(event)
    }
}

/// Something came that should not have come now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected: {expected}; what came instead: {came}{hint}")]
pub(super) struct Unexpected {
    expected: &'static str,
    came: String,
    hint: &'static str,
}

/// The steps of a journey, and how far it has come.
#[derive(Debug)]
pub(super) struct Expectations {
    steps: Vec<Step>,
    next: usize,
}

impl Expectations {
    pub(super) fn new(steps: Vec<Step>) -> Self {
        Self { steps, next: 0 }
    }

    /// What must come next; none: all came.
    pub(super) fn awaited(&self) -> Option<&Step> {
        self.steps.get(self.next)
    }

    /// Takes the next event of the conversation: the step that it fulfils, or none where it is one of those that may come
    /// between.
    ///
    /// A topic that the journey names comes exactly where it is named; what the journey never names may come anywhere.
    pub(super) fn see(&mut self, event: &AgentEvent) -> Result<Option<&Step>, Unexpected> {
        let topic = Topic::of(event);
        let next = self.next;
        let Some(step) = self.steps.get(next) else {
            return match self.names(topic) {
                true => Err(self.unexpected(event, "nothing more")),
                false => Ok(None),
            };
        };
        if step.fits(event) {
            self.next += 1;
            return Ok(self.steps.get(next));
        }
        if self.names(topic) && !step.tolerates.contains(&topic) {
            return Err(self.unexpected(event, step.label));
        }
        Ok(None)
    }

    fn names(&self, topic: Topic) -> bool {
        !topic.repeats() && self.steps.iter().any(|step| step.topic == topic)
    }

    fn unexpected(&self, event: &AgentEvent, expected: &'static str) -> Unexpected {
        let (past, coming) = self.steps.split_at(self.next);
        let hint = if coming.iter().any(|step| step.fits(event)) {
            " (too early)"
        } else if past.iter().any(|step| step.fits(event)) {
            " (again)"
        } else {
            ""
        };
        Unexpected {
            expected,
            came: summary(event),
            hint,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::connect::fake::{agent_event, becomes, member, queued, says},
        grpc::proto::{Transferred, Typing},
    };

    fn steps() -> Vec<Step> {
        vec![
            Step::new("it waits in Orders", Topic::Queued, Detail::Queue("Orders")),
            Step::new("maria joins", Topic::AgentJoined, Detail::Who("maria")),
            Step::new("maria types", Topic::Typing, Detail::Who("maria")),
            Step::new("maria writes", Topic::AgentMessage, Detail::Who("maria")).then(Act::End),
            Step::new("it is passed on", Topic::Transferred, Detail::Any),
            Step::new("maria leaves", Topic::AgentLeft, Detail::Who("maria")),
            Step::new("it waits in Returns", Topic::Queued, Detail::Queue("Returns")),
            Step::new("it is idle", Topic::Idle, Detail::Any).tolerating(&[Topic::AgentLeft]),
        ]
    }

    fn typing() -> Body {
        Body::Typing(Typing {
            participant_ids: vec!["maria".to_owned()],
        })
    }

    fn hello() -> Body {
        says("maria", AuthorType::Agent, "Hello")
    }

    fn bodies() -> Vec<Body> {
        vec![
            queued("Orders"),
            member("maria", MemberChange::Joined),
            typing(),
            hello(),
            Body::Transferred(Transferred {}),
            member("maria", MemberChange::Left),
            queued("Returns"),
            becomes(ConversationState::Idle),
        ]
    }

    /// The labels of the steps that came, and what went wrong.
    fn play(bodies: Vec<Body>) -> (Vec<&'static str>, Result<(), String>) {
        let mut expectations = Expectations::new(steps());
        let mut came = Vec::new();
        for (sequence, body) in (1..).zip(bodies) {
            match expectations.see(&agent_event("c-1", sequence, body)) {
                Ok(step) => came.extend(step.map(|step| step.label)),
                Err(unexpected) => return (came, Err(unexpected.to_string())),
            }
        }
        let missing = expectations
            .awaited()
            .map(|step| format!("missing: {}", step.label));
        (came, missing.map_or(Ok(()), Err))
    }

    #[test]
    fn what_comes_in_order_fulfils_every_step() {
        let (came, result) = play(bodies());
        result.unwrap();
        assert_eq!(came, steps().iter().map(|step| step.label).collect::<Vec<_>>());
    }

    #[test]
    fn what_the_journey_does_not_name_may_come_between() {
        let mut bodies = bodies();
        for place in (0..=bodies.len()).rev() {
            bodies.insert(place, becomes(ConversationState::Active));
            bodies.insert(place, Body::Typing(Typing::default()));
            bodies.insert(place, says("user", AuthorType::User, "mine"));
        }
        play(bodies).1.unwrap();
    }

    #[test]
    fn each_missing_event_is_noticed() {
        for missing in 0..bodies().len() {
            let mut bodies = bodies();
            bodies.remove(missing);
            let (_, result) = play(bodies);
            let problem = result.unwrap_err();
            assert!(
                problem.contains(steps()[missing].label),
                "without {missing}: {problem}"
            );
        }
    }

    #[test]
    fn each_pair_in_the_wrong_order_is_noticed() {
        // Typing may come again and so also early: then it is missed where it should come.
        for first in 0..bodies().len() - 1 {
            let mut bodies = bodies();
            bodies.swap(first, first + 1);
            let (_, result) = play(bodies);
            assert!(result.is_err(), "{first} behind {}", first + 1);
        }
    }

    #[test]
    fn each_event_that_comes_twice_is_noticed() {
        for (twice, body) in bodies().into_iter().enumerate() {
            let repeats = matches!(body, Body::Typing(_));
            let mut bodies = bodies();
            bodies.insert(twice + 1, body);
            let (_, result) = play(bodies);
            assert_eq!(result.is_ok(), repeats, "{twice} twice: {result:?}");
        }
    }

    #[test]
    fn what_was_expected_and_what_came_is_said() {
        let problem = |change: fn(&mut Vec<Body>)| {
            let mut bodies = bodies();
            change(&mut bodies);
            play(bodies).1.unwrap_err()
        };
        assert_eq!(
            problem(|bodies| bodies.swap(0, 6)),
            "expected: it waits in Orders; what came instead: queued in Returns (100) (too early)"
        );
        assert_eq!(
            problem(|bodies| bodies.insert(5, hello())),
            "expected: maria leaves; what came instead: agent maria: Hello (again)"
        );
        assert_eq!(
            problem(|bodies| bodies[1] = member("ivan", MemberChange::Joined)),
            "expected: maria joins; what came instead: agent ivan joined"
        );
        assert_eq!(
            problem(|bodies| bodies.push(becomes(ConversationState::Idle))),
            "expected: nothing more; what came instead: conversation idle (again)"
        );
    }

    #[test]
    fn a_step_tolerates_what_it_says() {
        let mut bodies = bodies();
        bodies.insert(7, member("ivan", MemberChange::Left));
        play(bodies).1.unwrap();
    }

    #[test]
    fn an_echo_is_known_by_its_request_id_only() {
        let step = Step::new("the echo", Topic::Echo, Detail::Request("r-1".to_owned()));
        let mut event = agent_event("c-1", 1, says("bot", AuthorType::Bot, "Hello"));
        event.echo = true;
        assert!(Expectations::new(vec![step.clone()]).see(&event).is_err());
        event.request_id = "r-1".to_owned();
        assert!(Expectations::new(vec![step]).see(&event).unwrap().is_some());
    }
}
