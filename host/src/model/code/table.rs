//! How a table of codes is written: one macro makes the enum of an area, whose entries are data.
//! This file does not know any code.

use crate::model::exit::Exit;

/// What is known of a code.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// `area.cause`, the same in CLI, API, log and attempts. Never changed, and never used for
    /// something else once it is gone.
    pub text: &'static str,
    /// What has happened, in one sentence.
    pub meaning: &'static str,
    /// What helps, in one sentence.
    pub remedy: &'static str,
    /// The exit code of a command that fails with it.
    pub exit: Exit,
    /// Whether trying again helps while nothing else has changed.
    pub retryable: bool,
    /// Who has to act.
    pub acts: Actor,
}

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The operator, who runs Keepfresh: manifest, secrets, disk, network.
    Operator,
    /// The person who owns the account, or typed the command.
    Person,
    /// The provider.
    Provider,
    /// The plugin's author.
    PluginAuthor,
    /// Nobody: it resolves itself.
    Nobody,
}

impl Entry {
    /// The part before the cause.
    pub fn area(&self) -> &'static str {
        self.text.split('.').next().unwrap_or_default()
    }
}

impl Actor {
    /// In words that a sentence can hold.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Person => "person",
            Self::Provider => "provider",
            Self::PluginAuthor => "plugin author",
            Self::Nobody => "nobody",
        }
    }
}

/// Makes the enum of an area. Each entry is a block of its own, so that adding a code is adding a block.
macro_rules! codes {
    (
        $area:ident: $about:literal;
        $($cause:ident = $text:literal {
            meaning: $meaning:literal,
            remedy: $remedy:literal,
            exit: $exit:ident, retryable: $retryable:literal, acts: $acts:ident,
        })+
    ) => {
        #[doc = $about]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $area {
            $(#[doc = $meaning] $cause,)+
        }

        impl $area {
            /// All of the area, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$cause),+];

            /// What its codes have in common, in one sentence.
            pub const ABOUT: &'static str = $about;

            /// What is known of it.
            pub const fn entry(self) -> $crate::model::code::Entry {
                match self {
                    $(Self::$cause => $crate::model::code::Entry {
                        text: $text,
                        meaning: $meaning,
                        remedy: $remedy,
                        exit: $crate::model::exit::Exit::$exit,
                        retryable: $retryable,
                        acts: $crate::model::code::Actor::$acts,
                    },)+
                }
            }

            /// `area.cause`.
            pub const fn text(self) -> &'static str {
                self.entry().text
            }
        }

        impl From<$area> for $crate::model::code::Code {
            fn from(code: $area) -> Self {
                Self::$area(code)
            }
        }

        impl PartialEq<$area> for $crate::model::code::Code {
            fn eq(&self, other: &$area) -> bool {
                matches!(self, Self::$area(code) if code == other)
            }
        }
    };
}
pub(super) use codes;
