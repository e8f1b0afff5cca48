//! Collects what is wrong while the tree is read, so that one reading finds everything.

use std::cell::RefCell;
#[cfg(test)]
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::place::{Lines, Place};
#[cfg(test)]
use crate::manifest::reference::Section;
use crate::model::code;

/// Why a value is refused; the reader adds where it is and of what.
pub(super) struct Fault {
    pub(super) code: code::Manifest,
    pub(super) label: String,
    pub(super) help: String,
}

impl Fault {
    pub(super) fn new(
        code: code::Manifest,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { code, label: label.into(), help: help.into() }
    }
}

/// The problems of one file. Shared by every table that is being read, hence the cells.
pub(super) struct Problems<'t> {
    path: &'t Path,
    lines: Lines<'t>,
    found: RefCell<Vec<Diagnostic>>,
    hidden: RefCell<Vec<Place>>,
    /// Keys that were asked for, so that a test can compare them with the reference.
    #[cfg(test)]
    asked: RefCell<BTreeSet<(Section, String)>>,
}

impl<'t> Problems<'t> {
    pub(super) fn new(text: &'t str, path: &'t Path) -> Self {
        let (found, hidden) = (RefCell::default(), RefCell::default());
        Self {
            path,
            lines: Lines::new(text),
            found,
            hidden,
            #[cfg(test)]
            asked: RefCell::default(),
        }
    }

    #[cfg(test)]
    pub(super) fn asked_for(&self, section: Section, key: &str) {
        self.asked.borrow_mut().insert((section, key.to_owned()));
    }

    #[cfg(test)]
    pub(super) fn asked(&self) -> BTreeSet<(Section, String)> {
        self.asked.borrow().clone()
    }

    pub(super) fn lines(&self) -> &Lines<'t> {
        &self.lines
    }

    pub(super) fn report(&self, at: Range<usize>, message: &str, fault: &Fault) {
        let place = self.lines.place(at);
        let problem = Diagnostic::new(fault.code, self.path, place, message, &fault.help);
        self.found.borrow_mut().push(problem.with_label(&fault.label));
    }

    /// Keeps places out of every rendering, also of other problems on the same line.
    pub(super) fn hide(&self, places: &[Place]) {
        self.hidden.borrow_mut().extend(places);
    }

    /// The manifest, if nothing was found.
    pub(super) fn finish<T>(self, manifest: T) -> Result<T, Vec<Diagnostic>> {
        let found = self.into_found();
        if found.is_empty() { Ok(manifest) } else { Err(found) }
    }

    /// What was found, in the order of the file.
    pub(super) fn into_found(self) -> Vec<Diagnostic> {
        let hidden = self.hidden.into_inner();
        let mut found = self.found.into_inner();
        found.sort_by_key(|it| it.place);
        found.into_iter().map(|it| it.hiding(&hidden)).collect()
    }
}
