//! What the pages are asked with: a daemon with its dashboard, at the socket of its own user.

use e2e::http::{Answer, Http};
use e2e::stage::Stage;

use crate::api::Served;

/// A daemon with its pages.
pub(super) struct Pages {
    pub(super) served: Served,
}

impl Pages {
    /// Over `stage`.
    pub(super) fn over(stage: Stage) -> Self {
        Self { served: Served::over(stage, "") }
    }

    /// What the user of the daemon asks with.
    pub(super) fn caller(&self) -> Http {
        self.served.socket().with("sec-fetch-site", "same-origin")
    }

    /// A page, which must be there.
    pub(super) fn page(&self, path: &str) -> String {
        self.caller().get(&format!("/ui{path}")).is(200).text()
    }

    /// Sends a form.
    pub(super) fn send(&self, path: &str, fields: &str) -> Answer {
        let caller = self.caller().with("content-type", "application/x-www-form-urlencoded");
        caller.send("POST", &format!("/ui{path}"), Some(fields))
    }

    /// Sends a form that leads to another page, and says which.
    pub(super) fn done(&self, path: &str, fields: &str) -> String {
        self.send(path, fields).is(303).header("location").to_owned()
    }

    /// The page as a person reads it: tags left out, entities read.
    pub(super) fn text(&self, path: &str) -> String {
        plain(&self.page(path))
    }
}

/// Markup without its tags, on one line.
pub(super) fn plain(markup: &str) -> String {
    let mut text = String::new();
    let mut rest = markup;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = after.split_once('>').map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    for (entity, letter) in [
        ("&#60;", "<"),
        ("&lt;", "<"),
        ("&#62;", ">"),
        ("&gt;", ">"),
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, letter);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands in an attribute, each time that it occurs.
pub(super) fn attributes(markup: &str, begins: &str) -> Vec<String> {
    let parts = markup.split(begins).skip(1);
    parts
        .filter_map(|it| it.split('"').next())
        .map(|it| it.replace("&#38;", "&").replace("&amp;", "&"))
        .collect()
}
