//! Plugin files: reading, approving and compiling them.

use crate::model::code::table::codes;

codes! {
    PluginFile: "A plugin file is not used.";

    Missing = "plugin.missing" {
        meaning: "The plugin's file is not in the plugin folder, or not loaded.",
        remedy: "Put the file into the plugin folder, or name another one with `plugin`.",
        exit: Person, retryable: false, acts: Operator,
    }
    Unreadable = "plugin.unreadable" {
        meaning: "The plugin's file cannot be read.",
        remedy: "Correct its permissions, or put it there anew.",
        exit: Person, retryable: false, acts: Operator,
    }
    Refused = "plugin.refused" {
        meaning: "A file of the plugin folder is not used; the message says why.",
        remedy: "Replace the file by a plugin that works, or remove it.",
        exit: Person, retryable: false, acts: Operator,
    }
    NotWasm = "plugin.not_wasm" {
        meaning: "The file is not a WebAssembly component.",
        remedy: "Put the plugin there anew: it may be a download that broke off, or another file.",
        exit: Person, retryable: false, acts: Operator,
    }
    CoreModule = "plugin.core_module" {
        meaning: "The file is a core module and not a component.",
        remedy: "Make a component of it with `wasm-tools component new`.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    TooLarge = "plugin.too_large" {
        meaning: "The file is larger than a plugin may be.",
        remedy: "Ask the plugin's author for a smaller build.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    TooComplex = "plugin.too_complex" {
        meaning: "Compiling the plugin would take too much, by what it is made of.",
        remedy: "Ask the plugin's author for a smaller build.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    ImportDenied = "plugin.import_denied" {
        meaning: "The plugin imports something that plugins do not get, or only with a grant.",
        remedy: "Use another build, or give the grant that the message names.",
        exit: Person, retryable: false, acts: Operator,
    }
    ExportMissing = "plugin.export_missing" {
        meaning: "The component does not export what a plugin must have.",
        remedy: "Use a build that implements `keepfresh:provider`.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    ContractMismatch = "plugin.contract_mismatch" {
        meaning: "The plugin does not fit this version of the contract.",
        remedy: "Use a build for this version of Keepfresh.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    DescriptorInvalid = "plugin.descriptor_invalid" {
        meaning: "The plugin describes itself in a way that cannot be right.",
        remedy: "Report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    CompileFailed = "plugin.compile_failed" {
        meaning: "The compiler does not take the plugin.",
        remedy: "Put the file there anew, or report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    CompileMemoryExceeded = "plugin.compile_memory_exceeded" {
        meaning: "Compiling the plugin takes more memory than it may.",
        remedy: "Ask the plugin's author for a smaller build.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    CompileCpuExceeded = "plugin.compile_cpu_exceeded" {
        meaning: "Compiling the plugin takes more processor time than it may.",
        remedy: "Ask the plugin's author for a smaller build.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    CompileDeadlineExceeded = "plugin.compile_deadline_exceeded" {
        meaning: "Compiling the plugin took too long and was stopped.",
        remedy: "When this machine is less busy, reload with SIGHUP or run the command again.",
        exit: Person, retryable: true, acts: Operator,
    }
    CompilerKilled = "plugin.compiler_killed" {
        meaning: "A signal ended the process that compiles the plugin.",
        remedy: "Give the system more memory if it is short of it, then reload with SIGHUP or run the command again.",
        exit: Person, retryable: true, acts: Operator,
    }
    CompilerNotStarted = "plugin.compiler_not_started" {
        meaning: "The process that compiles plugins cannot be started.",
        remedy: "Let the service run the program itself, then reload with SIGHUP or run the command again.",
        exit: Person, retryable: true, acts: Operator,
    }
    CompilerGaveUp = "plugin.compiler_gave_up" {
        meaning: "The process that compiles the plugin ended with an error.",
        remedy: "Read the message, then reload with SIGHUP or run the command again.",
        exit: Person, retryable: true, acts: Operator,
    }
    CompilerDamaged = "plugin.compiler_damaged" {
        meaning: "The answer of the process that compiles the plugin is damaged and is not used.",
        remedy: "Reload with SIGHUP or run the command again.",
        exit: Person, retryable: true, acts: Operator,
    }
    CacheDamaged = "plugin.cache_damaged" {
        meaning: "A compiled plugin in the cache does not fit its seal and is compiled again.",
        remedy: "Find out who changes files in the data folder, if it happens again.",
        exit: Failed, retryable: true, acts: Operator,
    }
    LockDamaged = "plugin.lock_damaged" {
        meaning: "`keepfresh.lock` cannot be read, so nobody knows which plugins were approved.",
        remedy: "Restore it, or look at each plugin with `keepfresh plugin inspect` and remove it.",
        exit: Person, retryable: false, acts: Operator,
    }
    LockUnwritable = "plugin.lock_unwritable" {
        meaning: "`keepfresh.lock` cannot be written, so an approval is not kept.",
        remedy: "Let Keepfresh write to the folder of the lock file, and to the file.",
        exit: Failed, retryable: false, acts: Operator,
    }
    PermissionsWidened = "plugin.permissions_widened" {
        meaning: "The plugin asks for more than was approved.",
        remedy: "Look at it with `keepfresh plugin inspect`, then run the command that it shows.",
        exit: Person, retryable: false, acts: Operator,
    }
    DigestNeeded = "plugin.digest_needed" {
        meaning: "A plugin is approved by its digest, and none was given.",
        remedy: "Look at the file with `keepfresh plugin inspect`, then run the command that it shows.",
        exit: Usage, retryable: false, acts: Operator,
    }
    DigestMismatch = "plugin.digest_mismatch" {
        meaning: "The file is not the one that was looked at.",
        remedy: "Look at it anew with `keepfresh plugin inspect`.",
        exit: Failed, retryable: false, acts: Operator,
    }
}
