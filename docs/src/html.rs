//! HTML in one line.
//!
//! Shows: Markdown takes a block of HTML up to the next empty line, so that a listing with an empty
//! line in it has to write its line ends as `&#10;`.

/// Appends to a string: `put!(html, "<p>{}</p>", text)`.
macro_rules! put {
    ($html:expr, $($what:tt)*) => {
        std::fmt::Write::write_fmt(&mut $html, format_args!($($what)*)).expect("a string takes all")
    };
}
pub(crate) use put;

/// Text between tags, or between the quotes of an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Text with the code between backticks as `<code>`.
pub(crate) fn with_code(text: &str) -> String {
    let mut html = String::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            html.push_str("<code>");
            html.push_str(&escape(part));
            html.push_str("</code>");
        } else {
            html.push_str(&escape(part));
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_escaped_can_end_a_tag_an_attribute_or_a_block() {
        assert_eq!(escape("a<b>&\"\n\n"), "a&lt;b&gt;&amp;&quot;&#10;&#10;");
        assert_eq!(with_code("`a<b` c"), "<code>a&lt;b</code> c");
    }
}
