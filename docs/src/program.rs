//! The program: its arguments, and what each of them does.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::problem::Problem;
use crate::{Book, Workspace, build};

const EXAMPLES: &str = "Examples:
  cargo run -p docs -- serve --open    reads the book in a browser
  cargo run -p docs -- build           builds it into target/book
  cargo run -p docs -- check           says what is wrong with it";

/// Build, check or serve the book
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    /// Another workspace than the one that this program belongs to
    #[arg(long, global = true, hide = true, value_name = "DIR")]
    root: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the book
    Build {
        /// Directory to build into; what is in it is replaced [default: target/book]
        #[arg(long, value_name = "DIR")]
        dest: Option<PathBuf>,

        /// Let its pages ask their server for news
        #[arg(long, hide = true)]
        live_reload: bool,
    },
    /// Say what is wrong with the book: missing anchors, links, sections, figures
    Check,
}

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    chapter::exit("docs", run(&Args::parse()))
}

fn run(args: &Args) -> io::Result<()> {
    let root = args.root.clone().unwrap_or_else(own_root);
    match &args.command {
        Command::Build { dest, live_reload } => {
            let book = read(&root)?;
            refuse(&book.mistakes())?;
            let dest = dest.clone().unwrap_or_else(|| default_destination(&root));
            build::build(&book, &dest, *live_reload).map_err(|err| about(&dest, &err))?;
            println!("{}", dest.join("index.html").display());
            Ok(())
        }
        Command::Check => {
            let book = read(&root)?;
            refuse(
                &book
                    .check()
                    .map_err(|err| io::Error::other(chapter::why(&err)))?,
            )?;
            println!("{} pages, nothing is wrong", book.pages().len());
            Ok(())
        }
    }
}

fn read(root: &Path) -> io::Result<Book> {
    Book::read(Workspace::new(root))
}

/// The workspace that this program belongs to.
fn own_root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

fn default_destination(root: &Path) -> PathBuf {
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join("book")
}

fn about(path: &Path, err: &io::Error) -> io::Error {
    io::Error::new(
        err.kind(),
        format!("{}: {}", path.display(), chapter::why(err)),
    )
}

/// Prints all problems, a line each; any is an error.
fn refuse(problems: &[Problem]) -> io::Result<()> {
    for problem in problems {
        eprintln!("docs: {problem}");
    }
    match problems.len() {
        0 => Ok(()),
        1 => Err(io::Error::other("the book: one mistake")),
        count => Err(io::Error::other(format!("the book: {count} mistakes"))),
    }
}
