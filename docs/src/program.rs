//! The program: its arguments, and what each of them does.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::problem::Problem;
use crate::{Book, Workspace, build, serve};

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
        /// Directory to build into: a new one, an empty one, or an earlier book, which is replaced
        /// [default: target/book]
        #[arg(long, value_name = "DIR")]
        dest: Option<PathBuf>,

        /// Let its pages ask their server for news
        #[arg(long, hide = true)]
        live_reload: bool,
    },
    /// Build the book, show it to a browser, and build it anew on every change
    Serve {
        /// Port on this machine; 0 takes a free one
        #[arg(long, default_value_t = 3000)]
        port: u16,

        /// Open a browser
        #[arg(long)]
        open: bool,

        #[command(flatten)]
        trace: chapter::Trace,
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
            let dest = dest.clone().unwrap_or_else(|| target(&root).join("book"));
            build_into(&root, &dest, *live_reload)?;
            println!("{}", dest.join("index.html").display());
            Ok(())
        }
        Command::Serve { port, open, trace } => {
            let settings = serve::Settings {
                root: &root,
                directory: &target(&root).join("book-served"),
                port: *port,
                open: *open,
                trace: *trace,
            };
            serve::serve(&settings, |directory| build_into(&root, directory, true))
        }
        Command::Check => {
            let book = read(&root)?;
            refuse(&book.check()?)?;
            build::try_build(&book, &target(&root))?;
            match book.pages().len() {
                1 => println!("one page, nothing is wrong"),
                count => println!("{count} pages, nothing is wrong"),
            }
            Ok(())
        }
    }
}

fn build_into(root: &Path, destination: &Path, live_reload: bool) -> io::Result<()> {
    let book = read(root)?;
    refuse(&book.mistakes())?;
    build::build(&book, destination, live_reload).map_err(|err| {
        let what = format!("{}: {}", destination.display(), chapter::why(&err));
        io::Error::new(err.kind(), what)
    })
}

fn read(root: &Path) -> io::Result<Book> {
    Book::read(Workspace::new(root))
}

/// The workspace that this program belongs to.
fn own_root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// Where cargo puts what it makes.
fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// Prints all problems, a line each; any is an error.
fn refuse(problems: &[Problem]) -> io::Result<()> {
    for problem in problems {
        eprintln!("docs: {problem}");
    }
    match problems {
        [] => Ok(()),
        // The server shows it to the reader.
        [first] => Err(io::Error::other(format!("the book: one mistake: {first}"))),
        [first, others @ ..] => Err(io::Error::other(format!(
            "the book: {} mistakes, the first: {first}",
            others.len() + 1
        ))),
    }
}
