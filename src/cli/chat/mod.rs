//! `chatbridge chat`: a customer at a terminal, or in a script.

mod input;
mod screen;
mod talk;
mod transcript;

use std::{io::IsTerminal, path::PathBuf, process::ExitCode, time::Duration};

use uuid::Uuid;

use self::talk::{Left, Talk};
use crate::{
    cli::{
        connect::{CliError, ServerArgs, call},
        render::Style,
    },
    grpc::proto::{
        Assignment, AssignmentType, CreateConversationRequest, Property, User,
        conversation_service_client::ConversationServiceClient,
    },
};

/// Starts a conversation as a customer and talks to the agent who comes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    server: ServerArgs,
    /// The vendor's identifier of the channel
    #[arg(long, value_name = "ID", default_value = "sandbox-chat")]
    channel: String,
    /// The vendor's identifier of the queue; empty leaves the routing to the channel
    #[arg(long, value_name = "ID", default_value = "100")]
    queue: String,
    /// The customer's name, shown to the agent
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    name: String,
    /// Your own identifier of the customer
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    user_id: String,
    /// Language tag such as en or zh-CN
    #[arg(long, value_name = "TAG", default_value = "", hide_default_value = true)]
    language: String,
    /// Context for the agent; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = context)]
    context: Vec<Property>,
    /// What bot and customer said before, in lines that begin with "user:" or "bot:"
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
    /// How long to wait for an agent, for an answer in a script, and for the end
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    wait: u64,
}

/// Runs until the conversation is idle, `/quit` or Ctrl-C.
pub async fn run(args: Args) -> ExitCode {
    let (mut out, mut notices) = (std::io::stdout(), std::io::stderr());
    let talk = Talk {
        style: Style::of_stdout(),
        scripted: !std::io::stdin().is_terminal(),
        patience: Duration::from_secs(args.wait),
        out: &mut out,
        notices: &mut notices,
    };
    let ended = tokio::select! {
        ended = chat(&args, talk) => ended,
        _ = tokio::signal::ctrl_c() => Ok(Left::Interrupted),
    };
    CliError::exit(ended.map(|left| match left {
        Left::Idle | Left::Quit => ExitCode::SUCCESS,
        // What a shell reports for a program that Ctrl-C ended: the conversation was left open.
        Left::Interrupted => ExitCode::from(130),
    }))
}

async fn chat(args: &Args, talk: Talk<'_>) -> Result<Left, CliError> {
    let request = request(args)?;
    let server = args.server.server()?;
    let mut client = ConversationServiceClient::new(server.connect().await?);
    let created = client
        .create_conversation(call(request))
        .await
        .map_err(|status| CliError::call("create the conversation", server.url(), &status))?
        .into_inner();
    talk.hold(server, client, created, input::lines_of_stdin()).await
}

fn request(args: &Args) -> Result<CreateConversationRequest, CliError> {
    let history = match &args.transcript {
        Some(path) => transcript::read(path)?,
        None => Vec::new(),
    };
    let queue = Assignment {
        r#type: AssignmentType::Queue.into(),
        id: args.queue.clone(),
        resource_id: String::new(),
    };
    Ok(CreateConversationRequest {
        tenant: args.server.tenant.clone(),
        request_id: Uuid::new_v4().to_string(),
        channel_id: args.channel.clone(),
        user: Some(User {
            name: args.name.clone(),
            user_id: args.user_id.clone(),
            language: args.language.clone(),
            additional_properties: args.context.clone(),
            ..User::default()
        }),
        assignment: Some(queue).filter(|queue| !queue.id.is_empty()),
        history,
        ..CreateConversationRequest::default()
    })
}

fn context(given: &str) -> Result<Property, String> {
    match given.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok(Property {
            key: key.trim().to_owned(),
            value: value.to_owned(),
        }),
        _ => Err("expected a key, an equals sign and a value, such as order=A-1042".to_owned()),
    }
}

#[cfg(test)]
mod tests;
