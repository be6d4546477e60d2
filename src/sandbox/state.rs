//! What a sandbox holds, as one JSON document: saved, and loaded again.

use std::{collections::HashMap, io, path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;

use super::{
    Inner,
    delivery::{Address, DEFAULT_WEBHOOK, Webhook},
    files::{FileError, StoredFile},
    floor::{saved::SavedFloor, setup::Setup},
};

/// How many bytes of files are saved at most: they are in the document itself.
const FILE_BYTES: u64 = 64 << 20;
/// How large a document is read: such files in base64, and as much again for the rest.
pub(crate) const DOCUMENT_BYTES: usize = 256 << 20;

/// The document.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SavedState {
    floor: SavedFloor,
    /// Those that were registered by the REST API.
    webhooks: Vec<SavedWebhook>,
    /// The bytes of attachments in base64, by identifier.
    files: HashMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SavedWebhook {
    id: String,
    name: String,
    uri: String,
}

/// Why a state was not saved or loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error("The files of this sandbox have more than {} MiB, so they are not saved.", FILE_BYTES >> 20)]
    TooLarge,
    #[error("{0}")]
    Wrong(String),
    #[error("A file cannot be kept: {0}")]
    File(#[from] FileError),
    #[error("A file cannot be read: {0}")]
    Disk(#[from] io::Error),
}

impl Inner {
    /// All that is held, but keys, the log, and what is under way to webhooks.
    pub(crate) async fn save(&self) -> Result<SavedState, StateError> {
        let (floor, attachments) = self.floor(|floor| floor.save());
        if attachments.iter().map(|it| it.file.size()).sum::<u64>() > FILE_BYTES {
            return Err(StateError::TooLarge);
        }
        let mut files = HashMap::new();
        for it in attachments {
            let mut bytes = Vec::new();
            it.file.open().await?.read_to_end(&mut bytes).await?;
            files.insert(it.id.clone(), STANDARD.encode(bytes));
        }
        let webhooks = self.dispatcher.webhooks(|all| {
            let others = all.all().filter(|it| it.id != DEFAULT_WEBHOOK);
            let saved = others.filter_map(|it| {
                Some(SavedWebhook {
                    id: it.id.clone(),
                    name: it.name.clone(),
                    uri: it.address.as_ref()?.as_str().to_owned(),
                })
            });
            saved.collect()
        });
        Ok(SavedState {
            floor,
            webhooks,
            files,
        })
    }

    /// Takes what was saved in place of what is held; `sandbox-webhook` keeps its address.
    pub(crate) async fn load(&self, saved: SavedState) -> Result<(), StateError> {
        let webhooks: Result<Vec<Webhook>, StateError> = saved.webhooks.into_iter().map(webhook).collect();
        let webhooks = webhooks?;
        let mut files = HashMap::new();
        for (id, text) in saved.files {
            files.insert(id, self.stored(&text).await?);
        }
        let loaded = self.floor(|floor| floor.load(saved.floor, files));
        loaded.map_err(|why| StateError::Wrong(why.to_string()))?;
        self.dispatcher.webhooks(|all| {
            let old: Vec<String> = all.all().map(|it| it.id.clone()).collect();
            old.iter().for_each(|id| all.remove(id));
            webhooks.into_iter().for_each(|it| all.replace(it));
        });
        Ok(())
    }

    async fn stored(&self, text: &str) -> Result<StoredFile, StateError> {
        let wrong = |_| StateError::Wrong("The bytes of a file are not base64.".to_owned());
        let bytes = STANDARD.decode(text).map_err(wrong)?;
        let mut upload = self.files.begin().await?;
        upload.write(&bytes).await?;
        Ok(upload.finish().await?)
    }

    /// Loads what a file holds, if it is there.
    pub(super) async fn load_from(&self, path: &Path) -> io::Result<()> {
        let bytes = match tokio::fs::read(path).await {
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
            read => read?,
        };
        let wrong = |why: String| {
            let why = format!("the state in {} cannot be loaded: {why}", path.display());
            io::Error::new(io::ErrorKind::InvalidInput, why)
        };
        let saved: SavedState = serde_json::from_slice(&bytes).map_err(|why| wrong(why.to_string()))?;
        self.load(saved).await.map_err(|why| wrong(why.to_string()))
    }

    /// Sets the contact centre up as a file says.
    pub(super) async fn set_up_from(&self, path: &Path) -> io::Result<()> {
        let wrong = |why: String| {
            let why = format!("the set-up in {} cannot be taken: {why}", path.display());
            io::Error::new(io::ErrorKind::InvalidInput, why)
        };
        let text = tokio::fs::read_to_string(path).await;
        let text = text.map_err(|why| wrong(why.to_string()))?;
        let setup = Setup::read(&text).map_err(wrong)?;
        let done = self.floor(|floor| floor.set_up(setup));
        done.map_err(|why| wrong(why.to_string()))
    }

    /// Saves into a file, as a whole or not at all.
    pub(super) async fn save_to(self: &Arc<Self>, path: &Path) -> io::Result<()> {
        let failed =
            |why: String| io::Error::other(format!("the state is not saved in {}: {why}", path.display()));
        let saved = self.save().await.map_err(|why| failed(why.to_string()))?;
        let text = serde_json::to_vec(&saved)?;
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".part");
        tokio::fs::write(&unfinished, text)
            .await
            .map_err(|why| failed(why.to_string()))?;
        tokio::fs::rename(&unfinished, path)
            .await
            .map_err(|why| failed(why.to_string()))
    }
}

fn webhook(it: SavedWebhook) -> Result<Webhook, StateError> {
    let address = Address::parse(&it.uri);
    let wrong = || {
        StateError::Wrong(format!(
            "Webhook {}: the uri must be absolute, with http or https.",
            it.id
        ))
    };
    let address = address.ok_or_else(wrong)?;
    if it.id == DEFAULT_WEBHOOK {
        return Err(StateError::Wrong(format!(
            "{DEFAULT_WEBHOOK} is not part of a saved state."
        )));
    }
    Ok(Webhook {
        id: it.id,
        name: it.name,
        address: Some(address),
    })
}
