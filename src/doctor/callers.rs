//! Who tells of callers and agents: issuers of tokens, and the source of agents' names.

use super::{
    Report,
    finding::{AGENTS_NAMES, CALLERS_ISSUER},
};
use crate::{access::IssuerPolicy, config::Config, server::agent_names};

pub(super) async fn examine(config: &Config, report: &mut Report) {
    for issuer in &config.policy.issuers {
        keys(issuer, report).await;
    }
    names(config, report).await;
}

async fn keys(issuer: &IssuerPolicy, report: &mut Report) {
    let of = issuer.issuer.as_str();
    let host = issuer.jwks_url.host_str().unwrap_or_default();
    match issuer.published_keys().await {
        Err(why) => report.error(
            CALLERS_ISSUER,
            of,
            format!("Its keys cannot be fetched from {host}: {why}. None of its tokens is taken."),
            "Correct jwks_url of this issuer in [[jwt_issuers]]; from this machine, `curl` must get 200 and a JSON Web Key Set there.",
        ),
        Ok(found) if found.usable == 0 => {
            let algorithms: Vec<String> = issuer.algorithms.iter().map(|it| format!("{it:?}")).collect();
            report.error(
                CALLERS_ISSUER,
                of,
                format!(
                    "None of the {} key(s) that it publishes verifies {}. None of its tokens is taken.",
                    found.all,
                    algorithms.join(" or ")
                ),
                "Set algorithms of this issuer to those that it signs with, or correct jwks_url.",
            );
        }
        Ok(found) => report.ok(
            CALLERS_ISSUER,
            of,
            format!("{} of the {} key(s) that it publishes can be used.", found.usable, found.all),
        ),
    }
}

async fn names(config: &Config, report: &mut Report) {
    let checked = match agent_names(config).await {
        Ok(names) => names.check().await,
        Err(error) => Some(Err(format!("The service of names cannot be asked: {error}."))),
    };
    match checked {
        None => {}
        Some(Ok(sentence)) => report.ok(AGENTS_NAMES, "", sentence),
        Some(Err(sentence)) => report.warning(
            AGENTS_NAMES,
            "",
            format!("{sentence} Agents have no names meanwhile; events go on without."),
            "Correct agent_names_file or agent_names_url; docs/configuration.md says what either must hold.",
        ),
    }
}
