//! A short text as a QR code, for a terminal or a page. The door to the library that draws it.

use qrcode::{
    EcLevel, QrCode,
    render::{svg, unicode},
};

use crate::error::{Result, internal};

/// The code in half-height blocks, dark on light, with the quiet zone around it.
///
/// # Errors
/// When the text is too long for one code.
pub fn terminal(text: &str) -> Result<String> {
    // On most terminals letters are light and the ground is dark.
    let (dark, light) = (unicode::Dense1x2::Light, unicode::Dense1x2::Dark);
    Ok(encode(text)?.render::<unicode::Dense1x2>().dark_color(dark).light_color(light).build() + "\n")
}

/// The code as an SVG image.
///
/// # Errors
/// As [`terminal`].
pub fn picture(text: &str) -> Result<String> {
    Ok(encode(text)?.render::<svg::Color<'_>>().min_dimensions(240, 240).build())
}

fn encode(text: &str) -> Result<QrCode> {
    // Blanks and line breaks are for people.
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    QrCode::with_error_correction_level(compact, EcLevel::M).map_err(|error| internal(format!("no QR code: {error}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_code_of_300_letters_fits_a_terminal() {
        let drawn = terminal(&"A7".repeat(150)).unwrap();
        assert!(drawn.lines().count() <= 40 && drawn.lines().all(|line| line.chars().count() <= 78), "{drawn}");
        assert!(picture("A7").unwrap().contains("<svg"));
    }
}
