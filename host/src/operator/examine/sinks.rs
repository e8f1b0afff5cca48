//! Sinks that cannot deliver as things are: a folder that is not there, a program that cannot be run, a provider that
//! the manifest does not have. Nothing is written for it.

use std::path::Path;

use rustix::fs::Access;

use crate::delivery::sinks::file;
use crate::manifest::Manifest;
use crate::manifest::sink::{Command, File, How, Of, Sink};
use crate::model::code::{self, Code};
use crate::operator::examine::{Deployment, Examined, Fault};

pub(super) fn sinks(it: Deployment<'_>) -> Examined {
    let (mut faults, all) = (Vec::new(), &it.manifest.sinks);
    for (place, sink) in all.iter().enumerate() {
        let found = [provider(it.manifest, sink), how(sink)].into_iter().flatten();
        faults.extend(found.map(|(key, code, message)| {
            let path = ["sinks", &place.to_string(), key];
            let message = format!("the sink {}: {message}", sink.name);
            let help = code.remedy().unwrap_or_default().trim_end_matches('.').to_owned();
            Fault::new(&path, code, format!("sink {}", sink.name), message).with_help(help)
        }));
    }
    Examined { what: "sinks", fine: format!("{} can deliver", all.len()), faults }
}

type Found = Option<(&'static str, Code, String)>;

fn provider(manifest: &Manifest, sink: &Sink) -> Found {
    let provider = match &sink.of {
        Of::Connection(id) => id.provider(),
        Of::Provider(name) => name,
        Of::Label(_) => return None,
    };
    let is_there = manifest.providers.contains_key(provider);
    let message = || format!("the manifest has no provider {provider}");
    (!is_there).then(|| (sink.of.key(), code::Manifest::ProviderMissing.into(), message()))
}

fn how(sink: &Sink) -> Found {
    match &sink.how {
        How::File(file) => folder(file),
        How::Command(command) => program(command),
        How::Webhook(_) | How::Sql(_) => None,
    }
}

/// Where a path has places for names, the folder before the first of them is looked at.
fn folder(sink: &File) -> Found {
    let text = sink.path.text();
    let known = text.split('{').next().unwrap_or_default();
    // What a name would be appended to is no folder: `/run/keepfresh/a-{{ name }}`.
    let known = if known == text { known.to_owned() } else { format!("{known}x") };
    let error = file::is_writable(&sink.folder.join(known)).err()?;
    Some(("file", error.code, error.message))
}

/// A program that is named without a folder is looked for when it is run.
fn program(command: &Command) -> Found {
    let program = command.argv.first()?.text();
    if !program.contains('/') {
        return None;
    }
    let error = rustix::fs::access(Path::new(program), Access::EXEC_OK).err()?;
    let message = format!("the command {program} cannot be run: {}", std::io::Error::from(error));
    Some(("command", code::Sink::CommandMissing.into(), message))
}
