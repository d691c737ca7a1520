//! The whole book: its pages, what they use, and what is wrong with it.

use std::collections::BTreeSet;
use std::io;

use crate::check;
use crate::page::Page;
use crate::problem::{Problem, Problems};
use crate::render::{self, Ids, Rendered};
use crate::workspace::{PAGES, Workspace, has_ending};

/// The table of contents.
pub(crate) const SUMMARY: &str = "SUMMARY.md";

/// The pages as they are on disk.
#[derive(Debug)]
pub struct Book {
    pub(crate) workspace: Workspace,
    /// By name.
    pub(crate) pages: Vec<Page>,
    /// As many as there are pages, in the same order.
    pub(crate) rendered: Vec<Rendered>,
    pub(crate) summary: Page,
    problems: Problems,
}

impl Book {
    /// Reads and renders all pages.
    ///
    /// # Errors
    ///
    /// If a file cannot be read; what is wrong with a page is no error here.
    pub fn read(workspace: Workspace) -> io::Result<Self> {
        let problems = Problems::default();
        let summary = read_page(&workspace, SUMMARY)?;
        let mut names = BTreeSet::new();
        for entry in std::fs::read_dir(workspace.root().join(PAGES))? {
            let name = entry?.file_name();
            if let Some(name) = name.to_str()
                && has_ending(name, &["md"])
                && name != SUMMARY
            {
                names.insert(name.to_owned());
            }
        }
        let pages = names
            .iter()
            .map(|name| read_page(&workspace, name))
            .collect::<io::Result<Vec<_>>>()?;
        let ids: Ids = pages
            .iter()
            .map(|page| (page.name.clone(), render::ids(page)))
            .collect();
        let rendered = pages
            .iter()
            .map(|page| render::render(&workspace, page, &ids, &problems))
            .collect();
        Ok(Self {
            workspace,
            pages,
            rendered,
            summary,
            problems,
        })
    }

    /// The pages, by name.
    #[must_use]
    pub fn pages(&self) -> &[Page] {
        &self.pages
    }

    /// What makes it impossible to build the book: what a page names and is not there.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Problem> {
        self.problems.sorted()
    }

    /// All that is wrong: the mistakes, and what a reader would miss.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn check(&self) -> io::Result<Vec<Problem>> {
        check::check(self, &self.problems)?;
        Ok(self.problems.sorted())
    }
}

fn read_page(workspace: &Workspace, name: &str) -> io::Result<Page> {
    let path = format!("{PAGES}/{name}");
    let text = std::fs::read_to_string(workspace.root().join(&path))
        .map_err(|err| io::Error::new(err.kind(), format!("{path}: {}", chapter::why(&err))))?;
    Ok(Page::new(name, text))
}
