//! Chat API v2: whether what it sends is signed, whether its clients can have channels, and where they can have us send.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{
    Report,
    finding::{CHAT_V2_SIGNING, CHAT_V2_WEBHOOK_ALLOW, CHAT_V2_WEBHOOK_ID},
};
use crate::{
    chat_v2::ApiScope,
    config::{ChatV2Config, Config, TenantConfig},
};

/// Networks that no single receiver needs all of (sources: RFC 1918, RFC 4193, RFC 6598).
const PRIVATE: [IpNet; 5] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8)),
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12)),
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16)),
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7)),
];
/// Where clouds give a machine its credentials.
const CREDENTIALS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];
const ITSELF: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

pub(super) fn examine(config: &Config, report: &mut Report) {
    let Some(chat_v2) = &config.chat_v2 else {
        return;
    };
    signing(chat_v2, report);
    webhook_allow(chat_v2, report);
    for tenant in &config.tenants {
        let clients = clients_with_channels(chat_v2, tenant);
        if tenant.webhook_id.is_empty() && !clients.is_empty() {
            report.warning(
                CHAT_V2_WEBHOOK_ID,
                tenant.id.as_str(),
                format!(
                    "Its webhook_id is not set, so clients of Chat API v2 ({}) can create and change no channels.",
                    clients.join(", ")
                ),
                "Set webhook_id of the tenant to the id of the webhook that leads to the door (ListWebhooks, or 8x8's admin \
                 console, has it).",
            );
        }
    }
}

/// A key that cannot be read or is too short is a mistake in the settings, and never comes here.
fn signing(chat_v2: &ChatV2Config, report: &mut Report) {
    match &chat_v2.settings.signing_keys {
        Some(_) => report.ok(CHAT_V2_SIGNING, "", "There is a key that signs what is sent to webhooks."),
        None => report.warning(
            CHAT_V2_SIGNING,
            "",
            "There is no signing key, so clients can register webhooks, and nothing is ever sent to them.",
            "Set chat_v2_signing_key_file (`openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out signing.pem` makes \
             one); all replicas need the same.",
        ),
    }
}

/// The clients that may make channels of a tenant.
fn clients_with_channels<'a>(chat_v2: &'a ChatV2Config, tenant: &TenantConfig) -> Vec<&'a str> {
    let clients = chat_v2.policy.clients.iter();
    clients
        .filter(|client| client.tenants.has(&tenant.id) && client.scopes.contains(&ApiScope::ChannelsWrite))
        .map(|client| client.id.as_str())
        .collect()
}

/// Whether events of channels that clients make come to the door. `leads_here`: whether the webhook of the tenant's `webhook_id`
/// does; `None`: 8x8 has no such webhook.
pub(super) fn delivering_webhook(
    config: &Config,
    tenant: &TenantConfig,
    leads_here: Option<bool>,
    report: &mut Report,
) {
    let of = tenant.id.as_str();
    let id = &tenant.webhook_id;
    let Some(chat_v2) = &config.chat_v2 else {
        return;
    };
    if id.is_empty() || clients_with_channels(chat_v2, tenant).is_empty() {
        return;
    }
    let wrong = match leads_here {
        Some(true) => {
            return report.ok(
                CHAT_V2_WEBHOOK_ID,
                of,
                format!("Its webhook {id} leads to the door."),
            );
        }
        Some(false) => format!("Its webhook_id is {id}, a webhook that does not lead to the door."),
        None => format!("Its webhook_id is {id}, and 8x8 has no such webhook."),
    };
    report.error(
        CHAT_V2_WEBHOOK_ID,
        of,
        format!("{wrong} Nobody would hear of conversations on channels that clients of Chat API v2 make."),
        "Set webhook_id of the tenant to the id of a webhook that leads to the door, as webhook.registered has it.",
    );
}

fn webhook_allow(chat_v2: &ChatV2Config, report: &mut Report) {
    let networks = chat_v2.settings.allowed.networks();
    let before = report.findings.len();
    for network in IpNet::aggregate(&networks.to_vec()) {
        let risks = risks(&network);
        if !risks.is_empty() {
            report.warning(
                CHAT_V2_WEBHOOK_ALLOW,
                &network.to_string(),
                format!(
                    "With it, a client of Chat API v2 can have requests sent to {}.",
                    risks.join(", and to ")
                ),
                "Let chat_v2_webhook_allow have only the networks in which receivers of webhooks are, as small as they can be.",
            );
        }
    }
    if report.findings.len() == before {
        let sentence = match networks.len() {
            0 => "Webhooks may lead to public addresses only.".to_owned(),
            n => format!("Webhooks may lead to public addresses, and to {n} network(s) of private ones."),
        };
        report.ok(CHAT_V2_WEBHOOK_ALLOW, "", sentence);
    }
}

/// What a network admits that is more than receivers of webhooks.
fn risks(network: &IpNet) -> Vec<String> {
    let mut risks = Vec::new();
    if ITSELF.iter().any(|address| network.contains(address)) {
        risks.push("this machine itself, and so to its admin port".to_owned());
    }
    if let Some(address) = CREDENTIALS.iter().find(|address| network.contains(*address)) {
        risks.push(format!(
            "{address}, where clouds hand out a machine's credentials"
        ));
    }
    let whole: Vec<String> = PRIVATE
        .iter()
        .filter(|range| network.contains(*range))
        .map(ToString::to_string)
        .collect();
    if !whole.is_empty() {
        risks.push(format!("all of {}", whole.join(", ")));
    }
    risks
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("10.7.0.0/16", &[])]
    #[case("192.168.1.0/24", &[])]
    #[case("fd00:7::/64", &[])]
    #[case("10.0.0.0/8", &["all of 10.0.0.0/8"])]
    #[case("127.0.0.1/32", &["this machine itself"])]
    #[case("::1/128", &["this machine itself"])]
    #[case("169.254.0.0/16", &["169.254.169.254"])]
    #[case("fd00::/8", &["fd00:ec2::254"])]
    #[case("fc00::/7", &["fd00:ec2::254", "all of fc00::/7"])]
    #[case("0.0.0.0/0", &["this machine itself", "169.254.169.254", "all of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10"])]
    #[case("::/0", &["this machine itself", "fd00:ec2::254", "all of fc00::/7"])]
    fn what_is_too_wide_is_known(#[case] network: IpNet, #[case] expected: &[&str]) {
        let risks = risks(&network);
        assert_eq!(risks.len(), expected.len(), "{risks:?}");
        for (risk, begins) in risks.iter().zip(expected) {
            assert!(risk.starts_with(begins), "{risk}");
        }
    }
}
