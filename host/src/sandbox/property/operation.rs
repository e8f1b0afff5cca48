//! What a plugin does in a sequence. Handles and answers are chosen by number, round and round, so that
//! every sequence makes sense.

use proptest::prelude::*;

/// One step.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// Joins pieces: a text, or a handle.
    Compose(Vec<Piece>, u8),
    /// A JWT around a handle, as the attack had it.
    WrapInJwt(usize),
    Claims(usize),
    Sign(usize, Vec<Piece>, u8),
    SignJwt(usize, u8),
    /// Sends handles, and the provider repeats them: where, and in which spelling.
    Send(Vec<usize>, u8, u8),
    Look(usize, u8),
    Take(usize, u8),
    Drop(usize),
    Log(Piece),
    /// Ends the call with these tokens; the next one begins with them.
    Finish(usize, Option<usize>),
}

/// A piece of something composed.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Text(u8),
    /// The secret that the plugin believes in.
    Guess,
    Handle(usize),
}

/// Texts that plugins compose with.
pub(super) const TEXTS: [&str; 8] = [
    "",
    "user:",
    "eyJhbGciOiJub25lIn0.",
    r#"{"sub":""#,
    r#"","exp":4102444800}"#,
    ".x",
    "Bearer ",
    "&key=%41",
];

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        3 => any::<u8>().prop_map(Piece::Text),
        1 => Just(Piece::Guess),
        4 => any::<usize>().prop_map(Piece::Handle),
    ]
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    proptest::collection::vec(piece(), 1..4)
}

pub(super) fn operation() -> impl Strategy<Value = Operation> {
    let handle = any::<usize>;
    prop_oneof![
        3 => (pieces(), any::<u8>()).prop_map(|(parts, how)| Operation::Compose(parts, how)),
        2 => handle().prop_map(Operation::WrapInJwt),
        4 => handle().prop_map(Operation::Claims),
        1 => (handle(), pieces(), any::<u8>()).prop_map(|(key, it, how)| Operation::Sign(key, it, how)),
        1 => (handle(), any::<u8>()).prop_map(|(key, claims)| Operation::SignJwt(key, claims)),
        4 => (proptest::collection::vec(handle(), 1..3), any::<u8>(), any::<u8>())
            .prop_map(|(sent, place, spelling)| Operation::Send(sent, place, spelling)),
        4 => (handle(), any::<u8>()).prop_map(|(answer, what)| Operation::Look(answer, what)),
        3 => (handle(), any::<u8>()).prop_map(|(answer, what)| Operation::Take(answer, what)),
        1 => handle().prop_map(Operation::Drop),
        1 => piece().prop_map(Operation::Log),
        1 => (handle(), proptest::option::of(handle())).prop_map(|(a, r)| Operation::Finish(a, r)),
    ]
}
