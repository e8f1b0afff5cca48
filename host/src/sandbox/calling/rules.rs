//! What follows from a descriptor for every call of its plugin, computed once when it is loaded,
//! and what depends on the connection.

use std::sync::Arc;

use crate::model::descriptor::{Descriptor, Field};
use crate::sandbox::answers::sealing::reads::Reads;
use crate::sandbox::secrets::labels::{Labels, Names};

/// The rules of one call.
#[derive(Clone, Default)]
pub(in crate::sandbox) struct Rules {
    pub(in crate::sandbox) reads: Arc<Reads>,
    pub(in crate::sandbox) names: Names,
    /// Secrets that may sign.
    pub(in crate::sandbox) signs: Labels,
    /// What the operator tells the plugin in clear, in lower case: a secret that stands there is none.
    clear: Vec<String>,
    /// Defaults of settings, which the plugin tells itself: a dictionary in them hides nothing.
    defaults: Vec<(String, String)>,
}

impl Rules {
    /// The rules of a plugin, or what is wrong with what it declares, in words that go on after its name.
    pub(in crate::sandbox) fn new(descriptor: &Descriptor) -> Result<Self, String> {
        let reads = Reads::new(&descriptor.reads, &descriptor.sealed);
        let reads = reads.map_err(|what| format!("it reads {what}"))?;
        let names = Names::new(descriptor.secrets.iter().map(|it| it.name.as_str()));
        let default = |it: &Field| Some((it.name.clone(), it.default.clone()?));
        Ok(Self {
            reads: Arc::new(reads),
            signs: names.labels(&descriptor.signs),
            names,
            clear: Vec::new(),
            defaults: descriptor.settings.iter().filter_map(default).collect(),
        })
    }

    /// The same for a connection with these settings.
    pub(in crate::sandbox) fn with_settings(&self, settings: &[(String, String)]) -> Self {
        let mut rules = self.clone();
        let given = settings.iter().filter(|it| !self.defaults.contains(it));
        rules.clear.extend(given.map(|(_, value)| value.to_lowercase()));
        rules
    }

    /// Whether the plugin was told this text in clear, so that hiding it hides nothing: a user name that
    /// is a word of the API's address, say.
    pub(in crate::sandbox) fn stands_in_clear(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.clear.iter().any(|it| it.contains(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_operator_says_in_clear_is_no_secret_and_what_a_plugin_says_is() {
        let words = Field {
            name: "words".to_owned(),
            title: String::new(),
            help: String::new(),
            required: false,
            default: Some("hunter22 secret123".to_owned()),
        };
        let descriptor = Descriptor { settings: vec![words], ..Descriptor::unknown() };
        let rules = Rules::new(&descriptor).unwrap();
        let with = |value: &str| rules.with_settings(&[("words".to_owned(), value.to_owned())]);
        assert!(!with("hunter22 secret123").stands_in_clear("hunter22"));
        assert!(with("https://api.example/Login").stands_in_clear("login"));
    }
}
