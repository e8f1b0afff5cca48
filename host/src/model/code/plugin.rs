//! Plugins that run: what they did that they may not, and the limits that stopped them.

use crate::model::code::table::codes;

codes! {
    Plugin: "A plugin broke the contract or a limit.";

    Trapped = "plugin.trapped" {
        meaning: "The plugin crashed; the provider's answer is kept if it may hold a token.",
        remedy: "Report it to the plugin's author, and read kept answers with a newer one: `keepfresh plugin replay CONNECTION`.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    Failed = "plugin.failed" {
        meaning: "The plugin broke the contract and was stopped.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    OutputInvalid = "plugin.output_invalid" {
        meaning: "The plugin returned something that cannot be used; nothing was saved.",
        remedy: "Report it to the plugin's author, and read kept answers with a newer one: `keepfresh plugin replay CONNECTION`.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    StackOverflow = "plugin.stack_overflow" {
        meaning: "The plugin recursed until its stack was full.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    DeadlineExceeded = "plugin.deadline_exceeded" {
        meaning: "The call took longer than the provider's `timeout` and was stopped.",
        remedy: "Give the provider a longer `timeout`, or report it to the plugin's author.",
        exit: Failed, retryable: true, acts: Operator,
    }
    CpuExceeded = "plugin.cpu_exceeded" {
        meaning: "The plugin used more processor time than a call may.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    MemoryExceeded = "plugin.memory_exceeded" {
        meaning: "The plugin asked for more memory than it may have.",
        remedy: "Grant it `memory:256MiB` if it brings a language runtime, else report it to its author.",
        exit: Failed, retryable: true, acts: Operator,
    }
    HostMemoryExceeded = "plugin.host_memory_exceeded" {
        meaning: "The plugin made Keepfresh hold more answers and secrets for it than a call may.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    ResourcesExceeded = "plugin.resources_exceeded" {
        meaning: "The plugin holds more handles or secrets than a call may.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    HostcallTooLarge = "plugin.hostcall_too_large" {
        meaning: "The plugin passed more to Keepfresh at once than it may.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    SecretTooLarge = "plugin.secret_too_large" {
        meaning: "The plugin made or took a secret that is longer than it may be.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    SecretUnfit = "plugin.secret_unfit" {
        meaning: "A secret has a character in it that a header cannot hold.",
        remedy: "Correct the secret: a line break at its end is the usual reason.",
        exit: Person, retryable: false, acts: Operator,
    }
    SigningUndeclared = "plugin.signing_undeclared" {
        meaning: "The plugin signs with something that it does not declare to sign with.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    LogLimited = "plugin.log_limited" {
        meaning: "The plugin logged more lines than a call may; the others were dropped.",
        remedy: "Report it to the plugin's author, if a line is missed.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
}
