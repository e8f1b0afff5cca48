//! From a file to a program: counted, compiled in a child process, cached, and asked to describe
//! itself.

/// Checks a file and makes a program of it.
pub(in crate::sandbox) mod load;

/// Counts what a component is made of before it is compiled.
pub(in crate::sandbox) mod census;

/// Compiles in a child with limits.
pub(in crate::sandbox) mod compiler;

/// Compiled components, kept beside the database.
pub(in crate::sandbox) mod cache;

/// What a plugin says about itself, believed only where it makes sense.
pub(in crate::sandbox) mod descriptor;
