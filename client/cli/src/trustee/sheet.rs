//! The recovery sheet: one A4 page, in SVG, with a trustee's key as 24 words and as a QR code of the same.

use psephos_client::keystore::{fingerprint, KeyFile, Root, WORDS};
use qrcodegen_no_heap::Version;
use std::fmt::{self, Write};
use zeroize::Zeroizing;

use crate::qr::{self, QUIET};

/// Bytes of the largest sheet. The text is made in a buffer of this size, which never grows and so leaves no
/// copy behind.
const MAX_BYTES: usize = 96 * 1024;
/// The largest QR code that the words may need: they are 215 bytes at the most.
const QR_VERSION: Version = Version::new(15);

/// The page's margin and the width between the margins, in mm.
const LEFT: f32 = 18.0;
const WIDTH: f32 = 174.0;
/// Words in a row, and the size of a word's box in mm.
const COLUMNS: usize = 4;
const BOX: (f32, f32) = (43.5, 10.5);
/// The side of the QR code in mm, with its quiet zone.
const QR_SIDE: f32 = 68.0;
/// Characters in a line of the name, so few that wide ones fit, and its lines.
const NAME_LINE: usize = 36;
const NAME_LINES: usize = 3;

const STYLE: &str = "\
text{font-family:'Liberation Sans',Arial,Helvetica,'DejaVu Sans',sans-serif;font-size:3.7px;fill:#000}\
.title{font-size:9px;font-weight:bold}.label{font-size:3.1px}.name{font-size:4.8px;font-weight:bold}\
.head{font-weight:bold;font-size:4.1px}\
.mono,.word{font-family:'Liberation Mono','DejaVu Sans Mono','Courier New',monospace}\
.mono{font-size:3px}.print{font-size:5px}.word{font-size:5.2px;font-weight:bold}\
.line{stroke:#000;stroke-width:.25;fill:none}.frame{stroke:#000;stroke-width:.6;fill:none}";

/// What stands beside the QR code: a heading begins with `#`, a command with `$`.
const ADVICE: [&str; 19] = [
    "#What this page is for",
    "If machine and copies of the key file are lost, the",
    "words make the very same key again, without any",
    "passphrase. They don't bring back the store with the",
    "shares of the ballots: copy that one, too.",
    "",
    "#How to restore the key",
    "1. Run this command and type the words:",
    "$psephos trustee restore --name NAME --out trustee.key",
    "2. Compare its fingerprint with the one above.",
    "",
    "#How to keep it",
    "Whoever reads or photographs this page has the key.",
    "Keep it in a sealed envelope, apart from the",
    "passphrase and from the store. Print it on a printer",
    "that keeps no copies, then delete the file. Scan the",
    "code on a machine you would trust with the key, not",
    "with a telephone. Destroy this page when the appeal",
    "period is over.",
];

/// The sheet of a key with this root; the QR code, too, holds [`Root::words`].
///
/// # Errors
/// When the words don't fit the code or the page, which no root's do.
pub fn svg(key: &KeyFile, root: &Root) -> Result<Zeroizing<String>, fmt::Error> {
    let words = root.words();
    let mut out = Zeroizing::new(String::with_capacity(MAX_BYTES));
    let svg = &mut *out;
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 210 297">"#
    )?;
    writeln!(
        svg,
        r##"<title>Recovery sheet</title><style>{STYLE}</style><rect width="210" height="297" fill="#fff"/>"##
    )?;
    let y = head(svg, key)?;
    let mut y = grid(svg, &words, y + 6.0)? + 8.0;
    writeln!(svg, r#"<g transform="translate({LEFT} {y})">"#)?;
    code(svg, &words)?;
    writeln!(svg, "</g>")?;
    y += 5.0;
    for line in ADVICE {
        let (class, line) = match line.split_at_checked(1) {
            Some(("#", heading)) => ("head", heading),
            Some(("$", command)) => ("mono", command),
            _ => ("", line),
        };
        text(svg, LEFT + QR_SIDE + 6.0, y, class, line)?;
        y += if line.is_empty() { 3.0 } else { 5.2 };
    }
    rule(svg, 279.0)?;
    text(svg, LEFT, 284.0, "label", "Psephos. The words are BIP39's English list; the key follows from them as the specification says in section 2.4.")?;
    writeln!(svg, "</svg>")?;
    // A buffer that grew would have left a part of the secret behind.
    (out.len() <= MAX_BYTES).then_some(out).ok_or(fmt::Error)
}

/// What is above the words; gives where it ends.
fn head(svg: &mut String, key: &KeyFile) -> Result<f32, fmt::Error> {
    text(svg, LEFT, 27.0, "title", "Recovery sheet")?;
    text(svg, LEFT, 34.0, "", "of a trustee's key for one election")?;
    writeln!(svg, r#"<rect class="frame" x="137" y="17" width="55" height="19"/>"#)?;
    text(svg, 141.0, 25.5, "head", "SECRET")?;
    text(svg, 141.0, 31.5, "", "This page is the key.")?;
    rule(svg, 41.0)?;
    text(svg, LEFT, 47.0, "label", "Trustee")?;
    let mut y = 53.0;
    for line in name_lines(key.name()) {
        text(svg, LEFT, y, "name", &line)?;
        y += 5.6;
    }
    text(svg, LEFT, y + 3.5, "label", "Fingerprint: how the public signing key in the manifest begins")?;
    text(svg, LEFT, y + 9.5, "mono print", &fingerprint(&key.public()))?;
    y += 20.0;
    for (x, end, label) in [(LEFT, 132.0, "Election"), (138.0, 192.0, "Date")] {
        text(svg, x, y, "label", label)?;
        writeln!(svg, r#"<path class="line" d="M{} {y}H{end}"/>"#, x + 3.0 + 1.7 * label.len() as f32)?;
    }
    Ok(y)
}

/// A name in lines, broken at spaces where there are any.
fn name_lines(name: &str) -> Vec<String> {
    let mut rest: Vec<char> = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut lines = Vec::new();
    while !rest.is_empty() && lines.len() < NAME_LINES {
        let fits = rest.len().min(NAME_LINE);
        let space = rest.iter().take(fits).rposition(|c| *c == ' ').filter(|_| rest.len() > fits);
        let line: String = rest.drain(..space.map_or(fits, |space| space + 1)).collect();
        lines.push(line.trim().to_owned());
    }
    if let (false, Some(last)) = (rest.is_empty(), lines.last_mut()) {
        last.push('…');
    }
    lines
}

/// The words, each in its box; gives where they end.
fn grid(svg: &mut String, words: &str, top: f32) -> Result<f32, fmt::Error> {
    let (width, height) = BOX;
    for (place, word) in words.split(' ').enumerate() {
        let (column, row) = (place % COLUMNS, place / COLUMNS);
        let (x, y) = (LEFT + column as f32 * width, top + row as f32 * height);
        writeln!(svg, r#"<rect class="line" x="{x}" y="{y}" width="{width}" height="{height}"/>"#)?;
        writeln!(svg, r#"<text class="label" x="{}" y="{}">{}</text>"#, x + 2.0, y + 4.2, place + 1)?;
        writeln!(svg, r#"<text class="word" x="{}" y="{}">{word}</text>"#, x + 9.0, y + 7.0)?;
    }
    let (wide, high) = (COLUMNS as f32 * width, WORDS.div_ceil(COLUMNS) as f32 * height);
    writeln!(svg, r#"<rect class="frame" x="{LEFT}" y="{top}" width="{wide}" height="{high}"/>"#)?;
    Ok(top + high)
}

/// The QR code of the words, as one path of the dark runs in each row.
fn code(svg: &mut String, words: &str) -> fmt::Result {
    qr::encode(words, QR_VERSION, |code| {
        let side = QR_SIDE / (code.size() + 2 * QUIET) as f32;
        write!(
            svg,
            r#"<path id="code" shape-rendering="crispEdges" transform="scale({side}) translate({QUIET} {QUIET})" d=""#
        )?;
        qr::path(code, svg)?;
        writeln!(svg, r#""/>"#)?;
        text(svg, QUIET as f32 * side, QR_SIDE, "label", "The same words")
    })
}

fn rule(svg: &mut String, y: f32) -> fmt::Result {
    writeln!(svg, r#"<path class="line" d="M{LEFT} {y}h{WIDTH}"/>"#)
}

fn text(svg: &mut String, x: f32, y: f32, class: &str, line: &str) -> fmt::Result {
    if line.is_empty() {
        return Ok(());
    }
    write!(svg, r#"<text class="{class}" x="{x}" y="{y}">"#)?;
    for c in line.chars() {
        match c {
            '<' => svg.write_str("&lt;")?,
            '>' => svg.write_str("&gt;")?,
            '&' => svg.write_str("&amp;")?,
            c => svg.write_char(c)?,
        }
    }
    writeln!(svg, "</text>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use qrcodegen_no_heap::{QrCode, QrCodeEcc};
    use rand_core::OsRng;
    use std::collections::BTreeSet;

    fn sheet(name: &str) -> (KeyFile, Zeroizing<String>) {
        let key = KeyFile::trustee(name, Root::generate(&mut OsRng));
        let svg = svg(&key, key.root().unwrap()).unwrap();
        (key, svg)
    }

    /// The numbered words of the grid.
    fn words(svg: &str) -> String {
        let after = svg.split(r#"class="word""#).skip(1);
        after
            .map(|rest| rest.split_once('>').unwrap().1.split_once('<').unwrap().0)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The dark modules of the code as it is drawn.
    fn dark(svg: &str) -> BTreeSet<(usize, usize)> {
        let path = svg.split_once(r#"id="code""#).unwrap().1.split_once(r#" d=""#).unwrap().1;
        let path = path.split_once('"').unwrap().0;
        let mut dark = BTreeSet::new();
        for run in path.split('z').filter(|run| !run.is_empty()) {
            let (start, length) = run.strip_prefix('M').unwrap().split_once('h').unwrap();
            let (x, y) = start.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let length: usize = length.split_once('v').unwrap().0.parse().unwrap();
            dark.extend((x..x + length).map(|x| (x, y)));
        }
        dark
    }

    /// What a scanner reads in it.
    fn scanned(svg: &str) -> String {
        let dark = dark(svg);
        let size = dark.iter().map(|(x, _)| x + 1).max().unwrap();
        let grid = rqrr::SimpleGrid::from_func(size, |x, y| dark.contains(&(x, y)));
        rqrr::Grid::new(grid).decode().unwrap().1
    }

    /// A scanner mends some wrong modules, so each is compared with those of the same words encoded again.
    #[test]
    fn every_module_is_drawn_where_it_belongs() {
        let (_, svg) = sheet("Court of Audit");
        let (mut scratch, mut modules) = ([0u8; QR_VERSION.buffer_len()], [0u8; QR_VERSION.buffer_len()]);
        let (least, most) = (Version::MIN, QR_VERSION);
        let ecc = QrCodeEcc::Medium;
        let words = words(&svg);
        let code =
            QrCode::encode_text(&words, &mut scratch, &mut modules, ecc, least, most, None, true).unwrap();
        let places = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
        let expected: BTreeSet<_> = places.filter(|(x, y)| code.get_module(*x, *y)).collect();
        assert_eq!(
            dark(&svg).into_iter().map(|(x, y)| (x as i32, y as i32)).collect::<BTreeSet<_>>(),
            expected
        );
    }

    #[test]
    fn the_words_and_the_code_give_the_key_back() {
        for _ in 0..8 {
            let (key, svg) = sheet("Court of Audit");
            assert_eq!(words(&svg), scanned(&svg));
            let back = KeyFile::trustee(key.name(), Root::from_words(&words(&svg)).unwrap());
            assert_eq!(back.public_file(), key.public_file());
            assert!(svg.contains(&fingerprint(&key.public())));
        }
    }

    #[test]
    fn every_word_has_its_number() {
        let (_, svg) = sheet("A");
        let pairs: Vec<&str> = svg.lines().filter(|line| line.contains(r#"class="word""#)).collect();
        assert_eq!(pairs.len(), WORDS);
        for number in 1..=WORDS {
            assert!(svg.contains(&format!(">{number}</text>\n<text class=\"word\"")), "{number}");
        }
    }

    #[test]
    fn any_name_stays_on_the_page_and_in_its_element() {
        let (_, svg) = sheet("Ada & <script>\u{0}\n\"Sons\"");
        assert!(svg.contains("Ada &amp; &lt;script&gt;") && !svg.contains("<script>"));
        assert!(!svg.contains('\u{0}'));
        let (_, svg) = sheet(&"W".repeat(256));
        assert!(svg.contains('…') && !svg.contains(&"W".repeat(NAME_LINE + 1)));
    }

    #[test]
    fn names_break_at_spaces() {
        assert_eq!(name_lines("Court of Audit"), ["Court of Audit"]);
        let long = "Office of the Commissioner for Elections and Referenda";
        assert_eq!(name_lines(long), ["Office of the Commissioner for", "Elections and Referenda"]);
        let exact = "W".repeat(NAME_LINE);
        assert_eq!(name_lines(&exact).concat(), exact);
        assert_eq!(name_lines(&exact.repeat(4))[NAME_LINES - 1], format!("{exact}…"));
    }
}
