//! `provider`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ProviderVerb {
    /// Print the table to paste into the manifest, and say which plugin file it needs
    Add {
        /// The provider's name in the manifest; also the plugin's, unless --plugin says otherwise
        name: String,
        /// Name of the plugin file without .wasm
        #[arg(long, value_name = "NAME")]
        plugin: Option<String>,
    },
}
