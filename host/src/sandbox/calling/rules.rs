//! What a descriptor comes to for every call of its plugin, worked out once when it is loaded, and what
//! of it depends on the connection.

use std::sync::Arc;

use crate::model::descriptor::Descriptor;
use crate::sandbox::answers::sealing::reads::Reads;
use crate::sandbox::secrets::labels::{Labels, Names};

/// The rules of one call.
#[derive(Clone, Default)]
pub(in crate::sandbox) struct Rules {
    pub(in crate::sandbox) reads: Arc<Reads>,
    pub(in crate::sandbox) names: Names,
    /// Secrets that may sign.
    pub(in crate::sandbox) signs: Labels,
    /// What the plugin is told in clear, in lower case: a secret that stands there is none.
    clear: Vec<String>,
}

impl Rules {
    /// The rules of a plugin, or what is wrong with what it declares, in words that go on after its name.
    pub(in crate::sandbox) fn new(descriptor: &Descriptor) -> Result<Self, String> {
        let reads = Reads::new(&descriptor.reads, &descriptor.sealed);
        let reads = reads.map_err(|what| format!("it reads {what}"))?;
        let names = Names::new(descriptor.secrets.iter().map(|it| it.name.as_str()));
        let fields = descriptor.settings.iter().chain(&descriptor.secrets);
        Ok(Self {
            reads: Arc::new(reads),
            signs: names.labels(&descriptor.signs),
            names,
            clear: fields.map(|it| it.name.to_lowercase()).collect(),
        })
    }

    /// The same for a connection with these settings.
    pub(in crate::sandbox) fn with_settings(&self, settings: &[(String, String)]) -> Self {
        let mut rules = self.clone();
        rules.clear.extend(settings.iter().map(|(_, value)| value.to_lowercase()));
        rules
    }

    /// Whether the plugin was told this text in clear, so that hiding it hides nothing: a user name that
    /// is a word of the API's address, say.
    pub(in crate::sandbox) fn stands_in_clear(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.clear.iter().any(|it| it.contains(&text))
    }
}
