//! `manifest`.

use clap::Subcommand;

#[derive(Clone, Copy, Debug, Subcommand)]
pub(in crate::cli) enum ManifestVerb {
    /// Print every key of the manifest: type, range, default, meaning, example
    Reference,
    /// Print a JSON Schema of the manifest, for editors
    Schema,
}
