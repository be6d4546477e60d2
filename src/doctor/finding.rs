//! What a check found: its id, how bad it is, a sentence, and what to do.

use serde::Serialize;

/// One thing that is looked at. Its id never changes: scripts and alerts may rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Its name, such as `redis.version`.
    pub id: &'static str,
    /// What is looked at.
    pub about: &'static str,
}

macro_rules! checks {
    ($($name:ident $id:literal $about:literal;)*) => {
        $(#[doc = $about] pub(super) const $name: Check = Check { id: $id, about: $about };)*

        /// All checks, in the order of the manual.
        pub const CHECKS: &[Check] = &[$($name),*];
    };
}

checks! {
    SETTINGS "config.settings" "the file and the variables can be read, and no setting is wrong";
    SECRET_FILES "config.secret_files" "files that hold secrets cannot be read by everybody on the machine";
    CALLERS "config.callers" "callers are asked who they are, wherever others reach the port";
    PLAINTEXT "config.plaintext" "nothing secret goes over a network without TLS";
    PATH_SECRET "config.path_secret" "the webhook door has a secret in its path, wherever others reach it";
    CALLERS_ISSUER "callers.issuer" "the keys of an issuer of tokens can be fetched, and can verify them";
    AGENTS_NAMES "agents.names" "the source of agents' names can be used";
    TLS_FILES "tls.files" "certificate, key and authorities of a port can be read, and belong together";
    TLS_DATES "tls.dates" "the certificate is valid now and for two weeks more";
    TLS_CHAIN "tls.chain" "the certificates between the server's own and a root are in the file";
    TLS_NAMES "tls.names" "the certificate names the host by which others reach the port";
    LISTEN "ports.listen" "the address can be listened on, or Chatbridge does so already";
    REDIS_STORE "redis.store" "events are kept in Redis, not in memory";
    REDIS_REACHABLE "redis.reachable" "Redis can be reached with the address, credentials and certificates that are set";
    REDIS_KIND "redis.kind" "Redis is what the URL says: a server, Sentinels or a cluster";
    REDIS_VERSION "redis.version" "Redis is new enough";
    REDIS_ROLE "redis.role" "the server takes writes, and is no replica";
    REDIS_EVICTION "redis.eviction" "Redis never drops parts of the log to make room";
    REDIS_MEMORY "redis.memory" "there is memory left";
    REDIS_PERSISTENCE "redis.persistence" "what Redis holds survives its restart, and reaches the disk";
    REDIS_REPLICAS "redis.replicas" "as many replicas follow as `redis_wait_replicas` waits for";
    REDIS_SLOTS "redis.slots" "all slots of the cluster are served";
    REDIS_LATENCY "redis.latency" "Redis answers fast";
    REDIS_CLOCK "redis.clock" "Redis and this machine agree on the time";
    REDIS_SCHEMA "redis.schema" "the log in Redis is one that this configuration fits";
    REDIS_MASTER_KEYS "redis.master_keys" "the master keys are those that Redis knows by their names";
    UPSTREAM_REACHABLE "upstream.reachable" "the Chat Gateway answers";
    UPSTREAM_CREDENTIALS "upstream.credentials" "it takes the API key and the tenant";
    UPSTREAM_CLOCK "upstream.clock" "the Chat Gateway and this machine agree on the time";
    UPSTREAM_KEYS "upstream.keys" "its endpoint of signing keys answers";
    WEBHOOK_REGISTERED "webhook.registered" "a webhook is registered that leads to the door";
    WEBHOOK_URL "webhook.url" "its URL is one by which 8x8 reaches the door";
    WEBHOOK_VERSION "webhook.version" "it asks for events of the version that is read here";
    WEBHOOK_VERIFY "webhook.verify" "8x8 can reach it (only with `--verify`)";
    CHANNEL_EXISTS "channel.exists" "the channels that are configured exist, or there is any at all";
    CHANNEL_TYPE "channel.type" "conversations may be started on it by the API";
    CHANNEL_WEBHOOK "channel.webhook" "its events go to a webhook that leads to the door";
    CHANNEL_QUEUE "channel.queue" "it has a queue for conversations that name none";
    CHAT_V2_SIGNING "chat_v2.signing" "what is sent to webhooks of Chat API v2 can be signed";
    CHAT_V2_WEBHOOK_ID "chat_v2.webhook_id" "`webhook_id` of a tenant whose channels clients of Chat API v2 make is set, and leads to the door";
    CHAT_V2_WEBHOOK_ALLOW "chat_v2.webhook_allow" "clients of Chat API v2 cannot have requests sent to whole private networks or to the machine itself";
    REQUEST_CAPTURE "request.capture" "the captured request can be read";
    REQUEST_PATH "request.path" "it went to the path of the door";
    REQUEST_HEADER "request.header" "each of the six headers is there once, and well-formed";
    REQUEST_TENANT "request.tenant" "it is for a tenant that is served";
    REQUEST_CLOCK "request.clock" "it was sent about when it was received";
    REQUEST_BODY "request.body" "the body is whole and not too large";
    REQUEST_KEY "request.key" "8x8 has the key that it names, and it can be used";
    REQUEST_SIGNATURE "request.signature" "the signature fits key, headers and body";
    REQUEST_EVENT "request.event" "the body is an event that can be read";
}

/// How bad a finding is, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Not looked at; the sentence says why.
    Skipped,
    /// It works now, and should be looked at.
    Warning,
    /// It does not work.
    Error,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check's id, one of [`CHECKS`].
    pub id: &'static str,
    /// Of what: a port, a tenant, a channel, a server; empty where there is only one.
    pub subject: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was found.
    pub sentence: String,
    /// What to do; empty where nothing is to be done.
    pub remedy: String,
}

/// All that was found, in the order in which it was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Notes that something is as it should be.
    pub(super) fn ok(&mut self, check: Check, subject: &str, sentence: impl Into<String>) {
        self.note(check, subject, Severity::Ok, sentence.into(), "");
    }

    /// Notes that something was not looked at. The sentence says why.
    pub(super) fn skipped(&mut self, check: Check, subject: &str, sentence: impl Into<String>) {
        self.note(check, subject, Severity::Skipped, sentence.into(), "");
    }

    /// Notes something that should be looked at.
    pub(super) fn warning(
        &mut self,
        check: Check,
        subject: &str,
        sentence: impl Into<String>,
        remedy: impl AsRef<str>,
    ) {
        self.note(
            check,
            subject,
            Severity::Warning,
            sentence.into(),
            remedy.as_ref(),
        );
    }

    /// Notes something that does not work.
    pub(super) fn error(
        &mut self,
        check: Check,
        subject: &str,
        sentence: impl Into<String>,
        remedy: impl AsRef<str>,
    ) {
        self.note(check, subject, Severity::Error, sentence.into(), remedy.as_ref());
    }

    fn note(&mut self, check: Check, subject: &str, severity: Severity, sentence: String, remedy: &str) {
        self.findings.push(Finding {
            id: check.id,
            subject: subject.to_owned(),
            severity,
            sentence,
            remedy: remedy.to_owned(),
        });
    }

    /// The worst of all, where something not looked at counts as nothing wrong.
    pub fn worst(&self) -> Severity {
        let severities = self.findings.iter().map(|finding| finding.severity);
        match severities.max() {
            None | Some(Severity::Skipped) => Severity::Ok,
            Some(worst) => worst,
        }
    }

    /// 0: nothing is wrong; 1: warnings; 2: errors.
    pub fn exit_code(&self) -> u8 {
        match self.worst() {
            Severity::Ok | Severity::Skipped => 0,
            Severity::Warning => 1,
            Severity::Error => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_exit_code_is_that_of_the_worst() {
        let mut report = Report::default();
        assert_eq!(report.exit_code(), 0);
        report.skipped(WEBHOOK_VERIFY, "", "It was not asked for.");
        report.ok(SETTINGS, "", "All are right.");
        assert_eq!(report.exit_code(), 0);
        report.warning(REDIS_PERSISTENCE, "", "It keeps nothing.", "Turn it on.");
        assert_eq!(report.exit_code(), 1);
        report.error(REDIS_VERSION, "", "It is too old.", "Update it.");
        report.ok(REDIS_ROLE, "", "It is the master.");
        assert_eq!(report.exit_code(), 2);
    }

    #[test]
    fn the_manual_lists_every_check() {
        let page = include_str!("../../docs/doctor.md");
        let ids: BTreeSet<&str> = CHECKS.iter().map(|check| check.id).collect();
        assert_eq!(ids.len(), CHECKS.len());
        for check in CHECKS {
            let row = format!("| `{}` | {} |", check.id, check.about);
            assert!(page.contains(&row), "docs/doctor.md lacks the row: {row}");
        }
        let listed = page.lines().filter(|line| {
            let cell = line.strip_prefix("| `").and_then(|rest| rest.split('`').next());
            cell.is_some_and(|id| id.contains('.') && !id.contains(' '))
        });
        assert_eq!(listed.count(), CHECKS.len(), "docs/doctor.md has rows of none");
    }
}
