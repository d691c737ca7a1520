//! Console output, as a file that a test compares has it.

use crate::html::{self, put};
use crate::workspace::Workspace;

/// The output under its caption.
///
/// # Errors
///
/// If there is no such file, no test could know it, or it has no such lines.
pub(crate) fn html(
    workspace: &Workspace,
    path: &str,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<String, String> {
    let source = workspace
        .source(path)
        .ok_or_else(|| format!("transcript {path}: no such file in the workspace"))?;
    if !path.split('/').any(|directory| directory == "tests") {
        return Err(format!(
            "transcript {path}: not in a directory tests, so no test compares it"
        ));
    }
    let lines: Vec<_> = source.text.lines().collect();
    let missing = |text: &str| format!("transcript {path}: no line has {text:?}");
    let begin = match from {
        None => 0,
        Some(text) => lines
            .iter()
            .position(|line| line.contains(text))
            .ok_or_else(|| missing(text))?,
    };
    let end = match to {
        None => lines.len(),
        Some(text) => {
            let rest = lines.get(begin + 1..).unwrap_or_default();
            let found = rest.iter().position(|line| line.contains(text));
            begin
                + 2
                + found.ok_or_else(|| format!("{} after line {}", missing(text), begin + 1))?
        }
    };
    let shown = &lines[begin..end];
    let path = html::escape(path);
    Ok(format!(
        "<figure class=\"transcript\"><figcaption><a href=\"source/{path}.html#L{}\" \
         title=\"Open the whole file\">{path}</a></figcaption>{}</figure>",
        begin + 1,
        console(shown)
    ))
}

/// Lines of a console; a command is told from what it printed.
pub(crate) fn console(lines: &[&str]) -> String {
    let mut html = "<pre class=\"console\" tabindex=\"0\"><code class=\"nohighlight\">".to_owned();
    for line in lines {
        let escaped = html::escape(line);
        if line.starts_with("$ ") {
            put!(html, "<b class=\"command\">{escaped}</b>");
        } else {
            html.push_str(&escaped);
        }
        html.push_str("&#10;");
    }
    html.push_str("</code></pre>");
    html
}
