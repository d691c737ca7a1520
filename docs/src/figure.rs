//! A drawing, as a part of the page, so that it has the page's colours.

use crate::html;
use crate::workspace::{PAGES, Workspace};

/// The drawing above its caption.
///
/// # Errors
///
/// If there is no such file, or it would not fit on a narrow screen or in the dark.
pub(crate) fn html(workspace: &Workspace, file: &str, caption: &str) -> Result<String, String> {
    let path = format!("{PAGES}/figures/{file}");
    let source = workspace
        .source(&path)
        .ok_or_else(|| format!("figure {file}: no such file in {PAGES}/figures"))?;
    let mistake = |what: &str| format!("figure {file}: {what}");
    let text = source.text.as_str();
    let begin = text.find("<svg").ok_or_else(|| mistake("no <svg> in it"))?;
    let svg = without_comments(text[begin..].trim());
    let tag = &svg[..svg.find('>').ok_or_else(|| mistake("<svg has no end"))?];
    if !tag.contains("viewBox=") {
        return Err(mistake("<svg> needs a viewBox"));
    }
    if tag.contains(" width=") || tag.contains(" height=") {
        return Err(mistake(
            "<svg> has a fixed width or height, and cannot shrink",
        ));
    }
    let name = file.trim_end_matches(".svg");
    // A line end is a space to XML, and an empty line would end the block.
    let svg = with_own_ids(&svg.replace('\n', " "), name);
    let caption = html::with_code(caption);
    Ok(format!(
        "<figure class=\"drawing\" id=\"{}\">{svg}<figcaption>{caption}</figcaption></figure>",
        id(file)
    ))
}

/// The id by which a page links to a drawing.
pub(crate) fn id(file: &str) -> String {
    format!("figure-{}", file.trim_end_matches(".svg"))
}

fn without_comments(svg: &str) -> String {
    let mut text = String::new();
    let mut rest = svg;
    while let Some((before, comment)) = rest.split_once("<!--") {
        text.push_str(before);
        rest = comment.split_once("-->").map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    text
}

/// Puts the name of the file in front of each id, since two drawings on one page may both have an
/// arrow.
fn with_own_ids(svg: &str, name: &str) -> String {
    svg.replace(" id=\"", &format!(" id=\"{name}-"))
        .replace("url(#", &format!("url(#{name}-"))
        .replace("href=\"#", &format!("href=\"#{name}-"))
        .replace("aria-labelledby=\"", &format!("aria-labelledby=\"{name}-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_drawings_may_have_ids_of_one_name() {
        let svg = "<marker id=\"arrow\"/><path marker-end=\"url(#arrow)\"/>";
        assert_eq!(
            with_own_ids(svg, "turn"),
            "<marker id=\"turn-arrow\"/><path marker-end=\"url(#turn-arrow)\"/>"
        );
    }

    #[test]
    fn comments_are_left_out() {
        assert_eq!(without_comments("a<!-- b\n\n -->c<!--"), "ac");
    }
}
