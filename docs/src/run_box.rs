//! A command for the reader.

use nix::sys::signal::Signal;

use crate::directive::{Ending, Run};
use crate::html::{self, put};

/// The command in its box, with where it is to be typed and how it ends.
pub(crate) fn html(run: &Run) -> String {
    let place = match run.terminal {
        None | Some(0 | 1) => "Run it".to_owned(),
        Some(2) => "In a second terminal".to_owned(),
        Some(3) => "In a third terminal".to_owned(),
        Some(number) => format!("In terminal {number}"),
    };
    let end = match &run.ending {
        Ending::ByItself if run.exit_code == 0 => String::new(),
        Ending::ByItself => format!("It fails, with exit code {}.", run.exit_code),
        Ending::Signal {
            signal: Signal::SIGINT,
            ..
        } => "<kbd>Ctrl</kbd>-<kbd>C</kbd> ends it.".to_owned(),
        Ending::Signal { signal, .. } => format!("{signal} ends it."),
        Ending::Keys { keys, .. } => format!("{} ends it.", keys_html(keys)),
    };
    let end = match (run.keep, end.as_str()) {
        (true, _) => format!("<span class=\"end\">Let it run. {end}</span>"),
        (false, "") => String::new(),
        (false, end) => format!("<span class=\"end\">{end}</span>"),
    };
    format!(
        "<figure class=\"run\"><figcaption>{place}{end}</figcaption><pre tabindex=\"0\">\
         <code class=\"nohighlight\">{}</code></pre></figure>",
        html::escape(&run.command)
    )
}

/// Keys as they are named on them.
fn keys_html(keys: &str) -> String {
    let mut html = String::new();
    let mut typed = String::new();
    for key in keys.chars() {
        if !key.is_control() {
            typed.push(key);
            continue;
        }
        end_typed(&mut html, &mut typed);
        let name = match key {
            '\r' | '\n' => "Enter".to_owned(),
            '\t' => "Tab".to_owned(),
            '\x1b' => "Esc".to_owned(),
            control => {
                let letter = char::from(control as u8 | 0x40);
                format!("Ctrl</kbd>-<kbd>{letter}")
            }
        };
        put!(html, " <kbd>{name}</kbd>");
    }
    end_typed(&mut html, &mut typed);
    html.trim_start().to_owned()
}

fn end_typed(keys: &mut String, typed: &mut String) {
    if !typed.is_empty() {
        put!(*keys, " <code>{}</code>", html::escape(typed));
        typed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_shown_as_they_are_named() {
        assert_eq!(
            keys_html("/quit\r\x03"),
            "<code>/quit</code> <kbd>Enter</kbd> <kbd>Ctrl</kbd>-<kbd>C</kbd>"
        );
    }
}
