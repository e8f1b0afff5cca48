//! Plugin files: reading, approving and compiling them.

use crate::model::code::table::codes;

codes! {
    PluginFile: "A plugin file or its approval is not valid.";

    Missing = "plugin.missing" {
        meaning: "The plugin's file is not in the plugin folder, or is not loaded.",
        remedy: "Put the file into the plugin folder, or choose another with `plugin`.",
        exit: Person, retryable: false, acts: Operator,
    }
    Unreadable = "plugin.unreadable" {
        meaning: "The plugin's file cannot be read.",
        remedy: "Correct its permissions, or replace it.",
        exit: Person, retryable: false, acts: Operator,
    }
    Refused = "plugin.refused" {
        meaning: "A file in the plugin folder is not used; the message says why.",
        remedy: "Replace the file with a working plugin, or remove it.",
        exit: Person, retryable: false, acts: Operator,
    }
    NotWasm = "plugin.not_wasm" {
        meaning: "The file is not a WebAssembly component.",
        remedy: "Replace the file: it may be an incomplete download, or something else.",
        exit: Person, retryable: false, acts: Operator,
    }
    CoreModule = "plugin.core_module" {
        meaning: "The file is a core WebAssembly module, not a component.",
        remedy: "Convert it to a component with `wasm-tools component new`.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    TooLarge = "plugin.too_large" {
        meaning: "The file is larger than the limit for plugins.",
        remedy: "Ask the plugin's author for a smaller build.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    TooComplex = "plugin.too_complex" {
        meaning: "The plugin is too complex to compile: it has too many functions or other parts, or one function that is too large.",
        remedy: "Ask the plugin's author for a smaller build.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    ImportDenied = "plugin.import_denied" {
        meaning: "The plugin imports an interface that plugins do not get, or only with a grant.",
        remedy: "Use another build, or give the grant that the message names.",
        exit: Person, retryable: false, acts: Operator,
    }
    ExportMissing = "plugin.export_missing" {
        meaning: "The component does not export the plugin interface.",
        remedy: "Use a build that implements `keepfresh:provider`.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    ContractMismatch = "plugin.contract_mismatch" {
        meaning: "The plugin was built for another version of the contract.",
        remedy: "Use a build for this version of Keepfresh.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    DescriptorInvalid = "plugin.descriptor_invalid" {
        meaning: "The plugin's descriptor is not valid.",
        remedy: "Report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    CompileFailed = "plugin.compile_failed" {
        meaning: "The plugin does not compile.",
        remedy: "Replace the file, or report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    CompileMemoryExceeded = "plugin.compile_memory_exceeded" {
        meaning: "Compiling the plugin exceeded the memory limit.",
        remedy: "Ask the plugin's author for a smaller build.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    CompileCpuExceeded = "plugin.compile_cpu_exceeded" {
        meaning: "Compiling the plugin exceeded the CPU limit.",
        remedy: "Ask the plugin's author for a smaller build.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    CompileDeadlineExceeded = "plugin.compile_deadline_exceeded" {
        meaning: "Compiling the plugin timed out.",
        remedy: "When this machine is less busy, reload with SIGHUP or run the command again.",
        exit: Person, retryable: true, acts: Operator,
    }
    CompilerKilled = "plugin.compiler_killed" {
        meaning: "A signal killed the compiler process.",
        remedy: "If the system is short of memory, add some, then reload with SIGHUP or run the command again.",
        exit: Person, retryable: true, acts: Operator,
    }
    CompilerNotStarted = "plugin.compiler_not_started" {
        meaning: "The compiler process cannot be started.",
        remedy: "Allow the service to execute its own binary, then reload with SIGHUP or run the command again.",
        exit: Person, retryable: true, acts: Operator,
    }
    CompilerGaveUp = "plugin.compiler_gave_up" {
        meaning: "The compiler process exited with an error.",
        remedy: "Read the message, then reload with SIGHUP or run the command again.",
        exit: Person, retryable: true, acts: Operator,
    }
    CompilerDamaged = "plugin.compiler_damaged" {
        meaning: "The compiler process returned a damaged result, which is not used.",
        remedy: "Reload with SIGHUP or run the command again.",
        exit: Person, retryable: true, acts: Operator,
    }
    CacheDamaged = "plugin.cache_damaged" {
        meaning: "A compiled plugin in the cache does not match its seal and is compiled again.",
        remedy: "If it happens again, find out what changes files in the data folder.",
        exit: Failed, retryable: true, acts: Operator,
    }
    LockDamaged = "plugin.lock_damaged" {
        meaning: "`keepfresh.lock` cannot be read, so it is not known which plugins were approved.",
        remedy: "Restore it, or check each plugin with `keepfresh plugin inspect` and delete `keepfresh.lock`.",
        exit: Person, retryable: false, acts: Operator,
    }
    LockUnwritable = "plugin.lock_unwritable" {
        meaning: "`keepfresh.lock` cannot be written, so the approval was not stored.",
        remedy: "Give Keepfresh permission to write the file and its folder.",
        exit: Failed, retryable: false, acts: Operator,
    }
    PermissionsWidened = "plugin.permissions_widened" {
        meaning: "The plugin asks for more than was approved.",
        remedy: "Check it with `keepfresh plugin inspect`, then run the command that it prints.",
        exit: Person, retryable: false, acts: Operator,
    }
    DigestNeeded = "plugin.digest_needed" {
        meaning: "A plugin is approved by its digest, and no digest was given.",
        remedy: "Check the file with `keepfresh plugin inspect`, then run the command that it prints.",
        exit: Usage, retryable: false, acts: Operator,
    }
    DigestMismatch = "plugin.digest_mismatch" {
        meaning: "The digest does not match the file, which has changed since it was inspected.",
        remedy: "Inspect it again with `keepfresh plugin inspect`.",
        exit: Failed, retryable: false, acts: Operator,
    }
}
