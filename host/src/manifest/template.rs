//! The manifest that `keepfresh init` writes. It runs as it stands, with no provider.

/// A commented manifest: lines of prose begin with `# `, lines to be uncommented with `#`.
pub const TEMPLATE: &str = include_str!("template.toml");
