//! An operator's first day: each sentence that somebody could say after it, as a test. `docs/first-day.md` has the
//! list.

/// "I made a typo in the manifest, and every caller broke though the daemon ran on."
mod typo;

/// "I asked for the status before there was a key, and then `init` refused."
mod start;

/// "The daemon was dead, and everything said that all was well."
mod health;

/// "Two pages said two things."
mod truths;

/// "Which keys are there, and what holds now?"
mod reference;

/// "How do I add a provider, and where does the manifest belong?"
mod adding;
