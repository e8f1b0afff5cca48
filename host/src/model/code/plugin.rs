//! Running plugins: what they did that is not allowed, and the limits that stopped them.

use crate::model::code::table::codes;

codes! {
    Plugin: "A plugin violated the contract or exceeded a limit.";

    Trapped = "plugin.trapped" {
        meaning: "The plugin crashed; the provider's answer is stored if it may contain a token.",
        remedy: "Report it to the plugin's author, and read the stored answer with a newer version: `keepfresh plugin replay CONNECTION`.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    Failed = "plugin.failed" {
        meaning: "The plugin violated the contract and was stopped.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    OutputInvalid = "plugin.output_invalid" {
        meaning: "The plugin returned an invalid result; nothing was saved.",
        remedy: "Report it to the plugin's author, and read the stored answer with a newer version: `keepfresh plugin replay CONNECTION`.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    StackOverflow = "plugin.stack_overflow" {
        meaning: "The plugin overflowed its stack.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    DeadlineExceeded = "plugin.deadline_exceeded" {
        meaning: "The call exceeded the provider's `timeout` and was stopped.",
        remedy: "Increase the provider's `timeout`, or report it to the plugin's author.",
        exit: Failed, retryable: true, acts: Operator,
    }
    CpuExceeded = "plugin.cpu_exceeded" {
        meaning: "The plugin exceeded the CPU time of a call.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    MemoryExceeded = "plugin.memory_exceeded" {
        meaning: "The plugin exceeded its memory limit.",
        remedy: "Grant it `memory:256MiB` if it includes a language runtime; otherwise report it to its author.",
        exit: Failed, retryable: true, acts: Operator,
    }
    HostMemoryExceeded = "plugin.host_memory_exceeded" {
        meaning: "The plugin exceeded the memory that Keepfresh holds for the answers and secrets of a call.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    ResourcesExceeded = "plugin.resources_exceeded" {
        meaning: "The plugin exceeded the number of handles or secrets per call.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    HostcallTooLarge = "plugin.hostcall_too_large" {
        meaning: "The plugin passed too much data to Keepfresh in one call.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    SecretTooLarge = "plugin.secret_too_large" {
        meaning: "The plugin composed or read a secret that is longer than the limit.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    SecretUnfit = "plugin.secret_unfit" {
        meaning: "A secret contains a character that is not allowed in a header.",
        remedy: "Correct the secret; the usual cause is a line break at its end.",
        exit: Person, retryable: false, acts: Operator,
    }
    SigningUndeclared = "plugin.signing_undeclared" {
        meaning: "The plugin tried to sign with a key that it does not declare.",
        remedy: "Report it to the plugin's author.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    LogLimited = "plugin.log_limited" {
        meaning: "The plugin logged more lines than a call may; the rest were dropped.",
        remedy: "Report it to the plugin's author if you need these lines.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
}
