//! A claim of the claims program: what is believed, the question, and folded what the kernel did.

use claims::{Claim, Sentence};

use crate::html::{escape, put, with_code};
use crate::transcript;
use crate::workspace::Workspace;

/// Where the program's tests keep what it printed.
const TRANSCRIPTS: &str = "claims/tests/transcripts";

/// The id by which a page links to a claim.
pub(crate) fn id(name: &str) -> String {
    format!("claim-{name}")
}

/// The files of the workspace that the box links to.
pub(crate) fn files(name: &str) -> Vec<String> {
    let places = find(name).into_iter().flat_map(|claim| claim.code);
    let mut files: Vec<_> = places.map(|place| place.file.to_owned()).collect();
    files.push(format!("{TRANSCRIPTS}/{name}.txt"));
    files
}

fn find(name: &str) -> Option<&'static Claim> {
    claims::ALL.into_iter().find(|claim| claim.name == name)
}

/// The box.
///
/// # Errors
///
/// If there is no such claim, its transcript is missing, or a line that it points to has gone.
pub(crate) fn html(workspace: &Workspace, name: &str) -> Result<String, String> {
    let claim = find(name).ok_or_else(|| {
        format!("claim {name}: no such claim; cargo run -p claims lists them by name")
    })?;
    let id = id(name);
    let number = claim.number;
    let mut html = format!(
        "<section class=\"claim\" id=\"{id}\"><p class=\"claim-title\"><a href=\"#{id}\">Claim \
         {number}</a> <code class=\"nohighlight\">{name}</code></p>"
    );
    for (heading, sentences) in claim.believed() {
        put!(html, "<p class=\"claim-source\">{heading}</p>");
        for sentence in sentences {
            html.push_str(&believed(sentence));
        }
    }
    put!(
        html,
        "<p class=\"question\">{}</p><ol class=\"answers\">",
        with_code(claim.question)
    );
    for answer in claim.answers {
        put!(html, "<li>{}</li>", with_code(answer));
    }
    put!(
        html,
        "</ol><p class=\"try\">Guess, then ask your own kernel: \
         <code class=\"nohighlight\">cargo run -p claims -- {number}</code></p>"
    );
    html.push_str(&answer(workspace, claim)?);
    html.push_str("</section>");
    Ok(html)
}

fn believed(sentence: &Sentence) -> String {
    let original = sentence.original.map_or_else(String::new, |original| {
        format!("<p lang=\"zh\">{}</p>", with_code(original))
    });
    format!(
        "<blockquote>{original}<p>{}</p></blockquote>",
        with_code(sentence.english)
    )
}

/// What is folded.
fn answer(workspace: &Workspace, claim: &Claim) -> Result<String, String> {
    let (letter, right) = claim
        .lettered()
        .find(|(letter, _)| *letter == claim.answer)
        .ok_or_else(|| format!("claim {}: no answer is right", claim.name))?;
    let mut html = format!(
        "<details><summary>What the kernel did</summary><p><strong>{letter}) {}</strong></p>\
         <p>{}</p>{}<p class=\"claim-part\">Verdict</p><ul class=\"verdicts\">",
        with_code(right),
        with_code(claim.does),
        observed(workspace, claim.name)?
    );
    for sentence in claim.sentences {
        let verdict = sentence.verdict.to_string();
        put!(
            html,
            "<li><span class=\"verdict {verdict}\">{verdict}</span> {}</li>",
            with_code(sentence.english)
        );
    }
    put!(
        html,
        "</ul><p class=\"claim-part\">Lesson</p><p>{}</p>\
         <p class=\"claim-part\">In our own code</p><ul>",
        with_code(claim.lesson)
    );
    for place in claim.code {
        let file = escape(place.file);
        let line = line_of(workspace, claim.name, place.file, place.text)?;
        put!(
            html,
            "<li><a href=\"source/{file}.html#L{line}\">{file}:{line}</a>: {}</li>",
            with_code(place.why)
        );
    }
    html.push_str("</ul><p class=\"claim-part\">Sources</p><ul>");
    for source in claim.sources {
        put!(html, "<li>{}</li>", with_code(source));
    }
    html.push_str("</ul></details>");
    Ok(html)
}

/// What the program printed of the kernel's answers.
fn observed(workspace: &Workspace, name: &str) -> Result<String, String> {
    let path = format!("{TRANSCRIPTS}/{name}.txt");
    let source = workspace
        .source(&path)
        .ok_or_else(|| format!("claim {name}: {path}: no such file"))?;
    let lines: Vec<_> = source
        .text
        .lines()
        .skip_while(|line| !line.starts_with("What the kernel did"))
        .take_while(|line| !line.trim_start().starts_with("So the answer is"))
        .collect();
    let [heading, observed @ ..] = lines.as_slice() else {
        return Err(format!(
            "claim {name}: {path}: does not say what the kernel did"
        ));
    };
    let unindented: Vec<_> = observed
        .iter()
        .map(|line| line.strip_prefix("  ").unwrap_or(line))
        .collect();
    let kernel = heading
        .split_once('(')
        .and_then(|(_, kernel)| kernel.strip_suffix(')'))
        .unwrap_or("Linux");
    Ok(format!(
        "<figure class=\"transcript\"><figcaption><a href=\"source/{path}.html\" \
         title=\"Open the whole file\">{path}</a>, {}; figures with ~ vary</figcaption>{}</figure>",
        escape(kernel),
        transcript::console(&unindented)
    ))
}

/// The line of a place as it is now; the claims program knows where it was when it was compiled.
fn line_of(workspace: &Workspace, claim: &str, file: &str, text: &str) -> Result<usize, String> {
    let gone = || format!("claim {claim}: {file}: no line has {text:?} any more");
    let source = workspace.source(file).ok_or_else(gone)?;
    let at = source.text.find(text).ok_or_else(gone)?;
    Ok(source.text[..at].matches('\n').count() + 1)
}
