//! The program is killed while it refreshes. What it may lose is what no client can keep: a token of
//! a strict provider whose request was on its way. That it must say, and it must lose nothing else.

/// What is refreshed.
mod fleet;

/// Random moments, many times.
mod random;
