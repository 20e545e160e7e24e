//! Progress on standard error, and only on a terminal. The door to the library that draws it.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line that says how far something is. Without a terminal it says nothing.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Starts a line, hidden where standard error is no terminal.
    pub fn start(label: &str, total: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        bar.set_message(label.to_owned());
        let progress = Self(bar);
        progress.style(total.is_some());
        progress
    }

    /// Starts a line that counts bytes, with their rate.
    pub fn bytes(label: &str, total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        bar.set_message(label.to_owned());
        let template = "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// How many bytes it is now, of about how many.
    pub fn reach(&self, label: &str, done: u64, total: u64) {
        if self.0.message() != label {
            self.0.set_message(label.to_owned());
        }
        if self.0.length() != Some(total.max(done)) {
            self.0.set_length(total.max(done));
        }
        self.0.set_position(done);
    }

    fn style(&self, known: bool) {
        let template = if known { "{msg} {wide_bar} {pos}/{len} {eta}" } else { "{spinner} {msg} {pos}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
    }

    /// How far it is now.
    pub fn update(&self, label: &str, done: u64, total: Option<u64>) {
        if self.0.message() != label {
            self.0.set_message(label.to_owned());
        }
        if self.0.length() != total {
            self.style(total.is_some());
            match total {
                Some(total) => self.0.set_length(total),
                None => self.0.unset_length(),
            }
        }
        self.0.set_position(done);
    }

    /// Writes a line above the progress, or plainly where there is none.
    pub fn note(&self, line: &str) {
        if self.0.is_hidden() {
            eprintln!("{line}");
        } else {
            self.0.println(line);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
