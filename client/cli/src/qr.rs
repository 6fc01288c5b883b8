//! QR codes as paths of SVG.

use qrcodegen_no_heap::{QrCode, QrCodeEcc, Version};
use std::fmt::{self, Write};
use zeroize::Zeroizing;

/// Light modules around the code, as its standard asks for.
pub const QUIET: i32 = 4;

/// Encodes a text in a code of at most this version, in buffers that are zeroized.
///
/// # Errors
/// When the text is too long, or what `draw` says.
pub fn encode<T>(
    text: &str,
    most: Version,
    draw: impl FnOnce(&QrCode) -> Result<T, fmt::Error>,
) -> Result<T, fmt::Error> {
    let mut scratch = Zeroizing::new(vec![0u8; most.buffer_len()]);
    let mut modules = Zeroizing::new(vec![0u8; most.buffer_len()]);
    let ecc = QrCodeEcc::Medium;
    let code = QrCode::encode_text(text, &mut scratch, &mut modules, ecc, Version::MIN, most, None, true)
        .map_err(|_| fmt::Error)?;
    draw(&code)
}

/// Writes the dark runs in each row as the data of one path, a module being 1 wide.
///
/// # Errors
/// What `out` says.
pub fn path(code: &QrCode, out: &mut impl Write) -> fmt::Result {
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let start = x;
            while code.get_module(x, y) {
                x += 1;
            }
            if x > start {
                write!(out, "M{start} {y}h{}v1H{start}z", x - start)?;
            }
            x += 1;
        }
    }
    Ok(())
}
