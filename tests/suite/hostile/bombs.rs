//! Components that are made to be costly to compile, by hand: what the census finds before the compiler
//! starts, what only the limits of its process stop, and what nobody uses.

use std::fs;

use e2e::daemon::wait_until;
use serde_json::Value;

use crate::hostile::files::{listed, refused, write};
use crate::hostile::{Stage, attempt};

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// The end of every function.
const END: u8 = 0x0b;

#[test]
fn a_mebibyte_of_tiny_functions_is_not_compiled() {
    let bomb = component(&[module(262_144, &[0, END])]);
    assert!(bomb.len() > 1 << 20 && bomb.len() < 2 << 20, "{}", bomb.len());
    refused(|home| write(home, &bomb)).is(
        "plugin.too_complex",
        "odd.wasm has 262144 functions; the limit is 50000; ask its author for a smaller build",
    );
}

#[test]
fn one_huge_function_is_not_compiled() {
    let body = [&[0], vec![0x01; 2 << 20].as_slice(), &[END]].concat();
    refused(|home| write(home, &component(&[module(1, &body)]))).is(
        "plugin.too_complex",
        "odd.wasm has 2097154 bytes in one function; the limit is 1048576; ask its author for a smaller build",
    );
}

#[test]
fn many_modules_are_not_compiled() {
    refused(|home| write(home, &component(&vec![module(1, &[0, END]); 65]))).is(
        "plugin.too_complex",
        "odd.wasm has 65 core modules; the limit is 64; ask its author for a smaller build",
    );
}

#[test]
fn a_component_that_takes_too_much_memory_to_compile_is_given_up() {
    refused(|home| write(home, &component(&[calls()]))).is(
        "plugin.compile_memory_exceeded",
        "odd.wasm takes more than 1024 MiB of memory to compile; ask its author for a smaller build",
    );
}

#[test]
fn a_daemon_goes_on_while_a_component_is_given_up() {
    let stage = Stage::new();
    let home = stage.home(&stage.section("odd"));
    let daemon = home.serve();
    write(&home, &component(&[calls()]));
    let mut refreshed = 0;
    wait_until("it is given up", || {
        let run = home.run(&["refresh", "eskiz", "--force", "--sync", "--json"]).exits(0).json();
        assert_eq!(attempt(&run["attempts"], "eskiz")["outcome"], "success", "{run:#}");
        refreshed += 1;
        daemon.log().contains("odd.wasm takes more than 1024 MiB of memory to compile")
    });
    assert!(refreshed > 1, "and not after it");
    assert!(daemon.stop().success());
}

#[test]
fn a_bomb_that_nobody_uses_costs_nothing() {
    let stage = Stage::new();
    let home = stage.home("");
    let bomb = component(&vec![calls(); 4]);
    assert!(bomb.len() > 4_000_000, "{}", bomb.len());
    write(&home, &bomb);
    let daemon = home.serve();
    let odd = listed(&home, "odd.wasm");
    assert_eq!((&odd["name"], &odd["refused"]), (&Value::Null, &Value::Null));
    assert_eq!(odd["digest"].as_str().unwrap().len(), "sha256:".len() + 64);
    let run = home.run(&["refresh", "--force", "--sync", "--json"]).exits(0).json();
    assert_eq!(attempt(&run["attempts"], "eskiz")["outcome"], "success");
    let text = home.run(&["plugin", "list"]).exits(0).stdout;
    assert!(text.contains("not used by any provider"), "{text}");
    let compiled = fs::read_dir(home.path("keepfresh.cache")).unwrap().count();
    assert_eq!(compiled, 1, "that of eskiz");
    let lock = fs::read_to_string(home.path("keepfresh.lock")).unwrap();
    assert!(!lock.contains("odd.wasm"), "{lock}");
    assert!(!daemon.log().contains("odd.wasm"), "{}", daemon.log());
}

/// A module of one function that calls half a million times: the census lets it pass, and each call is
/// two bytes in the file and two thousand in the compiler.
fn calls() -> Vec<u8> {
    let calls = [0x10, 0].repeat(500_000);
    module(1, &[&[0], calls.as_slice(), &[END]].concat())
}

/// A component that holds these modules.
fn component(modules: &[Vec<u8>]) -> Vec<u8> {
    let sections = modules.iter().flat_map(|it| section(1, it)).collect::<Vec<_>>();
    [COMPONENT, &sections].concat()
}

/// A module with so many functions of this body.
fn module(functions: usize, body: &[u8]) -> Vec<u8> {
    let list = [number(functions), vec![0; functions]].concat();
    let body = [number(body.len()).as_slice(), body].concat();
    let code = [number(functions), body.repeat(functions)].concat();
    [MODULE, &section(1, &[1, 0x60, 0, 0]), &section(3, &list), &section(10, &code)].concat()
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
