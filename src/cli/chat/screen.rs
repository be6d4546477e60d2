//! What the customer sees.

use crate::{
    cli::render::{Style, escape, extras, participant, summary, text},
    grpc::proto::{
        AgentEvent, AuthorType, ConversationState, MemberChange, MessageEvent, Participant, agent_event::Body,
    },
};

/// What an event means for the talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// An agent is there.
    AgentJoined,
    /// An agent wrote.
    AgentWrote,
    /// It is over.
    Idle,
    /// Nothing.
    Other,
}

/// What an event means for the talk.
pub(super) fn meaning(event: &AgentEvent) -> Meaning {
    match &event.body {
        Some(Body::MemberChanged(changed))
            if changed.change() == MemberChange::Joined && is(changed.member.as_ref(), AuthorType::Agent) =>
        {
            Meaning::AgentJoined
        }
        Some(Body::Message(message)) if is(message.sender.as_ref(), AuthorType::Agent) => Meaning::AgentWrote,
        Some(Body::ConversationUpdated(update)) if update.state() == ConversationState::Idle => Meaning::Idle,
        _ => Meaning::Other,
    }
}

/// An event as lines for the customer; none for what a customer would not see.
pub(super) fn lines(event: &AgentEvent, style: Style) -> Vec<String> {
    let note = |words: String| vec![style.dim(&format!("* {words}"))];
    match &event.body {
        Some(Body::Message(message)) if is(message.sender.as_ref(), AuthorType::User) => Vec::new(),
        Some(Body::Message(message)) => message_lines(message, style),
        Some(Body::ConversationUpdated(update)) => match update.state() {
            ConversationState::Idle => note("the conversation has ended".to_owned()),
            _ => Vec::new(),
        },
        Some(Body::Queued(queued)) => note(format!("waiting in {}", text(&queued.queue_name))),
        Some(Body::MemberChanged(changed)) if is(changed.member.as_ref(), AuthorType::User) => Vec::new(),
        Some(Body::Transferred(_)) => note("you are being passed on".to_owned()),
        Some(Body::Typing(typing)) => {
            let others = typing
                .participant_ids
                .iter()
                .filter(|id| !["user", "bot"].contains(&id.as_str()));
            let others: Vec<_> = others.map(|id| text(id)).collect();
            match others.is_empty() {
                true => Vec::new(),
                false => note(format!("{} is typing", others.join(" and "))),
            }
        }
        _ => note(summary(event)),
    }
}

/// A message with its line breaks kept, and everything else that steers a terminal shown.
fn message_lines(message: &MessageEvent, style: Style) -> Vec<String> {
    let who = style.bold(&format!("{}:", participant(message.sender.as_ref())));
    let mut written = message.text.lines();
    let first = written.next().unwrap_or_default();
    let mut lines = vec![format!("{who} {}", escape(first)).trim_end().to_owned()];
    lines.extend(written.map(|line| format!("    {}", escape(line))));
    if let Some(last) = lines.last_mut() {
        last.push_str(&extras(&message.attachments, &message.cards));
    }
    lines
}

fn is(who: Option<&Participant>, kind: AuthorType) -> bool {
    who.is_some_and(|who| who.r#type() == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::connect::fake::{agent_event, becomes, member, queued, says},
        grpc::proto::Typing,
    };

    fn shown(body: Body) -> Vec<String> {
        lines(&agent_event("c-1", 1, body), Style::PLAIN)
    }

    #[test]
    fn the_customer_sees_what_concerns_them() {
        assert_eq!(shown(queued("Orders")), ["* waiting in Orders"]);
        assert_eq!(
            shown(member("maria", MemberChange::Joined)),
            ["* agent maria joined"]
        );
        assert_eq!(
            shown(becomes(ConversationState::Idle)),
            ["* the conversation has ended"]
        );
        let typing = Typing {
            participant_ids: vec!["user".to_owned(), "maria".to_owned()],
        };
        assert_eq!(shown(Body::Typing(typing)), ["* maria is typing"]);
    }

    #[test]
    fn what_the_customer_did_is_not_told_again() {
        assert!(shown(says("user", AuthorType::User, "mine")).is_empty());
        assert!(shown(becomes(ConversationState::Active)).is_empty());
        assert!(shown(Body::Typing(Typing::default())).is_empty());
    }

    #[test]
    fn a_message_keeps_its_lines_and_cannot_drive_the_terminal() {
        assert_eq!(
            shown(says("maria", AuthorType::Agent, "Hello\r\n\u{1b}[2Jthere")),
            ["agent maria: Hello", "    \\u{1b}[2Jthere"]
        );
    }

    #[test]
    fn only_agents_and_the_end_move_the_talk() {
        let of = |body| meaning(&agent_event("c-1", 1, body));
        assert_eq!(of(member("maria", MemberChange::Joined)), Meaning::AgentJoined);
        assert_eq!(of(member("maria", MemberChange::Left)), Meaning::Other);
        assert_eq!(of(says("maria", AuthorType::Agent, "Hi")), Meaning::AgentWrote);
        assert_eq!(of(says("bot", AuthorType::Bot, "Hi")), Meaning::Other);
        assert_eq!(of(becomes(ConversationState::Idle)), Meaning::Idle);
        assert_eq!(of(becomes(ConversationState::Created)), Meaning::Other);
    }
}
