//! What a component is made of, counted before anything is compiled: a mebibyte can hold a quarter of a
//! million functions, and each costs the compiler far more than the four bytes that it takes. One walk
//! over the file, which reads how long and how many, and no instruction.
//!
//! A file that passes may still be costly. What compiling really takes is limited where it is done, in
//! the [compiler](crate::sandbox::loading::compiler)'s process.

use wasmparser::{Encoding, Parser, Payload};

/// Core modules. A Python plugin has 14, and one more for each native library that it brings. A call
/// has room for as many instances.
const MAX_MODULES: u64 = 64;

/// Components, the outermost too. Toolchains make one for each exported interface.
const MAX_COMPONENTS: u64 = 64;

/// Functions of all modules together. A whole JavaScript has 20 thousand, Python 13 thousand. A
/// function that does nothing still costs the compiler 4 KiB and a twentieth of a millisecond.
const MAX_FUNCTIONS: u64 = 50_000;

/// Bytes of one function. The longest of Python has 427 thousand; some steps of the compiler take more
/// than twice as long for a function of twice the length.
const MAX_BODY: u64 = 1 << 20;

/// Types, imports, exports, globals, segments and whatever else stands in a list. Python has 12
/// thousand.
const MAX_ITEMS: u64 = 100_000;

/// What there is too much of. Counted no further than to where it was too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{count} {what}; the limit is {limit}")]
pub struct Excess {
    what: &'static str,
    count: u64,
    limit: u64,
}

/// Why a file is not compiled.
#[derive(Debug)]
pub(in crate::sandbox) enum Objection {
    /// It is too much.
    Excess(Excess),
    /// It cannot be read, in the parser's words.
    Malformed(String),
}

/// What was counted so far.
#[derive(Default)]
struct Census {
    modules: u64,
    components: u64,
    functions: u64,
    items: u64,
}

/// Looks for a reason not to compile the component in `bytes`.
pub(in crate::sandbox) fn check(bytes: &[u8]) -> Result<(), Objection> {
    let mut census = Census::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|it| Objection::Malformed(it.to_string()))?;
        census.count(&payload).map_err(Objection::Excess)?;
    }
    Ok(())
}

impl Census {
    fn count(&mut self, payload: &Payload<'_>) -> Result<(), Excess> {
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } => {
                add(&mut self.modules, 1, "core modules", MAX_MODULES)
            }
            Payload::Version { encoding: Encoding::Component, .. } => {
                add(&mut self.components, 1, "nested components", MAX_COMPONENTS)
            }
            Payload::CodeSectionStart { count, .. } => {
                add(&mut self.functions, (*count).into(), "functions", MAX_FUNCTIONS)
            }
            Payload::CodeSectionEntry(body) => {
                let length = body.range().len() as u64;
                add(&mut 0, length, "bytes in one function", MAX_BODY)
            }
            other => add(
                &mut self.items,
                items(other).into(),
                "types, imports, exports and similar items",
                MAX_ITEMS,
            ),
        }
    }
}

fn add(sum: &mut u64, more: u64, what: &'static str, limit: u64) -> Result<(), Excess> {
    *sum = sum.saturating_add(more);
    if *sum > limit { Err(Excess { what, count: *sum, limit }) } else { Ok(()) }
}

/// How many entries a section says it has.
fn items(payload: &Payload<'_>) -> u32 {
    match payload {
        Payload::TypeSection(it) => it.count(),
        Payload::ImportSection(it) => it.count(),
        Payload::TableSection(it) => it.count(),
        Payload::MemorySection(it) => it.count(),
        Payload::TagSection(it) => it.count(),
        Payload::GlobalSection(it) => it.count(),
        Payload::ExportSection(it) => it.count(),
        Payload::ElementSection(it) => it.count(),
        Payload::DataSection(it) => it.count(),
        Payload::InstanceSection(it) => it.count(),
        Payload::CoreTypeSection(it) => it.count(),
        Payload::ComponentInstanceSection(it) => it.count(),
        Payload::ComponentAliasSection(it) => it.count(),
        Payload::ComponentTypeSection(it) => it.count(),
        Payload::ComponentCanonicalSection(it) => it.count(),
        Payload::ComponentImportSection(it) => it.count(),
        Payload::ComponentExportSection(it) => it.count(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    const MODULE: &[u8] = b"\0asm\x01\0\0\0";

    /// What is said of a component that holds these modules.
    fn said(modules: &[Vec<u8>]) -> Option<String> {
        let sections = modules.iter().map(|it| section(1, it)).collect::<Vec<_>>().concat();
        match check(&[COMPONENT, &sections].concat()) {
            Ok(()) => None,
            Err(Objection::Excess(excess)) => Some(excess.to_string()),
            Err(Objection::Malformed(error)) => Some(error),
        }
    }

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        [&[id], number(content.len()).as_slice(), content].concat()
    }

    /// A number as WebAssembly writes it: seven bits a byte.
    fn number(mut value: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value > 0x7f {
            bytes.push(0x80 | u8::try_from(value & 0x7f).unwrap());
            value >>= 7;
        }
        bytes.push(u8::try_from(value).unwrap());
        bytes
    }

    /// A module with so many functions, each with a body of so many bytes.
    fn functions(count: usize, length: usize) -> Vec<u8> {
        let types = section(1, &[1, 0x60, 0, 0]);
        let list = section(3, &[number(count), vec![0; count]].concat());
        let body = [number(length), vec![0; length]].concat();
        let code = section(10, &[number(count), body.repeat(count)].concat());
        [MODULE, &types, &list, &code].concat()
    }

    /// A module that only lists so many types.
    fn types(count: usize) -> Vec<u8> {
        let list = [number(count), [0x60, 0, 0].repeat(count)].concat();
        [MODULE, &section(1, &list)].concat()
    }

    #[test]
    fn what_is_at_a_limit_passes() {
        assert_eq!(said(&vec![MODULE.to_vec(); 64]), None);
        assert_eq!(said(&[functions(25_000, 2), functions(25_000, 2)]), None);
        assert_eq!(said(&[functions(1, 1 << 20)]), None);
        assert_eq!(said(&[types(100_000)]), None);
    }

    #[test]
    fn what_is_over_a_limit_is_named_with_its_count() {
        let is = |modules: &[Vec<u8>], text: &str| assert_eq!(said(modules).unwrap(), text);
        is(&vec![MODULE.to_vec(); 65], "65 core modules; the limit is 64");
        is(&[functions(50_001, 2)], "50001 functions; the limit is 50000");
        is(&[functions(25_000, 2), functions(25_001, 2)], "50001 functions; the limit is 50000");
        is(&[functions(1, 1_048_577)], "1048577 bytes in one function; the limit is 1048576");
        is(
            &[types(100_001)],
            "100001 types, imports, exports and similar items; the limit is 100000",
        );
    }

    #[test]
    fn components_in_components_are_counted_before_they_are_gone_into() {
        let nested =
            (0..100).fold(COMPONENT.to_vec(), |inner, _| [COMPONENT, &section(4, &inner)].concat());
        let Err(Objection::Excess(excess)) = check(&nested) else { panic!("it passed") };
        assert_eq!(excess.to_string(), "65 nested components; the limit is 64");
    }

    #[test]
    fn a_file_that_ends_too_early_is_malformed() {
        let whole = [COMPONENT, &section(1, &functions(3, 2))].concat();
        assert!(matches!(check(&whole), Ok(())));
        let cut = &whole[..whole.len() - 1];
        assert!(matches!(check(cut), Err(Objection::Malformed(_))));
    }
}
